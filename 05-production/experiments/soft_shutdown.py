"""# A worker gets a few seconds to stop. What if its order takes longer?

## Question

Docker gives a container some seconds after SIGTERM, and then kills it. So a worker should give up
before: `worker_soft_shutdown_timeout`, and `REMAP_SIGTERM=SIGQUIT` in its environment. Here it gets
SIGTERM while it prints order A, and has reserved B. Four workers have 12 seconds, and A ends in
time. Four have 1 second, and A takes longer. One more has 1 second, and nobody set REMAP_SIGTERM.

## Predict

- [x] What ends in time is done. What takes longer goes back to the queue with `acks_late`, and is
  lost without.
- [ ] The same, except that nothing is lost: to save A is what a soft shutdown is for.
- [ ] A is cut off in any case: SIGQUIT is a cold shutdown.

## Why

`REMAP_SIGTERM=SIGQUIT` turns SIGTERM into a cold shutdown. `worker_soft_shutdown_timeout` puts a
wait before it: so many seconds in which a task may end. After them the worker does what `quit_cold`
shows. It ends its pool process, and puts back what is not acknowledged.

The state of the lost A is `RETRY`. Do not believe it: nobody has its message any more.

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
SECONDS = dict(zip(FATES, (12.0, 1.0), strict=True))  # of the timeout


def run(bench):
    from experiments.shared.kill_matrix import Case, occupy

    def soft(end, way, env, what=None):
        settings = {"worker_soft_shutdown_timeout": SECONDS[end]}
        return Case(bench, what or end, way, settings, env)

    remap, (in_time, longer) = {"REMAP_SIGTERM": "SIGQUIT"}, FATES
    cases = [soft(end, way, remap) for end, ways in FATES.items() for way in ways]
    plain = soft(longer, "acks_late", {}, "the same, not remapped")
    occupy(bench, [*cases, plain])
    plain.worker.send(signal.SIGTERM)
    plain.worker.wait_for("worker: Warm shutdown")
    sent, ended = {}, {}
    for case in cases:
        sent[case] = time.monotonic()
        case.worker.send(signal.SIGTERM)
        case.worker.wait_for("Initiating Soft Shutdown")
        if case.end == in_time:
            case.finish()

    def all_ended():
        for case in cases:
            if not case.worker.running:
                ended.setdefault(case, time.monotonic())
        return len(ended) == len(cases)

    wait_until(all_ended, "the workers do not end", timeout=120, log=case.worker.log)
    waits = plain.worker.running
    plain.finish()
    plain.worker.wait(timeout=60)
    rows = []
    for case in cases:
        slept = ended[case] - sent[case] >= SECONDS[case.end]
        does = "slept its whole time" if slept else "stopped before"
        rows.append(case.row() | {"its worker": does})
    return [*rows, plain.row() | {"its worker": "waited for A" if waits else "stopped before"}]


def claims(rows):
    from experiments.shared.kill_matrix import cells

    in_time, plain = rows[:4], rows[-1]
    return cells(rows, FATES) | {
        "when A has ended, its worker sleeps its whole time all the same": all(
            row["its worker"] == "slept its whole time" for row in in_time
        ),
        "not remapped, it waits when all others have stopped": plain["its worker"]
        == "waited for A",
        "and A is done": plain["A"] == "is done",
    }
