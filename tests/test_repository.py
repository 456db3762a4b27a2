"""What must hold for the repository: who imports whom, what it requires, how it is set up."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.chapters import ROOT, all_chapters

CHAPTERS = [chapter.folder for chapter in all_chapters()]


def imports_of(file: Path) -> set[str]:
    """The top-level names that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def requirements_of(file: Path) -> dict[str, str]:
    """Names and bounds: {"celery[redis]": ">=5.7,<5.8"}."""
    lines = filter(None, (line.partition("#")[0].strip() for line in file.read_text().splitlines()))
    found = (re.fullmatch(r"([\w\[\],.-]+?)\s*([<>=!~].*)?", line) for line in lines)
    return {match[1]: match[2] or "" for match in found}


REQUIREMENTS = sorted(ROOT.glob("*/requirements.txt"))


def test_celery_comes_with_redis_and_with_one_bound_everywhere():
    """Without the extra, `import kombu.transport.redis` fails for want of `packaging`."""
    bounds = {}
    for file in REQUIREMENTS:
        for name, bound in requirements_of(file).items():
            if name.startswith("celery") and "-" not in name:
                bounds[file.parent.name] = (name, bound)
    assert set(bounds.values()) == {("celery[redis]", ">=5.7,<5.8")}, bounds
    assert set(bounds) == {file.parent.name for file in REQUIREMENTS}
    assert set(bounds) >= {"lab", *(folder.name for folder in CHAPTERS)}


def test_pyproject_reads_the_requirements_of_every_chapter():
    pyproject = (ROOT / "pyproject.toml").read_text()
    for file in REQUIREMENTS:
        assert f'"{file.relative_to(ROOT)}"' in pyproject, f"pyproject.toml does not read {file}"


# What a requirement is called in an import, where that differs, and what it brings along.
IMPORTED_AS = {
    "celery": {"kombu", "redis"},  # celery[redis]
    "celery-redbeat": {"redbeat"},
    "flask": {"werkzeug"},
    "pillow": {"PIL"},
}


@pytest.mark.parametrize("folder", CHAPTERS, ids=lambda folder: folder.name)
def test_an_example_imports_its_own_folder_and_its_requirements_only(folder):
    own = {file.stem for file in folder.glob("*.py")} | {
        package.parent.name for package in folder.glob("*/__init__.py")
    }
    allowed = own | set(sys.stdlib_module_names)
    for requirement in requirements_of(folder / "requirements.txt"):
        name = requirement.partition("[")[0]
        allowed |= {name.replace("-", "_"), *IMPORTED_AS.get(name, ())}
    apart = {"errors", "experiments", "exercises", "solutions", "tests"}
    for file in folder.rglob("*.py"):
        if not apart & set(file.relative_to(folder).parts):
            strangers = imports_of(file) - allowed
            assert not strangers, f"{file.relative_to(ROOT)} imports {', '.join(strangers)}"


@pytest.mark.parametrize("folder", CHAPTERS, ids=lambda folder: folder.name)
def test_no_chapter_imports_another(folder):
    own = {file.stem for file in folder.rglob("*.py")} | {path.name for path in folder.iterdir()}
    for other in CHAPTERS:
        theirs = {file.stem for file in other.glob("*.py")}
        theirs |= {package.parent.name for package in other.glob("*/__init__.py")}
        for file in folder.rglob("*.py"):
            strangers = imports_of(file) & (theirs - own)
            assert not strangers, f"{file.relative_to(ROOT)} imports {strangers} of {other.name}"


def test_lab_imports_no_chapter():
    modules = {file.stem for folder in CHAPTERS for file in folder.glob("*.py")}
    modules |= {file.parent.name for folder in CHAPTERS for file in folder.glob("*/__init__.py")}
    for file in (ROOT / "lab").rglob("*.py"):
        assert not imports_of(file) & modules, file


def test_nothing_that_a_program_leaves_behind_is_in_git():
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("this is not a git checkout")
    litter = re.compile(
        r"(celerybeat-schedule|\.log|\.pid|\.rdb|\.aof|\.pyc|\.part|__pycache__|\.ipynb_checkpoints)"
    )
    assert not [name for name in listing.stdout.splitlines() if litter.search(name)]


