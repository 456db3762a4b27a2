import asyncio
import os
from threading import Event

from aiosmtpd.controller import Controller
from redis import Redis

from lab.bench import WORKER_READY, TooLate, free_port, server_binary, wait_until

TWICE = "Who sets a marker before the mail goes out, so that the other one sees it?"


class Server:
    """Says "later" to bob, once. Takes cora's mail and says nothing. Thinks long about dora's."""

    def __init__(self):
        self.taken = []
        self.waiting = 0
        self.asked_bob = False
        self.go_on = Event()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("bob") and not self.asked_bob:
            self.asked_bob = True
            return "451 4.3.2 too busy, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].partition("@")[0]
        if name == "dora":
            self.waiting += 1
            while not self.go_on.is_set():
                await asyncio.sleep(0.02)
        self.taken.append(name)
        if name == "cora":
            server.transport.abort()
        return "250 taken"


def check(bench):
    server = Server()
    controller = Controller(server, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    os.environ["SMTP_PORT"] = str(controller.port)
    # The sets are in a server of their own: it can pause, and the messages go on.
    socket = bench.folder / "sets.sock"
    options = ["--port", "0", "--unixsocket", socket, "--save", ""]
    bench.process("sets", [server_binary(), *options], ready="eady to accept connections")
    os.environ["REDIS_URL"] = url = f"unix://{socket}"
    worker = bench.worker("mails", concurrency=2, env={"REDIS_URL": url}, wait=False)
    controller.start()
    try:
        worker.wait_for(WORKER_READY)
        send_to(bench, server)
    finally:
        server.go_on.set()
        controller.stop()


def send_to(bench, server):
    from mails import memory, send_mail

    def send(name):
        return send_mail.delay("summer", f"{name}@example.org").id

    def is_done(id):
        """Whether a message has ended, and does not come back."""
        runs = [run for run in bench.timeline().runs if run.id == id]
        return bool(runs) and runs[-1].ended is not None and runs[-1].state != "RETRY"

    def wait_for(name, id):
        try:
            wait_until(lambda: is_done(id), "it goes on", timeout=30)
        except TooLate:
            raise AssertionError(f"The message for {name} does not come to an end.") from None
        return bench.timeline().errors.get(id, "no error")

    def members(part):
        return {address.partition("@")[0] for address in memory.smembers(f"{part}:summer")}

    # One after the other
    error = wait_for("ada", send("ada"))
    wait_for("ada", send("ada"))
    count = server.taken.count("ada")
    assert count != 2, f"The message for ada came twice, and she got two mails. {TWICE}"
    assert count == 1, f"ada should get one mail, and got {count}. The worker reports {error}."
    assert "ada" in members("sent"), "ada's mail was taken, and she is not in sent:summer."

    error = wait_for("bob", send("bob"))
    count = server.taken.count("bob")
    assert count == 1, (
        f'The server said "later" to bob, then it would have taken his mail. He got {count} mails, '
        f"and the worker reports {error}. Does the next try find the marker of the "
        "first one?"
    )
    error = wait_for("cora", send("cora"))
    count = server.taken.count("cora")
    assert count == 1, (
        f"The server took cora's mail, and its answer got lost. You tried again, and she got "
        f"{count} mails. When nobody knows, do not send again."
    )
    assert "cora" not in members("sent"), (
        "Nobody knows whether cora has her mail, and she is in sent:summer."
    )
    assert members("unconfirmed") == {"cora"}, (
        "Nobody knows whether cora has her mail. She should be in unconfirmed:summer, and nobody "
        f"else. There are: {', '.join(sorted(members('unconfirmed'))) or 'none'}."
    )
    # Two at once: the server thinks about the first mail while the message comes again
    first = send("dora")
    wait_until(lambda: server.waiting, "nobody sends dora's mail")
    second = send("dora")
    wait_until(lambda: server.waiting == 2 or is_done(second), "nobody looks")
    assert server.waiting == 1, (
        "The message for dora came again while her mail was still under way, and a second worker "
        f"sent it, too. {TWICE}"
    )
    server.go_on.set()
    wait_for("dora", first)

    # At the same moment: Redis answers what is asked, and whoever writes waits for the other one
    sets = Redis.from_url(os.environ["REDIS_URL"])
    sets.client_pause(60_000, all=False)
    both = [send("eva"), send("eva")]

    def both_have_asked():
        return sets.info("clients")["blocked_clients"] + sum(map(is_done, both)) == 2

    wait_until(both_have_asked, "nobody begins with eva")
    sets.client_unpause()
    errors = [wait_for("eva", id) for id in both]
    count = server.taken.count("eva")
    assert count < 2, (
        "Two workers asked at the same moment whether anybody has begun with eva. Both heard "
        f"no, both wrote the marker, and she got {count} mails. Which command asks and writes in "
        "one step?"
    )
    assert count == 1, (
        "Two workers had a message for eva at the same moment, and neither sent it. The worker "
        f"reports: {', '.join(errors)}."
    )
    assert members("sent") == {"ada", "bob", "dora", "eva"}, (
        "ada, bob, dora and eva should be in sent:summer. There are: "
        f"{', '.join(sorted(members('sent')))}."
    )
