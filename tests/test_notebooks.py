"""The notebooks run, print what is committed, and can be opened: `tutorials/`, `lab notebook`."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lab.authoring.notebooks.run import LARGEST_OUTPUT, CellFailed, largest_output, run
from lab.authoring.notebooks.scrub import scrub
from lab.bench import wait_until
from lab.chapters import ROOT, TUTORIALS
from tests.leftovers import gone, hears_signals, still_there

NOTEBOOKS = sorted(TUTORIALS.glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


class Node(dict):
    """A part of a notebook, as nbformat gives it: `cell.source` is `cell["source"]`."""

    __setattr__ = dict.__setitem__

    def __getattr__(self, name):
        if name in self:
            return self[name]
        raise AttributeError(name)


def read(path):
    """A notebook. To import nbformat takes seconds, in every process that has tests of these."""

    def node(pairs):
        def joined(value):
            texts = isinstance(value, list) and value and isinstance(value[0], str)
            return "".join(value) if texts else value

        return Node((name, joined(value)) for name, value in pairs)

    return json.loads(path.read_text(), object_pairs_hook=node)


def texts(notebook):
    """What each cell prints or shows as text: {id of the cell: text}."""
    return {
        cell.id: "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "")
            for output in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def write(path, *sources, **of_the_first_code_cell):
    """Write a notebook: a heading, then a cell of code for each source."""
    import nbformat

    new = nbformat.v4
    cells = [new.new_code_cell(source) for source in sources]
    for name, value in of_the_first_code_cell.items():
        cells[0][name] = value
    notebook = new.new_notebook(cells=[new.new_markdown_cell("# Count the photos"), *cells])
    nbformat.write(notebook, path)
    return path


# Every notebook of the course


@pytest.mark.takes(60)
@each_notebook
def test_a_notebook_runs_and_prints_what_is_committed(path, tmp_path, monkeypatch):
    import matplotlib

    fonts = matplotlib.get_cachedir()  # every program of the course keeps these at home
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MPLCONFIGDIR", fonts)
    before = {file: file.stat().st_mtime_ns for file in TUTORIALS.iterdir() if file.is_file()}

    notebook = scrub(run(path))

    committed, now = texts(read(path)), texts(notebook)
    for cell, text in now.items():
        assert text == committed[cell], f"{path.name}: the outputs are old. Type: make notebooks"
    assert largest_output(notebook) <= LARGEST_OUTPUT
    after = {file: file.stat().st_mtime_ns for file in TUTORIALS.iterdir() if file.is_file()}
    assert before == after, "a notebook writes beside itself"
    assert not list(home.iterdir()), "a notebook writes into the home folder"


@each_notebook
def test_a_committed_notebook_has_the_outputs_of_one_clean_run(path):
    notebook = read(path)
    assert scrub(notebook) == notebook, f"{path.name} is not scrubbed. Type: make notebooks"
    assert largest_output(notebook) <= LARGEST_OUTPUT
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        shows = re.search(r"^(print|picture|photo)\(|^ {4}print\(", cell.source, re.M)
        assert cell.outputs or not shows, f"{path.name}: no output below\n{cell.source}"
        for output in cell.outputs:
            assert output.output_type in ("stream", "display_data", "execute_result"), output
            assert output.get("name") != "stderr", output.text


@each_notebook
def test_what_a_committed_notebook_prints_names_no_machine(path):
    said = "\n".join(texts(read(path)).values())
    assert not re.search(r"(?<![.\w])/(home|root|tmp|var|Users|private|work)/", said), said
    assert not re.search(r"gen\d|@[\w-]*\w\b|pid \d|process \d{3,}", said), said
    assert str(Path.home()) not in said


@each_notebook
def test_a_notebook_defines_no_task(path):
    """A worker imports modules. It cannot import a cell."""
    for cell in read(path).cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                for decorator in getattr(node, "decorator_list", []):
                    words = ast.unparse(decorator)
                    assert not re.search(r"\.task\b|shared_task", words), f"{path.name}: @{words}"


def test_what_a_notebook_needs_lies_in_a_folder_named_after_it():
    """`helpers/first_steps/` belongs to 01-first-steps.ipynb: its tasks, drawings and programs."""
    owners = {path.stem[3:].replace("-", "_") for path in NOTEBOOKS}
    modules = [file.relative_to(TUTORIALS) for file in TUTORIALS.rglob("*.py")]
    strangers = [
        str(file)
        for file in modules
        if file.parts[0] != "helpers" or len(file.parts) != 3 or file.parts[1] not in owners
    ]
    assert not strangers, f"move to helpers/NOTEBOOK/, named without its number: {strangers}"


@each_notebook
def test_a_notebook_links_to_what_is_there(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", cell.source):
                assert (path.parent / target).exists(), f"{path.name} links to {target}"


# The machinery


def test_a_cell_that_raises_is_named_with_its_notebook_and_its_heading(tmp_path):
    path = write(tmp_path / "07-broken.ipynb", "photos = 49", "photos / 0", "photos")
    with pytest.raises(CellFailed) as caught:
        run(path)
    assert str(caught.value).startswith('07-broken.ipynb, under the heading "Count the photos": ')
    assert "ZeroDivisionError: division by zero" in str(caught.value)


@pytest.mark.takes(60)
def test_a_cell_that_never_ends_is_stopped_and_leaves_nothing(tmp_path):
    begin = (
        "import pathlib, time",
        "from lab import Bench",
        "bench = Bench('01-first-steps').start()",
        f"pathlib.Path({str(tmp_path)!r}, 'bench').write_text(str(bench.folder))",
    )
    path = write(tmp_path / "08-endless.ipynb", "\n".join(begin), "time.sleep(1000)")
    with pytest.raises(CellFailed, match=r"08-endless\.ipynb"):
        run(path, longest_cell=60)
    folder = Path((tmp_path / "bench").read_text())
    wait_until(lambda: gone(folder), "the bench of a stopped notebook lives on")


def test_the_kernel_is_this_python_in_the_folder_of_the_notebook(tmp_path):
    path = write(
        tmp_path / "09-where.ipynb",
        "import os, sys\nprint(sys.executable, os.getcwd(), os.environ['IPYTHONDIR'])",
    )
    python, folder, ipython = run(path).cells[1].outputs[0].text.split()
    assert (python, folder) == (sys.executable, str(tmp_path))
    assert not Path(ipython).is_relative_to(Path.home())
    wait_until(lambda: gone(Path(ipython)), "the kernel or its folder lives on")


def test_scrubbing_takes_away_what_differs_and_leaves_what_does_not(tmp_path):
    import socket

    one, other = "8b4f1f0e-5b1c-4c55-9a4e-2f3a1f0c9d11", "0c7d3a52-17a1-4a3b-8a53-9b8f5d0e6c22"
    printed = f"""\
