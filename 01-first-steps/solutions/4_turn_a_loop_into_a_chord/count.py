from celery import Celery, chord

app = Celery("count", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def count(text):
    return len(text.split())


@app.task
def total(numbers):
    return sum(numbers)


def count_all(texts):
    return chord([count.s(text) for text in texts])(total.s())
