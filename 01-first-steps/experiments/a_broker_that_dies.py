"""# Are queued tasks safe when Redis dies?

## Question

A hundred tasks wait in Redis. No worker runs. Somebody types `kill -9` for the server and starts
it again. We try it three times: with Redis as it comes, which takes snapshots; after `CONFIG SET
appendonly yes`; and with `appendonly yes` in the server's configuration. How many are left?

## Predict

- [ ] 100, 100, 100: to keep messages is what a broker is for.
- [ ] 0, 100, 100: the append-only file saves them.
- [x] 0, 0, 100: a server that starts again has forgotten what `CONFIG SET` told it.

## Why

Redis keeps its queues in memory. A snapshot is written now and then (after a hundred changes:
every five minutes), and `kill -9` leaves no time for one more. The append-only file gets every
change at once. But `CONFIG SET` ends with the process. The server that starts again reads its old
configuration, and ignores the file that lies there. The second hundred are in it all the same:
a server that is configured to read it has them back, as the third row shows.

## Fix

Do both, in this order: `CONFIG SET appendonly yes`, so that the running server writes what it
has, then `CONFIG REWRITE`, or your own hand in `redis.conf`. Then try it: kill a server, start
it, count. The default `appendfsync everysec` survives a killed process; when the power fails,
about the last second is lost. A task that a worker had taken is another matter: see chapter 05.
"""

from lab.bench import wait_until

TASKS = 100
SNAPSHOTS = "3600 1 300 100 60 10000"  # the default of Redis; a bench turns it off


def run(bench):
    from tasks import add

    broker = bench.broker
    rows = []

    def send():
        for number in range(TASKS):
            add.apply_async((number, 0), ignore_result=True)
        return bench.xray().lengths["celery"]

    def kill_and_start():
        # When the disk is slow it answers first, and writes to the file a moment later.
        wait_until(lambda: not persistence(broker).get("aof_buffer_length"), "it does not write")
        broker.kill()
        broker.start()
        return bench.xray().lengths.get("celery", 0)

    broker.client.config_set("save", SNAPSHOTS)
    rows.append({"the server": "as it comes", "sent": send(), "left": kill_and_start()})

    broker.client.config_set("appendonly", "yes")
    wait_until(lambda: file_is_ready(broker), "the append-only file was not ready")
    rows.append(
        {"the server": "CONFIG SET appendonly yes", "sent": send(), "left": kill_and_start()}
    )

    # A bench gives its server the configuration as words of the command line.
    broker.argv[broker.argv.index("--appendonly") + 1] = "yes"
    rows.append({"the server": "appendonly in its configuration", "left": kill_and_start()})
    broker.client.delete("celery")
    rows.append({"the server": "the same", "sent": send(), "left": kill_and_start()})

    bench.worker("tasks")
    rows[-1]["a worker ran"] = wait_until(lambda: all_ended(bench), "the worker did not run all")
    return rows


def persistence(broker):
    return broker.client.info("persistence")


def file_is_ready(broker):
    state = persistence(broker)
    return state["aof_enabled"] and not (
        state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]
    )


def all_ended(bench):
    runs = bench.timeline().runs
    ended = sum(run.ended is not None for run in runs)
    return ended if ended >= TASKS else 0


def claims(rows):
    snapshots, config_set, same_file, configured = rows
    return {
        "snapshots alone: all hundred are gone": snapshots == {**snapshots, "sent": 100, "left": 0},
        "CONFIG SET alone: all are gone": config_set == {**config_set, "sent": 100, "left": 0},
        "they stand in the file, for a server that reads it": same_file["left"] == 100,
        "appendonly yes in the configuration: all are there": configured["sent"] == 100
        and configured["left"] == 100,
        "and a worker runs every one": configured["a worker ran"] == 100,
    }
