"""Given: settings. Each can come from the environment instead: MAILROOM_RATE=5/second."""

DAY = 24 * 3600

# Where mail goes. With SMTP_USER, the connection is encrypted and logs in.
SMTP_HOST = "127.0.0.1"
SMTP_PORT = 8025
SMTP_USER = ""
SMTP_PASSWORD = ""
SMTP_TIMEOUT = 10  # seconds without a word from the server
SENDER = "studio@example.org"

RATE = "50/second"  # mails, of all workers together
RETRY_AFTER = 2  # seconds, and then twice as long each time
MAX_RETRIES = 8  # 2, 4, 8 ... 256 seconds: nine minutes, and no wait above visibility_timeout
PAGE = 500  # subscribers that are queued between two looks at the mailing

KEEP = 7 * DAY  # seconds. Then a mailing, its addresses and its results are forgotten
STANDSTILL = 30  # seconds without a change: the page offers to send again what is missing

MAX_SUBSCRIBERS = 100_000
MAX_CONTENT_LENGTH = 16 * 1024 * 1024  # bytes of a request
MAX_FORM_MEMORY_SIZE = 8 * 1024 * 1024  # bytes of each field, files not counted
MAX_URLENCODED_SIZE = 1024 * 1024  # bytes of a form whose fields are not sent as parts
TRUSTED_HOSTS = ["localhost", "127.0.0.1"]

CELERY = {
    "broker_url": "redis://localhost:6379/0",
    "result_backend": "redis://localhost:6379/0",
    "result_expires": KEEP,
    "task_ignore_result": True,
    "task_acks_late": True,  # a message is done when its task has ended
    "broker_transport_options": {
        "visibility_timeout": 300,  # seconds until a message that nobody acknowledged comes back
        # Somebody waits while a request sends: at most so many seconds, and no second try.
        "max_retries": 0,
        "socket_connect_timeout": 1,
        "socket_timeout": 2,
    },
}
