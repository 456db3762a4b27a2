"""Programs that stand in strings are linted like all others.

They are what `bench.python` runs, what is written to files of a copy, and what replaces a line
there. What is found is named with the file and the line in which the string has it.
"""

import ast
import json
import re
import subprocess
import sys
import textwrap
from functools import cache

import pytest

from lab.chapters import ROOT

# What cannot hold in a piece of a program: names and imports may be for another piece that comes
# before or after it, and there is no way to know.
NOT_IN_PIECES = ("I", "F401", "F821", "F841", "F811", "E402", "F706", "F704")

# Wrong on purpose, and the string is what shows it: the file, the rule, and why.
ON_PURPOSE = {
    ("04-beat/experiments/after_a_pause.py", "S301"): "beat keeps its schedule in such a file",
}

# A whole line of a program that is filled in later.
HOLE = re.compile(r"^( *)\{\w*\}$", re.M)


def programs_in(source):
    """The Python programs of three and more lines in the strings of a module, each with its line.

    A docstring is none, and neither is a text that only looks like a few names.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        text = textwrap.dedent(HOLE.sub(r"\1pass", node.value))
        if id(node) in told or text.strip().count("\n") < 2:
            continue
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError):
            continue
        if all(isinstance(each, ast.Expr) and not calls(each) for each in body):
            continue
        # A string in three quotes has its lines where it stands.
        at = node.lineno - 1 if '"""' in lines[node.lineno - 1] else None
        yield node.lineno, at, text


def calls(node):
    return any(isinstance(each, ast.Call | ast.Await) for each in ast.walk(node))


def found_in(programs, folder):
    """What ruff says of programs, given by a name: (name, line, rule, sentence)."""
    for name, text in programs.items():
        (folder / f"{name}.py").write_text(text)
    ruff = [sys.executable, "-m", "ruff", "check", "--output-format", "json", "--no-cache"]
    ruff += [
        "--config",
        str(ROOT / "pyproject.toml"),
        "--extend-ignore",
        ",".join(NOT_IN_PIECES),
        str(folder),
    ]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    for each in json.loads(done.stdout):
        name = re.search(r"(\w+)\.py$", each["filename"])[1]
        yield name, each["location"]["row"], each["code"], each["message"]


@cache
def modules():
    # New ones too: an author has not added them yet.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).exists()]


def test_programs_in_strings_are_linted(tmp_path):
    places, programs = {}, {}
    for path in modules():
        for line, at, text in programs_in(path.read_text()):
            name = f"program_{len(programs)}"
            places[name], programs[name] = (path.relative_to(ROOT), line, at), text
    assert len(programs) > 90
    wrong = []
    for name, row, rule, sentence in found_in(programs, tmp_path):
        path, line, at = places[name]
        if (str(path), rule) not in ON_PURPOSE:
            where = f"{path}:{at + row}" if at is not None else f"{path}:{line}, line {row} of it"
            wrong.append(f"{where}: {rule} {sentence}")
    assert not wrong, "\n".join(wrong)


def test_what_is_wrong_in_a_string_is_found(tmp_path):
    source = 'X = """\nimport os, time\ntime.sleep(1)\nx = f"nothing"\n"""\n'
    [(line, at, text)] = programs_in(source)
    assert (line, at) == (1, 0)
    found = {(row, rule) for _, row, rule, _ in found_in({"x": text}, tmp_path)}
    assert found == {(2, "E401"), (4, "F541")}


@pytest.mark.parametrize("text", ["one\ntwo\nthree\n", "it is\nno\nprogram\n", "x = 1\n"])
def test_what_is_no_program_is_left_alone(text):
    assert not list(programs_in(f"X = {text!r}\n"))
