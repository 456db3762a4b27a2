"""Which room of `lab` may import which: above builds on below, never the reverse."""

import ast
import re
import subprocess
import sys

import pytest

from lab.chapters import ROOT

# From the ground up. A room may import those below it, and itself. `machine` and `chapters` are
# modules that know nothing of the others.
LAYERS = (
    {"machine", "chapters"},
    {"observe", "schedule"},
    {"bench"},
    {"course"},
    {"testing"},
    {"authoring"},
    {"commands"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}


def imported(source):
    """The modules of `lab` that a module imports, anywhere in it: `from lab.a import b` is lab.a.b.

    A name in a string counts too: the bench tells Celery to load its recorder that way.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"^lab\.[a-z_.]+(?=:|$)", node.value))
    return {name for name in found if name.split(".")[0] == "lab"}


def upwards(room, source):
    """The imports of a module in this room that lead to a room above it, or beside it."""
    rooms = {name: name.split(".")[1] for name in imported(source)}
    return sorted(
        name
        for name, other in rooms.items()
        if other != room and FLOOR.get(other, -1) >= FLOOR[room]
    )


def room_of(path):
    return path.relative_to(ROOT / "lab").parts[0].removesuffix(".py")


# `lab/__init__.py` gives away `Bench`, on first use. All others are in a room.
MODULES = sorted(set((ROOT / "lab").glob("**/*.py")) - {ROOT / "lab" / "__init__.py"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_leads_upwards(path):
    assert upwards(room_of(path), path.read_text()) == []


def test_every_room_has_a_floor():
    assert {room_of(path) for path in MODULES} == set(FLOOR)


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("observe", "from lab.bench import wait_until"),
        ("schedule", "from lab.commands.calendar import show_calendar"),
        ("schedule", "from lab.observe import drawing"),
        ("observe", "def late():\n    import lab.bench.process"),
        ("bench", "from lab.course import experiments"),
        ("bench", "from lab import commands"),
        ("bench", "COMMAND = ['-m', 'lab.course.exercises']"),
        ("course", "from lab.authoring.pages.player import play_page"),
        ("chapters", "from lab.machine import cores_are_idle"),
    ],
)
def test_an_import_upwards_is_found(room, line):
    assert upwards(room, line)


def test_importing_lab_imports_nothing_else():
    """`lab doctor` says what is missing where hardly anything is installed."""
    script = "import sys, lab; print(*(name for name in sys.modules if name.startswith('lab.')))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout.strip() == "", said.stderr
