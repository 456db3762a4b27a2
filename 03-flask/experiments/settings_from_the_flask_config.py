"""# The broker stands in Flask's configuration. Who reads it?

## Question

A classic article keeps Celery's settings among Flask's, `CELERY_BROKER_URL` and
`CELERY_RESULT_BACKEND`, and hands them on with `celery.conf.update(app.config)`. Somebody writes
the new names instead, somebody adds one new name to the old ones. Both names of the broker say
Redis. Which broker do they reach, and where do results go?

## Predict

- [ ] Redis, each of them. Celery knows the old names and the new ones.
- [ ] The new names work. With the old ones the app says that they are too old.
- [x] The old names lose the broker, without a word. The new ones work. The mixture is refused.

## Why

`conf.update` takes whatever is in `app.config` and complains about nothing. The old name of the
result backend is `CELERY_RESULT_BACKEND`, so that one is understood. The old name of the broker
is `BROKER_URL`. `CELERY_BROKER_URL` is a name of the environment, and of Django's prefix: as a
setting it means nothing. The article never noticed, since it gives the broker to `Celery(...)` as
well. Leave that out, and tasks go to RabbitMQ at `amqp://localhost`.

## Fix

All of Celery's settings under one key, with the new names: `CELERY = {"broker_url": ...}`, read
by `config_from_object(app.config["CELERY"])`, as in `mailroom/queue.py`. Print what counts:
`app.connection().as_uri()`.
"""

import json

REDIS = "redis://localhost:6379/0"
OLD = {"CELERY_BROKER_URL": REDIS, "CELERY_RESULT_BACKEND": REDIS}
NEW = {"broker_url": REDIS, "result_backend": REDIS}

WAYS = {
    "the old names": OLD,
    "the new names": NEW,
    "the old ones and one new": OLD | {"task_acks_late": True},
    "under one key": {"CELERY": NEW},
}

ASK = """
import json
from celery import Celery
from flask import Flask

app = Flask("site")
app.config.update(CONFIG)
celery = Celery("site")
try:
    if "CELERY" in app.config:
        celery.config_from_object(app.config["CELERY"])
    else:
        celery.conf.update(app.config)
    print(json.dumps([celery.connection().as_uri(), celery.conf.result_backend, ""]))
except Exception as error:
    print(json.dumps(["", "", f"{type(error).__name__}: {' '.join(str(error).split())}"]))
"""


def run(bench):
    # The variables would win over every setting.
    env = {"CELERY_BROKER_URL": None, "CELERY_RESULT_BACKEND": None}
    asked = [bench.start_python(ASK.replace("CONFIG", str(way)), env=env) for way in WAYS.values()]
    rows = []
    for way, process in zip(WAYS, asked, strict=True):
        process.wait(60)
        broker, results, message = json.loads(process.log())
        row = {"in the configuration": way, "broker": broker, "results": results}
        rows.append(row | {"message": message})
    return rows


def claims(rows):
    old, new, mixed, one_key = rows
    return {
        "with the old names tasks go to RabbitMQ": old["broker"].startswith("amqp://"),
        "while results go to Redis": old["results"] == REDIS,
        "with the new names both go to Redis": new["broker"].startswith("redis://")
        and new["results"] == REDIS,
        "one new name among the old ones is refused": "Cannot mix new and old" in mixed["message"],
        "under one key both go to Redis": one_key["broker"].startswith("redis://")
        and one_key["results"] == REDIS,
    }
