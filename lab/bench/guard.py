"""Ends everything a bench started when the bench ends, however it ends.

A bench starts this program first and holds the other end of its standard input. Each line that
arrives there is one of

    group 1234        the process group 1234 belongs to the bench
    ended 1234        it is gone: its number may belong to somebody else from now on
    folder /tmp/...   the folder belongs to the bench

The input ends when the bench closes it, and the kernel closes it when the process of the bench
dies, be it of SIGKILL. Then every group is killed and the folder is removed.

Standard library only: it runs with ``python -I -S``, so that it starts in a few milliseconds.
"""

import os
import shutil
import signal
import sys
import time

groups: set[int] = set()
folders: set[str] = set()

for line in sys.stdin:
    word, _, rest = line.rstrip("\n").partition(" ")
    if word == "group":
        groups.add(int(rest))
    elif word == "ended":
        groups.discard(int(rest))
    elif word == "folder":
        folders.add(rest)

for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except (
        ProcessLookupError,
        PermissionError,
    ):  # macOS says "not permitted" of a group of zombies
        pass

deadline = time.monotonic() + 30
for folder in folders:
    # A process that is dying may still create a file while its folder is being removed.
    while os.path.exists(folder) and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
