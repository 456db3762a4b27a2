"""Create .venv and install what the course needs:  python3 bootstrap.py demo|test

`make` calls this before everything. When .venv has what is asked for, it does nothing and needs
no network. It has to run on any Python, to be able to say that one is too old: no new syntax.

All packages come from uv.lock, installed by uv. Where there is no uv, pip fetches it into .uv.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
GROUPS = {
    "demo": ["--no-default-groups"],
    "test": ["--all-groups", "--all-extras"],
}
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "installed.txt")


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else "demo"
    if sys.version_info < OLDEST:
        sys.exit(
            "This course needs Python 3.11 or later, and %s is Python %s. If a newer one is "
            "installed, name it:  make %s PYTHON=python3.12"
            % (sys.executable, sys.version.split()[0], wanted)
        )
    installed, lock = read_stamp()
    if lock == fingerprint() and wanted in (installed, "demo"):
        return
    if installed == "test":
        wanted = "test"  # never take away what was there
    what = "chapter 01 and the demo need" if wanted == "demo" else "all chapters and tests need"
    print("Installing what %s into .venv (once) ..." % what)
    sys.stdout.flush()
    command = [find_uv(wanted), "sync", "--locked", "--quiet", "--compile-bytecode"]
    command += ["--python", sys.executable] + GROUPS[wanted]
    environment = dict(os.environ, UV_PROJECT_ENVIRONMENT=VENV, UV_PYTHON_DOWNLOADS="never")
    environment.pop("VIRTUAL_ENV", None)
    if subprocess.call(command, cwd=ROOT, env=environment) != 0:
        sys.exit("The installation failed: the reason stands above. Fix it and run it again.")
    with open(STAMP, "w") as stamp:
        stamp.write("%s\n%s\n" % (wanted, fingerprint()))


def fingerprint():
    """What the installation depends on."""
    import hashlib

    with open(os.path.join(ROOT, "uv.lock"), "rb") as lock:
        return hashlib.sha256(lock.read()).hexdigest()


def read_stamp():
    try:
        with open(STAMP) as stamp:
            installed, lock = stamp.read().split()
            return installed, lock
    except (OSError, ValueError):
        return None, None


def find_uv(wanted):
    """The program uv: from the PATH, or fetched by pip into .uv, which nothing else uses."""
    import importlib.util
    import shutil

    folder = os.path.join(ROOT, ".uv")
    uv = shutil.which("uv") or shutil.which("uv", path=os.path.join(folder, "bin"))
    if uv:
        return uv
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "uv"]
    elif importlib.util.find_spec("ensurepip"):
        if subprocess.call([sys.executable, "-m", "venv", folder]) != 0:
            sys.exit("Python could not create a virtual environment: the reason stands above.")
        pip = [os.path.join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", "uv"]
    else:
        sys.exit(
            "This Python has neither pip nor ensurepip, and uv is not installed. Install one of "
            "them (Debian, Ubuntu: sudo apt install python3-venv) and run make %s again." % wanted
        )
    if subprocess.call(pip) != 0:
        sys.exit("pip could not fetch uv: the reason stands above. Fix it and run it again.")
    return os.path.join(folder, "bin", "uv")


if __name__ == "__main__":
    main()
