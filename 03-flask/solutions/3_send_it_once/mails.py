"""An album goes out by mail:  celery -A mails worker"""

import os

import post
from celery import Celery
from redis import Redis

app = Celery("mails", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")
memory = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True
)


@app.task(bind=True, max_retries=3, ignore_result=True)
def send_mail(self, album, address):
    """Tell one subscriber of an album. What became of it is in three sets of addresses:

    begun:<album>, sent:<album>, unconfirmed:<album>
    """
    if not memory.sadd(f"begun:{album}", address):
        return
    try:
        post.deliver(album, address)
    except post.Later as error:
        memory.srem(f"begun:{album}", address)
        raise self.retry(countdown=0.2) from error
    except post.NoAnswer:
        memory.sadd(f"unconfirmed:{album}", address)
    else:
        memory.sadd(f"sent:{album}", address)
