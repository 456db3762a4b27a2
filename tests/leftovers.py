"""What a bench left behind, found from the outside, and programs that hear every signal."""

import signal
from pathlib import Path

import psutil


def still_there(text: Path | str) -> list[str]:
    """The command lines of processes that have `text` in their environment or working folder.

    Every process of a bench has the bench's folder there.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if str(text) in f"{process.environ()} {process.cwd()}":
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue  # it has ended, or it is somebody else's
    return found


def gone(folder: Path) -> bool:
    """Whether neither the folder of a bench nor a process of it is left."""
    return not folder.exists() and not still_there(folder)


def hears_signals() -> None:
    """For `preexec_fn` of `subprocess.Popen`: the program hears what a test sends to it.

    Tests that were started with `nohup`, or in the background, ignore SIGHUP or SIGINT, and what
    they start would inherit that.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
