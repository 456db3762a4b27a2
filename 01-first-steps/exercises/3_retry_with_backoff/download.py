from urllib.request import urlopen

from celery import Celery

app = Celery("download", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


# TODO: a dropped connection is worth another try.
@app.task
def fetch(url):
    with urlopen(url, timeout=20) as answer:
        return answer.read().decode()
