"""# A worker gets a few seconds to stop. What if its order takes longer?

## Question

Docker gives a container ten seconds after SIGTERM, and then kills it. So a worker should give up
before: `worker_soft_shutdown_timeout`, and `REMAP_SIGTERM=SIGQUIT` in its environment. Here it gets
SIGTERM while it prints order A, and has reserved B. Four workers have 4 seconds, and A ends at
once. Four have 1 second, and A does not end. One more has 1 second, and nobody set REMAP_SIGTERM.

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

from lab.bench import wait_until

FATES = {
    "soft shutdown, A ends in time": {
        "early ack": "A is done, B is in the queue",
        "acks_late": "A is done, B is in the queue",
        "acks_late + reject_on_worker_lost": "A is done, B is in the queue",
        "acks_late + retry_on_worker_lost": "A is done, B is in the queue",
    },
    "soft shutdown, A takes longer": {
        "early ack": "A is lost, B is in the queue",
        "acks_late": "A is in the queue, B is in the queue",
        "acks_late + reject_on_worker_lost": "A is in the queue, B is in the queue",
        "acks_late + retry_on_worker_lost": "A is in the queue, B is in the queue",
    },
}
SECONDS = dict(zip(FATES, (4.0, 1.0), strict=True))  # of the timeout


def run(bench):
    from staging.kill_matrix import Press, occupy

    def soft(end, way, env, what=None):
        settings = {"worker_soft_shutdown_timeout": SECONDS[end]}
        return Press(bench, what or end, way, settings, env)

    remap, (in_time, longer) = {"REMAP_SIGTERM": "SIGQUIT"}, FATES
    presses = [soft(end, way, remap) for end, ways in FATES.items() for way in ways]
    plain = soft(longer, "acks_late", {}, "the same, not remapped")
    occupy(bench, [*presses, plain])
    plain.worker.send(signal.SIGTERM)
    plain.worker.wait_for("worker: Warm shutdown")
    sent, ended = {}, {}
    for press in presses:
        sent[press] = time.monotonic()
        press.worker.send(signal.SIGTERM)
        press.worker.wait_for("Initiating Soft Shutdown")
        if press.end == in_time:
            press.finish()

    def all_ended():
        for press in presses:
            if not press.worker.running:
                ended.setdefault(press, time.monotonic())
        return len(ended) == len(presses)

    wait_until(all_ended, "the workers do not end", timeout=60, log=press.worker.log)
    waits = plain.worker.running
    plain.finish()
    plain.worker.wait(timeout=60)
    rows = []
    for press in presses:
        slept = ended[press] - sent[press] >= SECONDS[press.end]
        does = "slept its whole time" if slept else "stopped before"
        rows.append(press.row() | {"its worker": does})
    return [*rows, plain.row() | {"its worker": "waited for A" if waits else "stopped before"}]


def claims(rows):
    from staging.kill_matrix import cells

    in_time, plain = rows[:4], rows[-1]
    return cells(rows, FATES) | {
        "when A has ended, its worker sleeps its whole time all the same": all(
            row["its worker"] == "slept its whole time" for row in in_time
        ),
        "not remapped, it waits when all others have stopped": plain["its worker"]
        == "waited for A",
        "and A is done": plain["A"] == "is done",
    }
