import json
import os
import signal
import sys
import time
from collections import Counter

from lab.bench import TooLate, wait_until

# A disk that is full in the middle of an order: no file may be larger than this.
FULL = """
import resource
import shop

_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))
try:
    shop.place("moor", {"photo": "moor", "wishes": "x" * 200_000})
    print("It has taken the order.")
except Exception as error:
    print("It refuses:", error)
"""
OLD = 3600  # seconds


def check(bench):
    redis = bench.broker.client
    orders, small = bench.folder / "orders", bench.folder / "small disk"
    orders.mkdir()
    small.mkdir()
    os.environ |= {"ORDERS": str(orders), "PRINTER": str(bench.folder)}
    full = bench.start_python(FULL, env={"ORDERS": str(small)})
    import shop

    def until(condition, otherwise):
        try:
            return wait_until(condition, "no")
        except TooLate:
            raise AssertionError(otherwise) from None

    def place(key, photo, why):
        """Order, and read what is kept and what the customer is told."""
        try:
            told = shop.place(key, {"photo": photo})
        except Exception as error:
            words = str(error).rstrip(".")
            found = (orders / f"{key}.json").exists()
            raise AssertionError(
                f"{why} place raised {type(error).__name__}: {words}. The order is "
                f"{'on the disk all the same' if found else 'nowhere'}."
            ) from error
        assert (orders / f"{key}.json").exists(), f"{why} There is no file orders/{key}.json."
        return told, read(orders / f"{key}.json")

    def waiting(key):
        messages = bench.xray().queues.get("celery", [])
        return any(key in str(message.body[:2]) for message in messages)

    # Two customers
    both, sooner = [], []

    def second():
        sooner.append(waiting("harbour"))
        both.append(place("harbour", "second", "A second customer ordered with the same key."))

    just_before(orders / "harbour.json", second)
    told, kept = place("harbour", "first", "Two customers ordered with one key at the same moment.")
    assert sooner and not sooner[0], (
        "There was a message for 'harbour' before there was a file. A worker that is quick finds "
        "no order, and a shop that dies in between has lost it. What comes first?"
    )
    assert both[0][1] == kept == {"photo": "second"}, (
        "Two customers came with the key 'harbour' at the same moment. One was told that her order "
        "is kept, and then the file was written by the other one. What looks and writes in one "
        "step?"
    )
    assert told == kept, (
        "Two customers came with the key 'harbour' at the same moment, and one of the two orders "
        f"is kept: {kept}. The other customer should be told so, and place returned {told}."
    )
    third, _ = place("harbour", "third", "A customer came later with the key of 'harbour'.")
    assert third == kept, (
        f"The key 'harbour' belongs to the order {kept}. A customer who came later with the same "
        f"key should be told so, and place returned {third}."
    )
    assert waiting("harbour"), "'harbour' is on the disk, the broker is well, and nothing was sent."

    # A full disk
    full.wait(60)
    assert not (small / "moor.json").exists(), (
        "The disk was full in the middle of the order 'moor'. Half of it lies there as moor.json, "
        "and nobody can read it. Give a file its name when all of it is written."
    )
    assert "It has taken" not in full.log(), (
        "The disk was full, the order 'moor' is nowhere, and place returned as if it were kept."
    )

    # No broker
    bench.broker.kill()
    place("cove", "cove", "The broker was down when a customer ordered 'cove'.")
    bench.broker.start()

    # Lost in the worker
    lever = bench.folder / "stopped"
    lever.touch()
    worker = bench.worker("shop")
    place("moor", "moor", "A customer ordered 'moor'.")
    until(lambda: bench.timeline().runs, "'moor' was ordered, and no worker prints it.")
    until(lambda: not redis.hlen("unacked"), "The message of 'moor' is not acknowledged.")
    os.kill(worker.pool()[0], signal.SIGKILL)
    until(lambda: bench.timeline().errors, "The pool process was killed, and nobody noticed.")

    # Send it again: harbour is fresh, cove and moor stand still
    def send_again():
        before = len(bench.timeline().sent)
        keys = shop.send_again(OLD / 2)
        assert isinstance(keys, list), f"send_again should return a list of keys. It is: {keys!r}."
        count = len(bench.timeline().sent) - before
        assert count == len(keys), (
            f"send_again returned {len(keys)} keys, and sent {count} messages."
        )
        return sorted(keys)

    make_old(orders, "cove", "moor")
    keys = send_again()
    assert "cove" in keys, (
        "The broker was down when 'cove' was ordered. An hour later send_again did not send it."
    )
    assert "moor" in keys, (
        "The process that printed 'moor' was killed, and its message is gone. An hour later "
        "send_again did not send it."
    )
    assert "harbour" not in keys, (
        "'harbour' was ordered a moment ago, and send_again sent it. Give its message the time."
    )
    assert keys == ["cove", "moor"], f"send_again should send cove and moor. It sent {keys}."
    keys = send_again()
    assert keys == [], (
        f"send_again sent {' and '.join(keys)}, and when it was called again a moment later, it "
        "sent them once more. Their messages wait. How does it know next time?"
    )
    lever.unlink()
    until(
        lambda: all((orders / f"{key}.printed").exists() for key in ("cove", "moor")),
        "send_again returned cove and moor. A worker runs, and they are not printed.",
    )
    make_old(orders, "cove", "moor", "harbour")
    keys = send_again()
    done = [key for key in keys if key != "harbour"]
    assert not done, f"{' and '.join(done)} are printed, and send_again sent them once more."
    assert keys == ["harbour"], "The message of 'harbour' was lost, and it is not sent again."
    until(lambda: (orders / "harbour.printed").exists(), "'harbour' is not printed.")
    prints = Counter((bench.folder / "prints.txt").read_text().split())
    assert prints == {"cove": 1, "moor": 1, "second": 1}, (
        f"cove, moor and harbour should be printed once each. The printer says: {dict(prints)}."
    )


def read(path):
    try:
        return json.loads(path.read_text())
    except ValueError:
        return path.read_text()


def make_old(orders, *keys):
    """Let the last thing that has happened to these orders have been an hour ago."""
    for key in keys:
        os.utime(orders / f"{key}.json", (time.time() - OLD,) * 2)


def just_before(path, do):
    """Call `do` once, at the moment when a file is going to get this name.

    Python announces what it is going to open, to link and to rename. The other customer comes
    just then: after every look, and before the file is there.
    """
    left = [do]

    def announced(event, words):
        if left and names(event, words) == str(path):
            left.pop()()

    sys.addaudithook(announced)


def names(event, words):
    """The path of the file that gets a name here, or gets new contents."""
    if event == "open" and words[2] & (os.O_WRONLY | os.O_RDWR):
        return os.fsdecode(words[0]) if not isinstance(words[0], int) else None
    return os.fsdecode(words[1]) if event in ("os.link", "os.rename") else None
