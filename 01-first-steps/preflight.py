"""Given: ask before sending: is there a broker, and does a worker read our queue?

Without a broker .delay() would hang for 19 seconds, and without a worker the photos would wait
in their queue for ever, with nobody to say so.
"""

import sys

from kombu.exceptions import OperationalError

from contact_sheet import app

START_A_BROKER = "lab broker"
START_A_WORKER = "celery -A contact_sheet worker --loglevel INFO"


def check() -> None:
    """Leave the program with one clear sentence when nobody could do the work."""
    connection = app.connection_for_write()
    try:
        connection.ensure_connection(max_retries=1, interval_start=0)
    except OperationalError as error:
        sys.exit(
            f"No broker answers at {connection.hostname}:{connection.port} ({error}).\n"
            f"Start one in another terminal:  {START_A_BROKER}"
        )
    if not (a_worker_answers_within(0.5) or a_worker_answers_within(5)):
        sys.exit(
            f"No worker is running for these tasks. Start one in another terminal:\n"
            f"  {START_A_WORKER}\n"
            f"If you have started one, wait until it says that it is ready."
        )


def a_worker_answers_within(seconds: float) -> bool:
    """Ask all workers which queues they read, and listen for so long."""
    answers = app.control.inspect(timeout=seconds).active_queues() or {}
    ours = app.conf.task_default_queue
    return any(queue["name"] == ours for queues in answers.values() for queue in queues)
