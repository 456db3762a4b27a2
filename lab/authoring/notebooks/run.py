"""Runs a notebook, and writes its outputs again.

A notebook is committed with its outputs, so that it can be read on the web. `regenerate` runs it
from top to bottom in a fresh kernel and removes what differs between two runs or two machines.
What is left of the text is the same every time: the tests compare it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lab.authoring.notebooks.scrub import scrub

# Seconds that one cell may take. The whole notebook needs less on an idle machine; a busy one is
# no error.
LONGEST_CELL = 400

LARGEST_OUTPUT = 200_000  # bytes, as they stand in the file

# What JupyterLab and a kernel would otherwise keep in the home folder.
FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


class CellFailed(AssertionError):
    """A cell raised an error, took too long, or took its kernel with it."""


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
            startup_timeout=300,
            iopub_timeout=longest_cell,  # what a cell printed may come after its reply
            raise_on_iopub_timeout=True,
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
