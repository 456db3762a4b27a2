"""Run all tests of the course, or one chapter's:  python -m tests [01] [--soak]

Each chapter is a pytest process of its own, because two chapters may both have a module called
`tasks`. While they run, somebody listens on port 6379: the port of a learner's own Redis, which
no test may ever touch.
"""

import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click

from lab.chapters import ROOT, NoChapter, all_chapters, find


class Trap:
    """Listens on a learner's Redis port and counts who comes."""

    def __init__(self, port: int = 6379):
        self.visitors: list[str] = []
        self.sockets: list[socket.socket] = []
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError as error:
                if host == "127.0.0.1":
                    raise click.ClickException(
                        f"Port {port} is taken ({error.strerror}). The tests keep it to themselves "
                        "to prove that they never touch a Redis of yours: stop what runs there "
                        "(`lab broker`, perhaps) and try again."
                    ) from None
                continue  # this machine has no IPv6
            listener.listen()
            self.sockets.append(listener)
            threading.Thread(target=self.wait, args=[listener], daemon=True).start()

    def wait(self, listener: socket.socket) -> None:
        while True:
            connection, address = listener.accept()
            connection.settimeout(1)
            try:
                said = connection.recv(200)
            except OSError:
                said = b""
            self.visitors.append(f"{address} said {said!r}")
            connection.close()


def run(folder: Path, workers: int, report: Path, options: list[str], **how: Any) -> str:
    """Run the tests of one folder. Return what pytest said, unless it said it on the screen."""
    # Each worker gets one test at a time: nobody is left alone with the long ones at the end.
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "--maxschedchunk", "1"]
    command += [f"--junitxml={report}", *options, "."]
    said = subprocess.run(command, cwd=folder, stderr=subprocess.STDOUT, text=True, **how)
    return said.stdout or ""


def count(report: Path) -> dict[str, int]:
    """How many tests there were of each kind."""
    if not report.exists():  # pytest itself could not start
        return {"tests": 0, "failures": 1, "errors": 0, "skipped": 0}
    suite = ElementTree.parse(report).getroot()[0]
    return {kind: int(suite.get(kind, 0)) for kind in ("tests", "failures", "errors", "skipped")}


@click.command()
@click.argument("chapter", required=False)
@click.option("--soak", is_flag=True, help="Run what takes minutes, and nothing else.")
def main(chapter: str | None, soak: bool) -> None:
    """Prove the whole course, or one CHAPTER."""
    try:
        folders = [find(chapter).folder] if chapter else []
    except NoChapter as error:
        raise click.ClickException(str(error)) from None
    first, *others = folders or [ROOT / "tests", *(each.folder for each in all_chapters())]
    trap = Trap()
    options = ["-m", "soak", "-n", "0"] if soak else ["-m", "not soak and not alone"]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
        reports = {each: Path(folder) / f"{each.name}.xml" for each in (first, *others)}
        # Tests of a course on task queues wait more than they compute. The first folder shows
        # its progress. The chapters run beside it, one after the other.
        later = [
            beside.submit(run, each, 2, reports[each], options, stdout=subprocess.PIPE)
            for each in others
        ]
        click.secho(first.relative_to(ROOT), bold=True)
        run(first, 3, reports[first], options)
        for each, said in zip(others, later, strict=True):
            click.secho(f"\n{each.relative_to(ROOT)}", bold=True)
            click.echo(said.result())
        if not soak and not chapter:
            click.secho("\nWhat needs the machine for itself", bold=True)
            reports[ROOT] = Path(folder) / "alone.xml"
            run(first, 0, reports[ROOT], ["-m", "alone"])
        counts = [count(report) for report in reports.values()]
    total = {kind: sum(each[kind] for each in counts) for kind in counts[0]}
    failed = total["failures"] + total["errors"]
    for visitor in trap.visitors:
        click.secho(f"A test connected to port 6379: {visitor}", fg="red")
    passed = total["tests"] - failed - total["skipped"]
    click.echo(f"\n{passed} passed, {failed} failed, {total['skipped']} skipped")
    sys.exit(1 if failed or trap.visitors or not passed else 0)


if __name__ == "__main__":
    main()