# The set-up


def bootstrap(folder: Path, *before: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run bootstrap.py in a folder of its own, with something changed in Python before."""
    (folder / "bootstrap.py").write_text((ROOT / "bootstrap.py").read_text())
    (folder / "uv.lock").write_text("a lock")
    script = "; ".join(["import runpy, sys", *before, "sys.argv[:] = ['bootstrap.py', 'demo']"])
    script += "; runpy.run_path('bootstrap.py', run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": "/nowhere", **env},
    )


def test_a_python_that_is_too_old_is_refused_in_one_sentence(tmp_path):
    refused = bootstrap(tmp_path, "sys.version_info = (3, 10, 9)")
    assert refused.returncode == 1
    assert refused.stderr.startswith("This course needs Python 3.11 or later, and ")
    assert len(refused.stderr.splitlines()) == 1


def test_the_set_up_can_be_read_by_pythons_that_are_too_old():
    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 4))


def test_without_uv_pip_and_ensurepip_the_set_up_says_what_to_install(tmp_path):
    refused = bootstrap(
        tmp_path, "import importlib.util", "importlib.util.find_spec = lambda name: None"
    )
    assert refused.returncode == 1
    assert "neither pip nor ensurepip, and uv is not installed" in refused.stderr
    assert "sudo apt install python3-venv" in refused.stderr


@pytest.mark.parametrize("installed", ["demo", "test"])
def test_what_is_installed_is_not_installed_again(tmp_path, installed):
    """There is no uv on the PATH here, and no network is asked for."""
    import hashlib

    (tmp_path / ".venv").mkdir()
    digest = hashlib.sha256(b"a lock").hexdigest()
    (tmp_path / ".venv" / "installed.txt").write_text(f"{installed}\n{digest}\n")
    done = bootstrap(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_plain_pytest_at_the_root_says_what_to_type():
    refused = subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=ROOT, capture_output=True, text=True
    )
    assert refused.returncode == 4
    assert "Each chapter is a test run of its own" in refused.stderr


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake (\w+)", (ROOT / "README.md").read_text()))
    assert named - {"and", "sure"} <= targets, named - targets


@pytest.mark.soak
def test_chapter_01_works_alone_with_its_own_requirements(tmp_path):
    """Copied out of the repository, in a fresh environment, on a Redis."""
    import shutil

    from lab import Bench

    chapter = tmp_path / "copy"
    shutil.copytree(ROOT / "01-first-steps", chapter, ignore=shutil.ignore_patterns("tests"))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "-r", chapter / "requirements.txt"]
    subprocess.run(pip, check=True)
    with Bench(chapter) as bench:
        alone = {"CELERY_LOADER": None, "PYTHONPATH": None}
        words = [
            "-m",
            "celery",
            "-A",
            "contact_sheet",
            "worker",
            "--loglevel",
            "INFO",
            "--concurrency",
            "2",
        ]
        bench.process("worker", [python, *words], env=alone, ready=" ready.")
        sample = bench.run([python, "given/sample_photos.py", tmp_path / "photos", "--count", "9"])
        assert sample.returncode == 0, sample.log()
        out = tmp_path / "sheet.jpg"
        job = bench.run([python, "make_sheet.py", tmp_path / "photos", "--out", out], env=alone)
        assert "9 of 9 photos" in job.log(), job.log()


def test_words_that_nobody_says_or_that_make_a_reader_feel_slow_stand_nowhere():
    words = re.compile(r"\b(simply|obviously|shall|anew|mend(s|ed|ing)?)\b", re.IGNORECASE)
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]  # new ones too
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    texts = [name for name in listed.split() if name.endswith((".py", ".md", ".ipynb", ".html"))]
    assert len(texts) > 300
    found = []
    for name in texts:
        if name != "tests/test_repository.py" and (ROOT / name).exists():
            found += [f"{name}: {each[0]}" for each in words.finditer((ROOT / name).read_text())]
    assert found == []
