"""# A worker gets a few seconds to stop. What if its order takes longer?

## Question

Docker gives a container ten seconds after SIGTERM, and then kills it. So a worker should give up
before: `worker_soft_shutdown_timeout`, and `REMAP_SIGTERM=SIGQUIT` in its environment. Here it gets
SIGTERM while it prints order A, and has reserved B. Three workers have 4 seconds, and A ends at
once. Three have 1 second, and A does not end. One more has 1 second, and nobody set REMAP_SIGTERM.

## Predict

- [x] What ends in time is done. If not: late, A is in the queue, early, it is lost.
- [ ] The same, except that nothing is lost: to save A is what a soft shutdown is for.
- [ ] A is cut off in any case: SIGQUIT is a cold shutdown.

## Why

`REMAP_SIGTERM=SIGQUIT` turns SIGTERM into a cold shutdown. `worker_soft_shutdown_timeout` puts a
wait before it: so many seconds in which a task may end. After them the worker does what `quit_cold`
shows. It ends its pool process, and puts back what is not acknowledged.

The timeout belongs to SIGQUIT. Without the remapping SIGTERM is a warm shutdown, as in
`stop_politely`, and has no limit: the last worker waits for A, whatever its timeout says.

The guide calls this "a time limited warm shutdown". But the worker does not stop when A has ended:
it sleeps its whole time. Each stop of a busy worker takes that long.

## Fix

All three: `task_acks_late`, `REMAP_SIGTERM=SIGQUIT`, and a timeout as long as an ordinary task
takes. The supervisor waits a little longer still: the worker needs a moment to put messages back.
"""

import signal
import time

from lab.waiting import wait_until

SECONDS = {"at once": 4.0, "never": 1.0}  # of the timeout, by when A ends


def run(bench):
    from kill_matrix import LATE, WAYS, Press, occupy

    def soft(way, settings, ends, env):
        settings = {**settings, "worker_soft_shutdown_timeout": SECONDS[ends]}
        return Press(bench, way, settings, env)

    remap, presses = {"REMAP_SIGTERM": "SIGQUIT"}, {}
    for ends in SECONDS:
        for way in ("early ack", "acks_late", "reject_on_worker_lost"):
            presses[way, ends] = soft(f"{way} {ends}", WAYS[way], ends, remap)
    plain = soft("not remapped", LATE, "never", {})
    occupy(bench, [*presses.values(), plain])
    plain.worker.send(signal.SIGTERM)
    plain.worker.wait_for("worker: Warm shutdown")
    sent, ended = {}, {}
    for (way, ends), press in presses.items():
        sent[way, ends] = time.monotonic()
        press.worker.send(signal.SIGTERM)
        press.worker.wait_for("Initiating Soft Shutdown")
        if ends == "at once":
            press.finish()

    def all_ended():
        for key, press in presses.items():
            if not press.worker.running:
                ended.setdefault(key, time.monotonic())
        return len(ended) == len(presses)

    wait_until(all_ended, "the workers do not end", timeout=60, log=press.worker.log)
    rows = []
    for (way, ends), press in presses.items():
        slept = ended[way, ends] - sent[way, ends] >= SECONDS[ends]
        row = {"A ends": ends} | press.row() | {"acknowledges": way}
        rows.append(row | {"its worker": "slept its whole time" if slept else "stopped before"})
    row = {"A ends": "never", "its worker": "waits" if plain.worker.running else "stopped"}
    plain.finish()
    plain.worker.wait(timeout=60)
    return [*rows, plain.row() | row]


def claims(rows):
    at_once, (early, late, reject), plain = rows[:3], rows[3:6], rows[6]
    told = {f"{row['acknowledges']}, A ends at once: A is done": is_done(row) for row in at_once}
    return told | {
        "its worker slept its whole time all the same": all(
            row["its worker"] == "slept its whole time" for row in at_once
        ),
        "early ack, A does not end: A is lost": early["A"] == "lost",
        "acks_late, A does not end: A is in the queue": late["A"] == "queue",
        "reject_on_worker_lost, A does not end: A is in the queue": reject["A"] == "queue",
        "B is in the queue, everywhere": all(row["B"] == "queue" for row in rows),
        "not remapped, it waits when all others have stopped": plain["its worker"] == "waits",
    }


def is_done(row):
    return row["A"] == "done" and row["A began"] == 1
