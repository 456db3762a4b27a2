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
from pathlib import Path
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


def run(folder: Path, report: Path, options: list[str]) -> dict[str, int]:
    """Run the tests of one folder. Return how many there were of each kind."""
    click.secho(f"\n{folder.relative_to(ROOT)}", bold=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"]
    subprocess.run([*command, f"--junitxml={report}", *options, "."], cwd=folder, check=False)
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
    folders = folders or [ROOT / "tests", *(each.folder for each in all_chapters())]
    trap = Trap()
    options = ["-m", "soak", "-n", "0"] if soak else []
    with tempfile.TemporaryDirectory() as reports:
        counts = [run(each, Path(reports) / f"{each.name}.xml", options) for each in folders]
    total = {kind: sum(count[kind] for count in counts) for kind in counts[0]}
    failed = total["failures"] + total["errors"]
    for visitor in trap.visitors:
        click.secho(f"A test connected to port 6379: {visitor}", fg="red")
    passed = total["tests"] - failed - total["skipped"]
    click.echo(f"\n{passed} passed, {failed} failed, {total['skipped']} skipped")
    sys.exit(1 if failed or trap.visitors or not passed else 0)


if __name__ == "__main__":
    main()
