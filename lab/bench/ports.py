"""Ports of the loopback interface."""

from __future__ import annotations

import socket

# Ports that this process has given away. Each stays bound, and nobody listens: until the program
# it was meant for listens there, the system gives it to nobody else, and refuses who connects.
_held: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody uses, and that stays free until a program of ours listens there.

    To bind, to close and to hope is a race: between the closing and the next binding somebody
    else may be given the port. So this process goes on holding it, and only a program that asks
    for this very number can share it: each server that sets `SO_REUSEADDR`, as all do that can be
    restarted at once. (Linux. Elsewhere the port cannot be shared, and is let go.)
    """
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    # After the binding: before it, the system might choose a port that another one holds so.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if can_be_shared(port):
        _held.append(holder)
    else:
        holder.close()
    return port


def can_be_shared(port: int) -> bool:
    """Whether a server could listen on the port although we hold it."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
