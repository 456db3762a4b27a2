"""Given: thumbnails of one photo:  python -m tiny photo.jpg thumbnails-of-it"""

import sys
from pathlib import Path

from thumbnails.tasks import make
from tiny.celery import app

source, target = (str(Path(word).resolve()) for word in sys.argv[1:])
make.delay(source, target, f"{target}.failed")
print(f"Sent by the app {make.app.main!r} to the queue {app.conf.task_default_queue!r}.")
