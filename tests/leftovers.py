"""What a bench left behind, found from the outside, and programs that hear every signal."""

import signal
import subprocess
import sys
from pathlib import Path


def still_there(text: Path | str) -> list[str]:
    """The command lines of processes that have `text` in their environment or working folder.

    Every process of a bench has the bench's folder there.
    """
    if sys.platform == "darwin":
        listing = subprocess.run(["ps", "-A", "-E", "-o", "command="], capture_output=True)
        lines = listing.stdout.decode(errors="replace").splitlines()
        return [line for line in lines if str(text) in line]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_text(errors="replace")
            if str(text) in f"{environment} {(process / 'cwd').readlink()}":
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
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
