from celery import Celery, chain

app = Celery("prints", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")

# TODO: one of these routes is wrong. Find out which from outside, before you read them.
app.conf.task_routes = {
    "prints.crop": {"queue": "prints"},
    "prints.colour": {"queue": "print"},
    "prints.frame": {"queue": "prints"},
}


@app.task
def crop(photo):
    return f"cropped {photo}"


@app.task
def colour(photo):
    return f"coloured {photo}"


@app.task
def frame(photo):
    return f"framed {photo}"


def order(photo):
    return chain(crop.s(photo), colour.s(), frame.s()).delay()
