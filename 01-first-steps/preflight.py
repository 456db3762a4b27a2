"""Ask before sending: is there a broker, and is there a worker?

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
    if not app.control.ping(timeout=2, limit=1):
        sys.exit(f"No worker is running. Start one in another terminal:\n  {START_A_WORKER}")
