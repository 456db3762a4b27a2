"""How the web process speaks to Celery: quickly, and prepared for a broker that is down."""

from kombu.exceptions import OperationalError

from album.celery import app
from album.shelf import Photo
from thumbnails.tasks import make


def send(photos: list[Photo]) -> int:
    """Queue the work on some photos. Returns how many the broker took.

    The first one that fails is the last one that is tried: a visitor waits for this.
    """
    for sent, photo in enumerate(photos):
        try:
            make.apply_async(photo.job, retry=False)
        except OperationalError:
            return sent
    return len(photos)


def worker_state() -> str:
    """Whether anybody works: "ok", "no worker" or "no broker"."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=0)
            # limit: the first answer is enough. Silence costs half a second.
            answers = app.control.inspect(timeout=0.5, limit=1, connection=connection).ping()
    except OperationalError:
        return "no broker"
    return "ok" if answers else "no worker"
