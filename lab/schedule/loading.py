"""Load a Celery app with its whole schedule, or say in one sentence why that is not possible."""

from __future__ import annotations

import ast
import sys
import sysconfig
import traceback
from pathlib import Path

from celery import Celery
from celery.app.utils import find_app


class CannotLoad(Exception):
    """There is no such app. The message says where was looked."""


class CannotBuild(Exception):
    """Building the app raised an error. `entry` names the entry of the schedule, if it is one."""

    def __init__(self, entry: str, why: str) -> None:
        super().__init__(why)
        self.entry = entry


def load(name: str) -> Celery:
    """The app that `celery -A name` finds, with all its tasks and its complete schedule.

    Raises `CannotLoad` or `CannotBuild`.
    """
    sys.path.insert(0, str(Path.cwd()))
    try:
        app = find_app(name)
        # In this order. Tasks that are imported later could not add to the schedule any more.
        if isinstance(app, Celery):
            app.loader.import_default_modules()
            app.finalize()
            return app
    except Exception as wrapped:
        error = unwrapped(wrapped)
        place = last_place_of_theirs(error)
        if place is None:
            raise CannotLoad(f"There is no app {name!r} in {Path.cwd()}: {error}.") from None
        line = f"{Path(place.filename).name}, line {place.lineno}: {place.line}"
        why = f"{type(error).__name__}: {error}\n    {line}"
        raise CannotBuild(entry_at(place) or name, why) from None
    raise CannotLoad(f"{name!r} is a {type(app).__name__}, and no Celery app.")


def unwrapped(error: Exception) -> Exception:
    """The error in their code. On its way it has become "Couldn't import 'shop': ..."."""
    inner = error.__context__
    while isinstance(inner, type(error)) and str(error).endswith(str(inner)):
        error, inner = inner, inner.__context__
    return error


def last_place_of_theirs(error: Exception) -> traceback.FrameSummary | None:
    """The last line of their code that ran. `None` when none did: there is no such app."""
    ours = (__file__, "<frozen", sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    places = traceback.extract_tb(error.__traceback__)
    theirs = [place for place in places if not place.filename.startswith(ours)]
    return theirs[-1] if theirs else None


def entry_at(place: traceback.FrameSummary) -> str:
    """The name of the schedule's entry that stands in this line, or "" when there is none."""
    path = Path(place.filename)
    if not path.exists() or place.lineno is None:
        return ""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                inside = value.lineno <= place.lineno <= (value.end_lineno or 0)
                if inside and isinstance(value, ast.Dict) and is_entry(value):
                    return ast.literal_eval(key) if isinstance(key, ast.Constant) else ""
        elif isinstance(node, ast.Call) and node.lineno <= place.lineno <= (node.end_lineno or 0):
            names = [word.value for word in node.keywords if word.arg == "name"]
            if names and isinstance(names[0], ast.Constant):
                return str(names[0].value)
    return ""


def is_entry(value: ast.Dict) -> bool:
    """Whether a dictionary in the code is an entry: it has a key "schedule"."""
    return any(isinstance(key, ast.Constant) and key.value == "schedule" for key in value.keys)
