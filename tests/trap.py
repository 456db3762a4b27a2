"""A trap on a learner's Redis port: no test may ever touch it."""

import socket
import threading

import click


class Trap:
    """Listens on a learner's Redis port and counts who comes."""

    def __init__(self, port: int = 6379):
        self.visitors: list[str] = []
        self.sockets: list[socket.socket] = []
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError as error:
                if host == "127.0.0.1":
                    raise click.ClickException(
                        f"Port {port} is taken ({error.strerror}). The tests keep it to themselves "
                        "to prove that they never touch a Redis of yours: stop what runs there "
                        "(`lab broker`, perhaps) and try again."
                    ) from None
                continue  # this machine has no IPv6
            listener.listen()
            self.sockets.append(listener)
            threading.Thread(target=self.wait, args=[listener], daemon=True).start()

    def wait(self, listener: socket.socket) -> None:
        while True:
            connection, address = listener.accept()
            connection.settimeout(1)
            try:
                said = connection.recv(200)
            except OSError:
                said = b""
            self.visitors.append(f"{address} said {said!r}")
            connection.close()
