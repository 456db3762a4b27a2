"""The bench: a private broker, real processes, and nothing left of them.

These names are all that examples of use need: experiments, exercises, tests and notebooks.
"""

from lab.bench.bench import Bench
from lab.bench.broker import Broker, NoServer, describe, server_binary
from lab.bench.ports import free_port
from lab.bench.process import Died, Process
from lab.bench.server import Server
from lab.bench.waiting import TooLate, tail, wait_until
from lab.bench.worker import WORKER_READY, Worker, celery
from lab.observe.records import whole_lines

__all__ = [
    "WORKER_READY",
    "Bench",
    "Broker",
    "Died",
    "NoServer",
    "Process",
    "Server",
    "TooLate",
    "Worker",
    "celery",
    "describe",
    "free_port",
    "server_binary",
    "tail",
    "wait_until",
    "whole_lines",
]
