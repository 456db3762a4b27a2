"""Writes down what happens to every task, in the process where it happens.

Celery's own task events carry the process number of the worker, never that of the pool process
that runs the task, and no time of sending unless `task_send_sent_event` is on. So a bench sets
``CELERY_LOADER=lab.observe.recorder:Loader`` for everything it starts. The loader is Celery's own;
importing this module connects the signals below. Senders, workers and pool processes then each
append lines of JSON to a file named after their process number, in the folder that the
environment variable `LAB_RECORDS` names. A line that was written survives SIGKILL.

`lab.observe.timeline` reads the files.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from celery import signals
from celery.loaders.app import AppLoader

from lab.observe.records import record

F = TypeVar("F", bound=Callable[..., None])


class Loader(AppLoader):  # type: ignore[misc]  # Celery has no type hints
    """Celery's loader. That this module was imported is all it adds."""


def label(args: object) -> str:
    """What a picture can say of a task's arguments: the name of a file, a number, a word."""
    first = args[0] if isinstance(args, list | tuple) and args else ""
    if isinstance(first, str):
        return first.rpartition("/")[2][:40]
    return str(first)[:40] if isinstance(first, int | float) else ""


def on(signal: Any) -> Callable[[F], F]:
    """Connect a function to a signal. (Celery has no type hints; this is one.)"""
    return signal.connect  # type: ignore[no-any-return]


def where() -> dict[str, Any]:
    return {"pid": os.getpid(), "parent": os.getppid(), "thread": threading.get_ident()}


@on(signals.after_task_publish)
def sent(sender: Any = None, headers: Any = None, **_: Any) -> None:
    record("sent", task=sender, id=headers["id"], retries=headers.get("retries") or 0)


@on(signals.task_received)
def received(request: Any, **_: Any) -> None:
    redelivered = bool(request.delivery_info.get("redelivered"))
    record("received", task=request.name, id=request.id, redelivered=redelivered)


@on(signals.worker_process_init)
def pool_process_ready(**_: Any) -> None:
    record("process", **where())


@on(signals.task_prerun)
def started(task_id: str, task: Any, args: Any = None, **_: Any) -> None:
    request = task.request
    if request.is_eager:
        return
    record(
        "started",
        task=task.name,
        id=task_id,
        label=label(args),
        worker=request.hostname,
        retries=request.retries,
        redelivered=bool((request.delivery_info or {}).get("redelivered")),
        **where(),
    )


@on(signals.task_postrun)
def ended(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    if not task.request.is_eager:
        record("ended", id=task_id, state=state, **where())


# This one may come from the worker itself, when a pool process could not say it any more: it was
# killed, or ran out of time.


@on(signals.task_failure)
def failed(task_id: str, exception: Any = None, **_: Any) -> None:
    record("failed", id=task_id, error=repr(exception), pid=os.getpid())
