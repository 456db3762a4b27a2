from celery import Celery

app = Celery("states", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def divide(x, y):
    return x / y


@app.task(ignore_result=True)
def divide_and_forget(x, y):
    return x / y


def send():
    return {
        "divide(6, 3)": divide.delay(6, 3),
        "divide(6, 0)": divide.delay(6, 0),
        "divide_and_forget(6, 3)": divide_and_forget.delay(6, 3),
        "divide(6, 2), to a queue that nobody reads": divide.apply_async((6, 2), queue="nobody"),
    }


ANSWERS = {
    "divide(6, 3)": "TODO",
    "divide(6, 0)": "TODO",
    "divide_and_forget(6, 3)": "TODO",
    "divide(6, 2), to a queue that nobody reads": "TODO",
}
