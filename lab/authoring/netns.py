"""Run a command with a loopback interface of its own, where every port is free (Linux only):

    python -m lab.authoring.netns celery -A tasks worker

A page says port 6379 and means it. In a network namespace of its own that port is nobody else's.
This needs no root: the namespace belongs to a user namespace of the same user. Some systems
forbid those; `available` tells.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

# From <sched.h>, <linux/sockios.h> and <net/if.h>.
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40


@cache
def available() -> bool:
    """Whether this system lets an ordinary user have a network of their own."""
    if not sys.platform.startswith("linux"):
        return False
    probe = [sys.executable, "-m", "lab.authoring.netns", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def enter() -> None:
    """Leave the machine's network for a new one. Raises `OSError` where that is forbidden."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "this system allows no network namespaces")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        request = struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(anything, SIOCSIFFLAGS, request)


if __name__ == "__main__":
    enter()
    os.execvp(sys.argv[1], sys.argv[1:])  # becoming that command is the purpose
