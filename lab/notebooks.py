"""Notebooks: pictures for those who read them, and the command that makes their outputs again.

    python -m lab.notebooks                          all of `tutorials/`
    python -m lab.notebooks tutorials/01-first-steps.ipynb

A notebook is committed with its outputs, so that it can be read on the web. This command runs it
from top to bottom in a fresh kernel and removes what differs between two runs or two machines.
What is left of the text is the same every time: the tests compare it.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.bench import Bench
from lab.chapters import ROOT
from lab.experiments import cores_are_idle
from lab.timeline import Timeline, figure
from lab.waiting import wait_until

if TYPE_CHECKING:
    from IPython.display import Image

TUTORIALS = ROOT / "tutorials"

# Seconds that one cell may take. The whole notebook needs less on an idle machine; a busy one is
# no error.
LONGEST_CELL = 120

LARGEST_OUTPUT = 200_000  # bytes, as they stand in the file

# What JupyterLab and a kernel would otherwise keep in the home folder.
FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")

# It asks whether it may show news, and asks the network for a newer version.
NOT_NEEDED = {"@jupyterlab/apputils-extension:announcements": True}


class CellFailed(AssertionError):
    """A cell raised an error, took too long, or took its kernel with it."""


# What a notebook shows


def picture(*parts: tuple[str, Timeline]) -> Image:
    """Several timelines above one another, on one axis of time, each with a title.

    The rows have small numbers here, and the name of their worker where there are several. The
    numbers of processes are others each time.
    """
    from IPython.display import Image

    drawn = io.BytesIO()
    picture = figure([(title, with_short_names(timeline)) for title, timeline in parts])
    picture.savefig(drawn, dpi=140, metadata={"Software": None})
    return Image(drawn.getvalue(), width=1000)  # type: ignore[no-untyped-call]


def photo(path: Path) -> Image:
    """A picture file, small enough for a notebook."""
    from IPython.display import Image
    from PIL import Image as Pillow

    drawn = io.BytesIO()
    with Pillow.open(path) as large:
        large.thumbnail((800, 800))
        large.convert("RGB").save(drawn, "JPEG", quality=80)
    return Image(drawn.getvalue())  # type: ignore[no-untyped-call]


def timeline_of(bench: Bench, results: Iterable[Any] = (), timeout: float = 60.0) -> Timeline:
    """Wait for the results of tasks, and return what the bench has seen so far.

    A task that failed is no error here. Raises `TooLate` when one has not ended in time.
    """
    for result in results:
        result.get(timeout=timeout, propagate=False)

    def complete() -> Timeline | None:
        timeline = bench.timeline()
        return None if any(run.ended is None for run in timeline.runs) else timeline

    # A result is there a moment before its task has written down that it has ended.
    return wait_until(complete, "a task has not ended", timeout=timeout)


def only(timeline: Timeline, task: str) -> Timeline:
    """What one task did. `task` is the last part of its name."""
    runs = [run for run in timeline.runs if run.task.rpartition(".")[2] == task]
    ids = {run.id for run in runs}
    sent = {id: times for id, times in timeline.sent.items() if id in ids}
    return replace(timeline, runs=runs, sent=sent)


def with_short_names(timeline: Timeline) -> Timeline:
    """The same timeline, its rows in the order of their workers and named after them."""
    workers = {run.process: run.worker.partition("@")[0] for run in timeline.runs}
    rows = sorted(timeline.processes, key=lambda row: workers.get(row, "~"))
    several = len(set(workers.values())) > 1
    names: dict[str, str] = {}
    for row in rows:
        siblings = [each for each in rows if workers.get(each) == workers.get(row)]
        number = str(siblings.index(row) + 1) if len(siblings) > 1 or not several else ""
        names[row] = f"{number} of {workers.get(row, 'another')}".strip() if several else number
    runs = [replace(run, process=names[run.process]) for run in timeline.runs]
    return replace(timeline, runs=runs, processes=[names[row] for row in rows])


# Running


def run(path: Path, *, longest_cell: int = LONGEST_CELL) -> Any:
    """Run a notebook from top to bottom in a fresh kernel. Return it with its outputs.

    The kernel is the Python that runs this function, whatever kernels are installed, and it works
    in the folder of the notebook. Nothing is written there, and nothing into the home folder.

    Raises `CellFailed`, whose message names the notebook and the heading above the cell.
    """
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    begun = 0

    def note(cell: Any, cell_index: int) -> None:
        nonlocal begun
        begun = cell_index

    with tempfile.TemporaryDirectory(prefix="lab-notebook-") as name:
        folder = Path(name)
        spec = folder / "kernels" / "python3"
        spec.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        command += ["--log-level=ERROR"]  # of plain TCP on the loopback interface it warns
        (spec / "kernel.json").write_text(
            json.dumps({"argv": command, "display_name": "Python 3", "language": "python"})
        )
        kernel = AsyncKernelManager(
            kernel_spec_manager=KernelSpecManager(
                kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False
            ),
            connection_file=str(folder / "connection.json"),
            transport="ipc",  # files in this folder: of two that take free ports at once, one fails
        )
        client = NotebookClient(
            notebook,
            km=kernel,
            kernel_name="python3",
            timeout=longest_cell,
            shutdown_kernel="immediate",  # asked politely, it stumbles over its own sockets
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_start=note,
        )
        try:
            client.execute(
                cleanup_kc=True,
                env={**os.environ, **{each: str(folder / each) for each in FOLDERS}},
            )
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            said = re.sub(r"\x1b\[[\d;]*m", "", str(error))  # without the colours
            raise CellFailed(
                f'{path.name}, under the heading "{heading_above(notebook, begun)}": {said}'
            ) from None
    return notebook


def heading_above(notebook: Any, index: int) -> str:
    """The last heading in the text before a cell."""
    texts = (cell.source for cell in notebook.cells[:index] if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.+)$", "\n".join(texts), re.M)
    return headings[-1] if headings else "(none)"


# Scrubbing

# What is found, and what stands there afterwards. No replacement is found again.
DIFFERENT_EACH_TIME: Sequence[tuple[str, str]] = (
    (r"\bgen\d+@[\w.-]+", "gen...@..."),  # how Celery names a sender: its process and its host
    (rf"@{re.escape(socket.gethostname())}\b", "@..."),
    (r"\b(pid|process)([ =:]+)\d{3,}", r"\1\2..."),
    (r"\b(127\.0\.0\.1|localhost):\d{4,5}", r"\1:..."),
    (r"(?<![\w.:/<])/(?:[\w.+~-]+/)+([\w.+~-]+)", r".../\1"),  # a path from the root: its end
    (r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:[.,]\d+)?", r"YYYY-MM-DD\1HH:MM:SS"),
    (r"\b\d+(?:\.\d+)? (s|ms|seconds)\b", r"... \1"),
    (r"\b\d+\.\d+(s|ms)\b", r"...\1"),
    (r"\b0x[0-9a-f]{6,}", "0x..."),
)
UUID = r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"


def scrub(notebook: Any) -> Any:
    """A copy of a notebook without what differs between two runs or two machines.

    Ids of tasks become numbers in the order in which they appear: one can still see where the same
    id comes again. To scrub twice changes nothing. Pictures stay as they are.
    """
    import copy

    clean = copy.deepcopy(notebook)
    clean.metadata = type(notebook)(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    replacement = scrubber()
    for cell in clean.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = replacement(output.text)
            for kind, value in output.get("data", {}).items():
                if kind.startswith("text/") and isinstance(value, str):
                    output.data[kind] = replacement(value)
    return clean


def scrubber() -> Callable[[str], str]:
    """A function that scrubs one text after another, and remembers the ids it has met."""
    met: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        return met.setdefault(match[0], f"00000000-0000-0000-0000-{len(met) + 1:012}")

    def replacement(text: str) -> str:
        for pattern, instead in DIFFERENT_EACH_TIME:
            text = re.sub(pattern, instead, text)
        return re.sub(UUID, numbered, text)

    return replacement


# Making the outputs again


def regenerate(path: Path) -> str:
    """Run a notebook and write it back, scrubbed. Return a sentence on it."""
    import nbformat

    begun = time.monotonic()
    notebook = scrub(run(path))
    unfinished = path.with_suffix(".part")
    nbformat.write(notebook, unfinished)  # type: ignore[no-untyped-call]
    unfinished.replace(path)
    seconds, size = time.monotonic() - begun, path.stat().st_size // 1000
    return f"{seconds:.0f} s, {size} KB, the largest output {largest_output(notebook) // 1000} KB"


def largest_output(notebook: Any) -> int:
    """The size of the largest output, in bytes as they stand in the file."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return max((len(json.dumps(output)) for output in outputs), default=0)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(paths: tuple[Path, ...]) -> None:
    """Make the outputs of notebooks again: of PATHS, or of all in `tutorials/`."""
    if not cores_are_idle():
        click.echo("This machine is busy, and the pictures will show it. Look at them twice.")
    for path in paths or sorted(TUTORIALS.glob("*.ipynb")):
        click.echo(f"{path.name} ... ", nl=False)
        click.echo(regenerate(path))