id {one}, then {other}, then {one} again
origin gen4711@{socket.gethostname()}, worker1@{socket.gethostname()}
pool process 4711, pid 4711, pool process 2
redis://127.0.0.1:46379/0 and /tmp/lab-0123/photos/bay-008.jpg and {ROOT}/01-first-steps
[2026-01-02 03:04:05,678: INFO] 2026-01-02T03:04:05.678901+00:00
succeeded in 0.0123s: 8; it took 3.2 s for 12 tasks
<Thing at 0x7f00aa11bb22>
"""
    clean = """\
id {1}, then {2}, then {1} again
origin gen...@..., worker1@...
pool process ..., pid ..., pool process 2
redis://127.0.0.1:.../0 and .../bay-008.jpg and .../01-first-steps
[YYYY-MM-DD HH:MM:SS: INFO] YYYY-MM-DDTHH:MM:SS+00:00
succeeded in ...s: 8; it took ... s for 12 tasks
<Thing at 0x...>
""".replace("{1}", "00000000-0000-0000-0000-000000000001").replace(
        "{2}", "00000000-0000-0000-0000-000000000002"
    )
    import nbformat

    output = nbformat.v4.new_output("stream", text=printed)
    notebook = read(write(tmp_path / "10.ipynb", "1", outputs=[output], execution_count=1))
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-02"}
    scrubbed = scrub(notebook)
    assert scrubbed.cells[1].outputs[0].text == clean
    assert scrubbed.cells[1].metadata == {}
    assert scrubbed.cells[1].id == notebook.cells[1].id
    assert notebook.cells[1].outputs[0].text == printed, "the notebook itself was changed"
    assert scrub(scrubbed) == scrubbed


def test_make_notebooks_writes_the_outputs_back(tmp_path):
    path = write(tmp_path / "11-old.ipynb", "print('49 photos')")
    command = [sys.executable, "-m", "lab.authoring.notebooks", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^11-old.ipynb \.\.\. \d+ s, \d+ KB", done.stdout, re.M)
    assert done.stderr == ""
    assert list(texts(read(path)).values()) == ["49 photos\n"]
    assert [file.name for file in tmp_path.iterdir()] == ["11-old.ipynb"]


# `lab notebook`

LAB = [sys.executable, "-m", "lab.cli", "notebook", "--no-browser"]


def test_lab_notebook_serves_the_notebooks_until_ctrl_c(tmp_path):
    mark = f"notebook-{tmp_path.name}-{os.getpid()}"
    environment = {**os.environ, "HOME": str(tmp_path), "LAB_TEST_MARK": mark}
    with subprocess.Popen(
        LAB,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        preexec_fn=hears_signals,
    ) as jupyter:
        try:
            said = jupyter.stdout.readline()
            address = re.fullmatch(r"JupyterLab starts at (http://127.0.0.1:\d+/.+)\n", said)[1]
            assert jupyter.stdout.readline() == "Ctrl-C stops it.\n"
            page = wait_until(lambda: answer(address), "JupyterLab did not answer", timeout=240)
            assert b"<title>JupyterLab</title>" in page
            listing = json.loads(answer(contents(address)))
            assert "01-first-steps.ipynb" in [entry["name"] for entry in listing["content"]]
            guessed = re.sub("token=.*", "token=guessed", contents(address))
            with pytest.raises(urllib.error.HTTPError, match="403"):
                answer(guessed)
            jupyter.send_signal(signal.SIGINT)
            assert jupyter.wait(timeout=60) == 0
        finally:
            jupyter.kill()
        said = jupyter.stdout.read()
        assert not [line for line in said.splitlines() if not re.search("403|Forbidden", line)], (
            said
        )
    assert not still_there(mark)
    assert not list(tmp_path.iterdir()), "JupyterLab writes into the home folder"


def answer(address):
    """The page at an address, or None while nobody answers there."""
    try:
        with urllib.request.urlopen(address, timeout=60) as page:
            return page.read()
    except urllib.error.HTTPError:
        raise
    except OSError:
        return None


def contents(address):
    """The address at which JupyterLab lists the folder of an address."""
    return address.replace("/lab/tree/", "/api/contents/")


def test_lab_notebook_names_a_port_that_is_taken():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = subprocess.run([*LAB, "--port", port], capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: Port {port} cannot be used")
    assert len(refused.stderr.splitlines()) == 1


def test_without_jupyterlab_lab_notebook_says_what_to_type():
    script = (
        "import importlib.util as util, sys; found = util.find_spec; "
        "util.find_spec = lambda name: None if name == 'jupyterlab' else found(name); "
        "from lab.cli import main; main(['notebook'])"
    )
    refused = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: JupyterLab is not installed. `make test` installs it")
    assert refused.stderr.endswith("python3 bootstrap.py test\n")
