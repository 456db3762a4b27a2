"""Given: a mail server for your desk. It takes every mail, sends none on, and prints what it takes.

python mailserver.py                     as a well-behaved server
python mailserver.py --later 0.1         says "later" to a tenth of the addresses, the first time

The shares are of addresses: the same address is always treated alike. Each behaves so once.
"""

import asyncio
import json
import sys
import time
import zlib
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import click
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"


class Server:
    """Answers an SMTP client. `taken` counts the mails."""

    def __init__(
        self, later: float, drop: float, swallow: float, delay: float, ledger: Path | None
    ):
        self.shares = {"later": later, "drop": drop, "swallow": swallow}
        self.delay = delay
        self.ledger = ledger
        self.taken = 0
        self.treated: set[str] = set()

    def must(self, name: str, address: str) -> bool:
        """Whether this address is one of the share, and comes for the first time."""
        where = zlib.crc32(address.encode()) % 10_000 / 10_000
        low = 0.0
        for each, share in self.shares.items():
            if each == name:
                chosen = low <= where < low + share and address not in self.treated
                self.treated |= {address} if chosen else set()
                return chosen
            low += share
        return False

    async def handle_RCPT(self, server, session: Session, envelope: Envelope, address: str, _):
        if address.startswith("nobody"):
            return "550 5.1.1 there is nobody with this name"
        if self.must("later", address):
            return "451 4.3.2 too busy, try again later"
        if self.must("drop", address):
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session: Session, envelope: Envelope):
        await asyncio.sleep(self.delay)
        [address] = envelope.rcpt_tos
        self.taken += 1
        if self.ledger:
            line = {"at": time.time(), "to": address, "mail": envelope.content.decode()}
            with self.ledger.open("a") as file:
                print(json.dumps(line), file=file)
        subject = message_from_bytes(envelope.content, policy=default)["Subject"]
        print(f"{self.taken:5} {address}  {subject}", flush=True)
        if self.must("swallow", address):
            server.transport.abort()  # taken, and the sender will never know
        return "250 taken"


@click.command()
@click.option("--port", default=8025)
@click.option("--later", default=0.0, help='The share to which it says "later", once.')
@click.option("--drop", default=0.0, help="The share whose connection breaks before the mail.")
@click.option("--swallow", default=0.0, help="The share whose connection breaks after the mail.")
@click.option("--delay", default=0.0, help="Seconds it thinks about each mail.")
@click.option("--ledger", type=Path, help="A file: a line of JSON for each mail it has taken.")
def serve(port: int, **behaviour) -> None:
    """Take mail on 127.0.0.1 until Ctrl-C."""
    server = Server(**behaviour)

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: SMTP(server, hostname="mail.example"), HOST, port)
        print(f"Taking mail at {HOST}:{port}. Ctrl-C stops it.", flush=True)
        await asyncio.Event().wait()

    try:
        asyncio.run(listen())
    except OSError as error:
        sys.exit(f"Port {port} is taken ({error.strerror}). Choose another one with --port.")
    except KeyboardInterrupt:
        print(f"{server.taken} mails taken.")


if __name__ == "__main__":
    serve()
