from celery import Celery

app = Celery("studio", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

# TODO: newsletters go to a queue of their own.


@app.task
def thumbnail(photo):
    return f"small {photo}"


@app.task
def newsletter(address):
    return f"sent to {address}"
