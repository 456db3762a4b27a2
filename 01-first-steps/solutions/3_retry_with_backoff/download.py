from urllib.request import urlopen

from celery import Celery

app = Celery("download", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task(autoretry_for=(ConnectionError,), retry_backoff=True, max_retries=3)
def fetch(url):
    with urlopen(url, timeout=20) as answer:
        return answer.read().decode()
