import os

from lab.bench import wait_until


def check(bench):
    ledger = bench.folder / "ledger.txt"
    os.environ["LONGEST_PRINT"] = "6"
    worker = bench.worker("shop", concurrency=2, env={"LEDGER": str(ledger)})
    from machine import LONGEST_PRINT
    from shop import app, order

    sent = order.delay("harbour.jpg")

    def runs():
        return [run for run in bench.timeline().runs if run.id == sent.id]

    def over():
        """Whether the first print has ended."""
        return runs() and runs()[0].ended is not None

    wait_until(lambda: len(runs()) > 1 or over(), "nothing is printed", log=worker.log)
    assert len(runs()) == 1, (
        "harbour.jpg was ordered once. A second process has begun to print it, from a message with "
        "the same id, and the first one was still at work. Nobody has died. When does Redis count "
        "a message as lost?"
    )
    prints = len(ledger.read_text().splitlines()) if ledger.exists() else 0
    assert prints == 1, (
        f"harbour.jpg was ordered once, and the ledger has {prints} prints. The worker reports: "
        f"{bench.timeline().errors.get(sent.id, 'no error')}."
    )
    assert order.acks_late, (
        "The print does not come twice any more. But without task_acks_late it does not come back "
        "either when a worker dies. Put that back: the bug is somewhere else."
    )
    timeout = app.conf.broker_transport_options.get("visibility_timeout", 3600)
    assert timeout > LONGEST_PRINT, (
        f"This print came once. But a print may take {LONGEST_PRINT} seconds, and your timeout is "
        f"{timeout:g}. It has to be longer."
    )
