"""What one bench leaves in this process, and the next one must not find."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Set
from pathlib import Path
from typing import Any


def forget_modules_of(folder: Path) -> None:
    """Forget the imported modules of a chapter: the next bench gets fresh ones.

    An app that was imported keeps its connections, and they lead to the broker that is gone.
    """
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(folder) and not name.startswith("conftest"):
            del sys.modules[name]


def celery_knows() -> set[Any]:
    """The apps of this process, and its `@shared_task`s: a callback for each."""
    if "celery" not in sys.modules:
        return set()
    from celery import _state

    return {*_state._on_app_finalizers, *_state._get_active_apps()}


def forget_shared_tasks_of(folder: Path, but: Set[Any] = frozenset()) -> None:
    """Forget a chapter's `@shared_task`s, which Celery keeps for every app to come.

    The first of a name wins: a bench would call the one of whoever imported the chapter before.
    """
    for known in celery_knows() - but:
        if inspect.isfunction(known) and stands_in(folder, registered_by(known)):
            sys.modules["celery._state"]._on_app_finalizers.discard(known)


def close_apps_of(folder: Path, but: Set[Any]) -> None:
    """Close a chapter's apps: their connections lead to a broker that is gone."""
    for known in celery_knows() - but:
        tasks = [] if inspect.isfunction(known) else list(known._tasks.values())
        if any(stands_in(folder, task.run) for task in tasks):
            known.close()


def registered_by(callback: Any) -> Any:
    """The function that a callback of Celery makes a task of."""
    return inspect.getclosurevars(callback).nonlocals.get("fun")


def stands_in(folder: Path, function: Any) -> bool:
    """Whether a function was defined in a file of this folder."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code is not None and Path(code.co_filename).is_relative_to(folder)
