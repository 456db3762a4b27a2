"""Run the tests of the course:

    python -m tests                 the whole
    python -m tests 03              one chapter: its tests, and all that the whole says of it
    python -m tests --changed       what a change can break
    python -m tests --soak          what takes minutes, and nothing else

Each folder is a pytest session of its own, because two chapters may both have a module called
`tasks`; their tests wait in one queue (`lab.testing.turns`). While they run, somebody listens on
port 6379: the port of a learner's own Redis, which no test may ever touch.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

import click
from rich.console import Console

from lab.chapters import ROOT, NoChapter, find
from lab.testing.turns import ADDRESS, Turns
from tests.changed import Scope, changed_files, scope_of
from tests.trap import Trap

# Tests of a course on task queues wait more than they compute.
AT_A_TIME = 3 * (os.cpu_count() or 1)

# How many lines of a failure stand at the end.
LAST_WORDS = 25

# How long each test took, for `make slowest`.
LAST_RUN = Path(sys.prefix) / "test-times.json"

# What the files of the whole-course tests prove, as it is said at the end.
PARTS = {
    "test_pages": "pages played",
    "test_experiments": "experiments",
    "test_exercises": "exercises",
    "test_errors": "error messages",
    "test_notebooks": "notebooks",
    "test_contract": "contract of a chapter",
}


@dataclass(frozen=True)
class Session:
    """A pytest session: a folder, the processes it may use, and which of its tests."""

    folder: Path
    workers: int
    options: Sequence[str]

    @property
    def name(self) -> str:
        return str(self.folder.relative_to(ROOT))

    def run(self, report: Path) -> str:
        """Run it. Returns what pytest said."""
        # Each worker gets one test at a time: nobody is left alone with the long ones at the end.
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(self.workers)]
        command += ["--maxschedchunk", "1", f"--junitxml={report}", *self.options, "."]
        said = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return said.stdout


@dataclass(frozen=True)
class Result:
    """What became of one test."""

    part: str
    name: str
    seconds: float
    outcome: str  # passed, failed, skipped
    said: str = ""  # of one that failed: what pytest said of it


def results_of(session: Session, report: Path) -> list[Result]:
    """The tests of a session, from its report."""
    if not report.exists():  # pytest itself could not start
        return [Result(session.name, "pytest could not start", 0, "failed")]
    found = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "passed"
        outcome = "skipped" if "skipped" in kinds else outcome
        said = "".join(child.text or "" for child in case if child.tag in {"failure", "error"})
        module = case.get("classname", "").rpartition(".")[2]
        course = session.folder == ROOT / "tests"
        part = PARTS.get(module, "the rest") if course else f"tests of {session.name}"
        name = f"{module}.py::{case.get('name')}"
        found.append(Result(part, name, float(case.get("time", 0)), outcome, said))
    return found


def sessions_for(scope: Scope, soak: bool) -> tuple[list[Session], list[Session]]:
    """The sessions that run side by side, and those that need the machine for themselves."""
    course = ROOT / "tests"
    if soak:
        options = ["-m", "soak"]
        folders = [*([course] if scope.course else []), *(each.folder for each in scope.chapters)]
        return [], [Session(folder, 0, options) for folder in folders]
    beside, alone = ["-m", "not soak and not alone"], ["-m", "alone"]
    chapters = [Session(each.folder, 2, beside) for each in scope.chapters]
    if scope.course:
        return (
            [Session(course, AT_A_TIME, beside), *chapters],
            [Session(course, 0, alone)],
        )
    about = [["--chapter", each.number] for each in scope.chapters]
    return (
        [Session(course, AT_A_TIME, [*beside, *one]) for one in about] + chapters,
        [Session(course, 0, [*alone, *one]) for one in about],
    )


def run_all(beside: Sequence[Session], alone: Sequence[Session]) -> list[Result]:
    """Run the sessions, and show what each said when it has ended."""
    results: list[Result] = []
    turns = Turns(AT_A_TIME)
    os.environ[ADDRESS] = turns.address
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(max(len(beside), 1)) as pool:

        def run(number: int, session: Session) -> tuple[Session, str, list[Result]]:
            report = Path(folder) / f"{number}.xml"
            said = session.run(report)
            return session, said, results_of(session, report)

        def show(session: Session, said: str, found: list[Result]) -> None:
            click.secho(f"\n{session.name} {' '.join(session.options[2:])}".rstrip(), bold=True)
            click.echo(said.strip())
            results.extend(found)

        running = {pool.submit(run, number, session) for number, session in enumerate(beside)}
        begun = time.monotonic()
        with Console().status("") as status:  # nothing, where nobody looks on
            while running:
                minutes, seconds = divmod(int(time.monotonic() - begun), 60)
                status.update(f"{turns.ended} tests are done, after {minutes}:{seconds:02}")
                done, running = wait(running, timeout=1, return_when=FIRST_COMPLETED)
                for each in done:
                    show(*each.result())
            for number, session in enumerate(alone, start=len(beside)):
                status.update(f"{session.name}, one after the other")
                show(*run(number, session))
    turns.close()
    return results


def conclude(results: Sequence[Result], scope: Scope, elapsed: float) -> None:
    """What was proved, and how long each part took."""
    parts: dict[str, list[float]] = defaultdict(list)
    for result in results:
        parts[result.part].append(result.seconds)
    click.secho(f"\nProved: {scope.what}", bold=True)
    for name, times in sorted(parts.items(), key=lambda part: -sum(part[1])):
        click.echo(f"{len(times):6} {name:34} {sum(times):6.0f} s")
    for line in scope.left_out:
        click.echo(f"Left out: {line}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    share = (used.ru_utime + used.ru_stime) / elapsed / (os.cpu_count() or 1)
    click.echo(f"\n{elapsed:.0f} s, in which the tests kept the cores {share:.0%} busy")


def list_failures(results: Sequence[Result]) -> None:
    """What failed, once more: nobody looks for it between what nine sessions said."""
    for result in results:
        if result.outcome == "failed":
            click.secho(f"\nFailed: {result.part}: {result.name}", fg="red", bold=True)
            click.echo("\n".join(result.said.splitlines()[-LAST_WORDS:]))


def list_slowest(number: int) -> None:
    """What took longest in the last run on this machine."""
    if not LAST_RUN.exists():
        raise click.ClickException("No run to look at:  make test")
    results = [Result(**each) for each in json.loads(LAST_RUN.read_text())]
    for result in sorted(results, key=lambda each: -each.seconds)[:number]:
        click.echo(f"{result.seconds:8.1f} s  {result.part}: {result.name}")


@click.command()
@click.argument("chapter", required=False)
@click.option("--soak", is_flag=True, help="Run what takes minutes, and nothing else.")
@click.option("--changed", is_flag=True, help="Run what a change since BASE can break.")
@click.option("--base", default="@{upstream}", show_default=True, help="See --changed.")
@click.option("--slowest", default=0, help="List what took longest in the last run.")
def main(chapter: str | None, soak: bool, changed: bool, base: str, slowest: int) -> None:
    """Prove the whole course, or one CHAPTER."""
    if slowest:
        return list_slowest(slowest)
    try:
        scope = Scope.of_chapter(find(chapter)) if chapter else Scope.whole()
        if changed:
            files = changed_files(base)
            if not files:
                raise click.ClickException(f"Nothing has changed since {base}.")
            scope = scope_of(files)
    except NoChapter as error:
        raise click.ClickException(str(error)) from None
    begun = time.monotonic()
    click.echo(f"Proving {scope.what}. This takes minutes. What a folder says is shown at its end.")
    trap = Trap()
    results = run_all(*sessions_for(scope, soak))
    LAST_RUN.write_text(json.dumps([asdict(result) for result in results]))
    conclude(results, scope, time.monotonic() - begun)
    count = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for result in results:
        count[result.outcome] += 1
    list_failures(results)
    for visitor in trap.visitors:
        click.secho(f"A test connected to port 6379: {visitor}", fg="red")
    click.echo(f"\n{', '.join(f'{number} {what}' for what, number in count.items())}")
    sys.exit(1 if count["failed"] or trap.visitors or not count["passed"] else 0)


if __name__ == "__main__":
    main()
