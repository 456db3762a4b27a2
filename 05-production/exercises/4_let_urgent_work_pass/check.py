from lab.bench import wait_until

MOST = 4  # workers
LONG = 3000  # copies: ten minutes, as a statement takes


def check(bench):
    from shop import app, make_statement, print_order, print_urgent
    from workers import WORKERS

    readers = read_by(WORKERS)
    queue = {
        task: app.amqp.router.route({}, task.name)["queue"].name
        for task in (print_urgent, print_order, make_statement)
    }
    for task, name in queue.items():
        assert readers.get(name), (
            f"The task {task.name} goes to the queue {name!r}, and none of your workers reads it. "
            f"They read: {', '.join(readers)}."
        )
    alone = readers[queue[print_order]]
    assert len(alone) > 1, (
        f"Only the worker {alone[0]!r} reads the queue of the orders. While it prints a long one, "
        "who prints the short ones?"
    )

    workers = {
        name: bench.worker("shop", queues=queues, wait=False) for name, queues in WORKERS.items()
    }
    host = {f"worker{number}@bench": name for number, name in enumerate(workers, 1)}
    bench.all_ready()

    def busy(*tasks):
        """The workers that are at work for ten minutes, on one of these tasks."""
        runs = [run for run in bench.timeline().runs if run.ended is None]
        long = [run for run in runs if run.label in ("", str(LONG))]  # a statement has no copies
        return {host[run.worker] for run in long if run.task in [task.name for task in tasks]}

    def ended(ids):
        return {run.id for run in bench.timeline().runs if run.ended is not None} & set(ids)

    def waits(task):
        """Whether every worker that reads the queue of this task is busy with something long."""
        return set(readers[queue[task]]) <= busy(make_statement, print_order)

    def goes_on(task, done, why):
        """Wait until something has happened, or until it is clear that it cannot."""
        log = workers[readers[queue[task]][0]].log
        wait_until(lambda: done() or waits(task), f"{task.name} does not run", log=log)
        assert done(), why

    # The end of the month. As many as all workers can hold.
    for _ in range(5 * MOST):
        make_statement.delay()
    at_work = set(readers[queue[make_statement]])
    wait_until(
        lambda: busy(make_statement) == at_work or not waiting(bench, queue[make_statement]),
        "nobody makes a statement",
    )
    urgent = print_urgent.delay(1)
    goes_on(
        print_urgent,
        lambda: ended([urgent.id]),
        "An urgent order waits: every worker that reads its queue makes a statement. These do: "
        f"{', '.join(readers[queue[print_urgent]])}.",
    )
    print_order.delay(LONG)
    goes_on(
        print_order,
        lambda: busy(print_order),
        "An order waits: every worker that reads its queue makes a statement. These do: "
        f"{', '.join(alone)}.",
    )

    # One long, seven short
    [printing] = busy(print_order)
    short = [print_order.delay(1).id for _ in range(7)]

    def held():
        return [id for id in short if f"[{id}] received" in workers[printing].log()]

    wait_until(
        lambda: len(ended(short)) + len(held()) == 7 or waits(print_order),
        "the short orders are nowhere",
        log=workers[printing].log,
    )
    assert not held(), (
        f"The worker {printing!r} prints a long order, and has taken {len(held())} of the seven "
        f"short ones as well. Nobody else can have them. {advice(app.conf)}"
    )
    assert not waits(print_order), (
        "A long order is printed, and a statement is made. No worker is left for the seven short "
        f"orders: {', '.join(alone)} read their queue. Who of them reads another one?"
    )

    # All that print orders are busy
    for _ in alone[1:]:
        print_order.delay(LONG)
    wait_until(lambda: waits(print_order), "the orders are not printed")
    urgent = print_urgent.delay(1)
    goes_on(
        print_urgent,
        lambda: ended([urgent.id]),
        "An urgent order waits: every worker that reads its queue prints a long order. These do: "
        f"{', '.join(readers[queue[print_urgent]])}.",
    )


def read_by(workers):
    """For each queue the names of the workers that read it."""
    assert isinstance(workers, dict) and all(isinstance(its, str) for its in workers.values()), (
        'WORKERS should be a dict: a name, a colon, and the queues as a text, "one,two".'
    )
    assert len(workers) <= MOST, (
        f"You have {len(workers)} workers, and the shop has no more than {MOST}."
    )
    found = {}
    for name, queues in workers.items():
        for queue in queues.split(","):
            found.setdefault(queue.strip(), []).append(name)
    return found


def waiting(bench, queue):
    return bench.xray().lengths.get(queue, 0)


def advice(conf):
    if conf.worker_prefetch_multiplier == 0:
        return "A multiplier of 0 means: as many as there are."
    if conf.worker_prefetch_multiplier == 1:
        return (
            "A multiplier of 1 counts what is not acknowledged. When is the message of the long "
            "one acknowledged?"
        )
    return "Which setting lets a worker take a message only when its process is free?"