# `lab notebook`


def run_jupyter(port: int | None, browser: bool) -> None:
    """Become JupyterLab, opened at `tutorials/`, on the loopback interface, until Ctrl-C.

    The whole course can be reached from there: notebooks link to lessons and experiments.
    This process becomes the server: every signal reaches it, and nothing of us is left between.
    Its settings lie in `.venv`.

    Raises `click.ClickException` when JupyterLab is not installed, or the port is taken.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise click.ClickException(
            "JupyterLab is not installed. `make test` installs it, and so does this, in the "
            "folder of the course:  python3 bootstrap.py test"
        )
    with socket.socket() as probe:
        # A server that has ended leaves its port half closed for a minute. That is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port or 0))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} cannot be used ({error.strerror}). Take a free one:  lab notebook"
            ) from None
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    settings = {each: str(Path(sys.prefix) / "var" / each.lower()) for each in FOLDERS}
    labconfig = Path(settings["JUPYTER_CONFIG_DIR"]) / "labconfig"
    labconfig.mkdir(parents=True, exist_ok=True)
    (labconfig / "page_config.json").write_text(json.dumps({"disabledExtensions": NOT_NEEDED}))
    command = [
        *(sys.executable, "-m", "jupyterlab", str(ROOT)),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *("-y", "--allow-root"),  # Ctrl-C asks nothing; in a container everybody is root
        *("--ServerApp.log_level=WARN", "--LabApp.log_level=WARN"),
        *(
            f"--ServerApp.open_browser={browser}",
            f"--LabApp.default_url=/lab/tree/{TUTORIALS.name}",
        ),
        "--LanguageServerManager.autodetect=False",  # it would call npm, which writes to HOME
    ]
    address = f"http://127.0.0.1:{port}/lab/tree/{TUTORIALS.name}?token={token}"
    click.echo(f"JupyterLab starts at {address}\nCtrl-C stops it.")
    sys.stdout.flush()
    os.execve(sys.executable, command, {**os.environ, **settings, "JUPYTER_TOKEN": token})


if __name__ == "__main__":
    main()
