from celery import Celery  # TODO: one more name is needed

app = Celery("count", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def count(text):
    return len(text.split())


@app.task
def total(numbers):
    return sum(numbers)


def count_all(texts):
    # TODO: one text after the other. Send them all, and let `total` run when they are counted.
    numbers = [count.delay(text).get(timeout=5) for text in texts]
    return sum(numbers)
