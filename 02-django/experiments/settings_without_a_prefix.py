"""# You named the setting almost right. Who tells you?

## Question

Celery's settings stand in Django's `settings.py`. Either with a prefix, `CELERY_BROKER_URL`,
`CELERY_RESULT_BACKEND`, `CELERY_TASK_ACKS_LATE`, or without: `BROKER_URL`, `RESULT_BACKEND`,
`TASK_ACKS_LATE`. And the app reads them with `namespace="CELERY"` or without a namespace. That
makes four combinations. How many of them reach Redis, and how many heed all three settings?

## Predict

- [ ] One reaches Redis, and it heeds all three. The others raise an error.
- [ ] Two and two: the prefix with the namespace, or neither of them.
- [x] Three reach Redis. One heeds all three. None raises an error.

## Why

Celery asks for the names that it knows and never looks at the others. With the namespace it
knows `CELERY_` and the new name. Beside that it still understands the names of Celery 3:
`BROKER_URL` and `CELERY_RESULT_BACKEND` happen to be two of them, `TASK_ACKS_LATE` is not. That
is why half of a wrong configuration works. The tasks run, and only their safety is missing.

The second row is the classic: new names, the namespace forgotten. Results go to Redis, tasks to
RabbitMQ.

## Fix

`config_from_object("django.conf:settings", namespace="CELERY")`, and the prefix on every
setting. That a task arrives proves nothing. Print what counts: `app.conf.task_acks_late`.
"""

import json

WITHOUT_NAMESPACE = {"album/celery.py": (', namespace="CELERY"', "")}

ASK = """
import json
from album.celery import app
broker, conf = app.connection().as_uri(), app.conf
print(json.dumps([broker, conf.result_backend or "none", conf.task_acks_late]))
"""


def run(bench):
    # The variables would win over every setting.
    env = {"CELERY_BROKER_URL": None, "CELERY_RESULT_BACKEND": None}
    env["ALBUM_DATA"] = str(bench.folder / "data")
    namespaces = {"none": bench.copy(WITHOUT_NAMESPACE), "CELERY": bench.copy({})}
    rows = []
    for prefix in ("CELERY_", ""):
        for namespace in ("CELERY", "none"):
            folder = namespaces[namespace]
            settings = (bench.chapter / "album" / "settings.py").read_text()
            (folder / "album" / "named.py").write_text(settings.replace("CELERY_", prefix))
            named = env | {"DJANGO_SETTINGS_MODULE": "album.named"}
            broker, results, late = json.loads(bench.python(ASK, cwd=folder, env=named))
            row = {"prefix": prefix or "none", "namespace": namespace}
            rows.append(row | {"broker": broker, "results": results, "acks late": late})
    return rows


def claims(rows):
    right, no_namespace, no_prefix, neither = rows
    return {
        "prefix and namespace: all three settings count": right["broker"].startswith("redis://")
        and right["results"].startswith("redis://")
        and right["acks late"],
        "the namespace forgotten: results on Redis, tasks to RabbitMQ": no_namespace["broker"]
        == "amqp://guest:**@localhost:5672//"
        and no_namespace["results"].startswith("redis://"),
        "no prefix: tasks to Redis, results nowhere": all(
            row["broker"].startswith("redis://") and row["results"] == "none"
            for row in (no_prefix, neither)
        ),
        "only the first acknowledges late": [row["acks late"] for row in rows]
        == [True, False, False, False],
    }
