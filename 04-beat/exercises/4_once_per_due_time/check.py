import re

from lab.bench import WORKER_READY, TooLate, celery, tail, wait_until

TASK = "stock.order_paper"


def check(bench):
    redis = bench.broker.client
    # The worker listens at another queue: first we look at what the beats send.
    worker = bench.worker("stock", concurrency=2, queues="later", wait=False)
    beats = [
        bench.process(f"beat{number}", celery("stock", "beat", "--loglevel", "INFO", *options))
        for number in (1, 2)
        for options in [("--schedule", str(bench.folder / f"beat{number}"))]
    ]

    def messages():
        waiting = bench.xray().queues.get("celery", [])
        return [each for each in waiting if each.task == TASK]

    def dues():
        return [each.body[1].get("due") for each in messages()]

    def enough():
        """Both beats have sent, and two times twice. Or there are no times."""
        logs = [beat.log() for beat in beats]
        errors = [found[1] for log in logs if (found := re.search(r"Message Error: (.+)", log))]
        assert not errors, f"A beat cannot send the task. It says: {errors[0]}"
        each_has_sent = min(log.count("Sending due task") for log in logs) >= 4
        return each_has_sent and (len(set(dues())) <= 1 or len(dues()) - len(set(dues())) >= 2)

    try:
        wait_until(enough, "they do not send", timeout=60)
    except TooLate:
        raise AssertionError(
            f"Two beats do not send the same times. One of them says:\n{tail(beats[0].log())}"
        ) from None
    for beat in beats:
        beat.stop()
    assert all(dues()), (
        f"Two beats have sent {len(dues())} messages, and no worker can know which of them are "
        'for the same time. Let the entry ask for it: an argument "due".'
    )
    times, all_messages = len(set(dues())), len(dues())
    assert times > 1, (
        f"All messages say due={dues()[0]!r}. The scheduler puts the time in place of "
        "clockwork.DUE, and of nothing else."
    )

    worker.wait_for(WORKER_READY)
    redis.rename("celery", "later")
    try:
        wait_until(lambda: done(bench) == all_messages, "not all are done", timeout=30)
    except TooLate:
        raise AssertionError(
            f"A worker runs, and has not done all messages. It says:\n{tail(worker.log())}"
        ) from None
    errors = list(bench.timeline().errors.values())
    assert not errors, f"The worker has the messages, and fails: {errors[0]}."
    orders = redis.llen("orders")
    assert orders >= times, (
        f"Paper was due {times} times, and was ordered {orders} times. The mark of one time holds "
        "back the next one: what does it have to have in its name?"
    )
    assert orders <= times, (
        f"Paper was due {times} times, and was ordered {orders} times. Two beats have sent "
        f"{all_messages} messages. By what do you know that two of them are for the same time? "
        "And do you look and mark in one step?"
    )


def done(bench):
    return sum(run.ended is not None for run in bench.timeline().runs)
