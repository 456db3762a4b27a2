"""What one bench leaves in this process, and the next one must not find."""

from __future__ import annotations

import inspect
import sys
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


def forget_tasks_of(folder: Path, but: set[Any]) -> None:
    """Forget a chapter's apps, and its `@shared_task`s, which Celery keeps for every app to come.

    The first of a name wins: the next bench would call the one of this bench. Those that were there
    `but` for this bench are left alone: whoever imported them may hold them.
    """
    for known in celery_knows() - but:
        if not inspect.isfunction(known):
            if any(stands_in(folder, task.run) for task in list(known._tasks.values())):
                known.close()
        elif stands_in(folder, inspect.getclosurevars(known).nonlocals.get("fun")):
            sys.modules["celery._state"]._on_app_finalizers.discard(known)


def stands_in(folder: Path, function: Any) -> bool:
    """Whether a function was defined in a file of this folder."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code is not None and Path(code.co_filename).is_relative_to(folder)
