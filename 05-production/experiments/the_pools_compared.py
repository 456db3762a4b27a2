"""# Four pools, three kinds of work. Which pool is the fastest?

## Question

Eight tasks that sleep, eight that wait for a web server, eight that compute. Four workers, each
with another pool: `prefork` (the default) with eight processes, `threads` with eight threads,
`gevent` with eight greenlets, and `solo`. (`gevent` is left out where the package is not
installed.) Which pool is good for what?

## Predict

- [ ] prefork for all three: it is the only one with real processes.
- [x] Waiting: all but solo, equally. Computing: prefork, as far as there are cores.
- [ ] gevent for all three: greenlets cost the least.

## Why

Whoever waits needs no core. A process, a thread and a greenlet wait equally well, and eight of each
wait for eight things at once. Processes cost most: eight of an empty app take
240 MB, with what they share counted once, and eight threads 45 MB.

Who computes needs a core. Threads take turns: one Python runs one of them at a time, so together
they are no faster than one. A greenlet gives way only when it waits: one computes, and the seven
others and the worker itself stand still. Only processes can have a core each.

`solo` runs the task in the worker itself: one after another, and meanwhile the worker answers
nobody.

## Fix

`prefork` unless you know better: it is also the only pool whose time limits stop everything
(`time_limits`), and whose processes can be replaced (`memory_that_grows`). `threads` for many tasks
that wait, or on Windows. `gevent` for hundreds, if everything they use knows how to give way.
"""

import importlib.util
import os
import sys

from celery import Celery

from lab.bench import free_port
from lab.course.experiments import needs_idle_cores

WORK = """
import os
import time
from urllib.request import urlopen

from celery import Celery

REDIS = "redis://localhost:6379/0"
app = Celery("work", broker=REDIS, backend=REDIS)

@app.task
def do(what):
    began, used = time.monotonic(), time.thread_time()
    if what == "sleep":
        time.sleep(0.3)
    if what == "ask a server":
        urlopen(os.environ["SERVER"]).read()
    if what == "compute":
        sum(number * number for number in range(2_000_000))
    return began, time.monotonic(), os.getpid(), time.thread_time() - used
"""

SERVER = """
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Slow(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.3)
        self.send_response(204)
        self.end_headers()

ThreadingHTTPServer.request_queue_size = 50
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Slow)
print("open")
server.serve_forever()
"""

# gevent is a package of its own. Where it is missing there are three pools.
GEVENT = importlib.util.find_spec("gevent") is not None
POOLS = ["prefork", "threads", "gevent", "solo"] if GEVENT else ["prefork", "threads", "solo"]


def run(bench):
    (bench.folder / "work.py").write_text(WORK)
    client, port, rows = Celery(set_as_current=False), free_port(), []
    server = bench.process("server", [sys.executable, "-c", SERVER, str(port)])
    folder, env = bench.folder, {"SERVER": f"http://127.0.0.1:{port}"}
    for p in POOLS:
        bench.worker("work", cwd=folder, env=env, pool=p, queues=p, concurrency=8, wait=False)
    bench.all_ready()
    server.wait_for("open")
    for what in ("sleep", "ask a server", "compute"):
        for pool in POOLS:  # one after another: there are cores for one
            results = [client.send_task("work.do", (what,), queue=pool) for _ in range(8)]
            times = [result.get(timeout=60) for result in results]
            at_once = max(sum(b <= began < e for b, e, *_ in times) for began, *_ in times)
            seconds = max(end for _, end, *_ in times) - min(began for began, *_ in times)
            # What they have computed, in a second: how many cores that is, on a fast machine and
            # on a slow one.
            cores = sum(used for *_, used in times) / seconds
            row = {"work": what, "pool": pool, "processes": len({pid for _, _, pid, _ in times})}
            row |= {"most at once": at_once, "seconds": round(seconds, 1)}
            rows.append(row | {"cores": round(cores, 1) if what == "compute" else "-"})
    return rows


def claims(rows):
    at_once = {(row["work"], row["pool"]): row["most at once"] for row in rows}
    waiting = [row for row in rows if row["work"] != "compute" and row["pool"] != "solo"]
    cores = {row["pool"]: row["cores"] for row in rows if row["work"] == "compute"}
    best, one_core = cores.pop("prefork"), os.cpu_count() == 1
    found = {
        "solo does one at a time, whatever it is": all(
            row["most at once"] == 1 for row in rows if row["pool"] == "solo"
        ),
        "all others wait for several at once": all(row["most at once"] > 3 for row in waiting),
        "only prefork has more than one process": all(
            (row["processes"] > 1) == (row["pool"] == "prefork") for row in rows
        ),
        needs_idle_cores("computing: prefork is the fastest"): one_core
        or best > 1.25 * max(cores.values()),
        "computing: all others use one core, as solo does": max(cores.values()) < 1.3,
    }
    if GEVENT:
        found["computing: gevent does one at a time as well"] = at_once["compute", "gevent"] == 1
    return found
