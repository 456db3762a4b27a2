"""Given: settings for your desk. Those for production, in production.py, begin with these."""

import os
import secrets
import tempfile
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

# What belongs to one machine and not into git: uploads and a key. Tests choose another place.
DATA_DIR = Path(os.environ.get("ALBUM_DATA", BASE_DIR / "data"))
MEDIA_ROOT = DATA_DIR / "media"


def own_secret_key(path: Path) -> str:
    """A key that is made once for this machine. Every process reads the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:  # nobody else may read it
        file.write(secrets.token_urlsafe(50))
        file.flush()
        try:
            os.link(file.name, path)  # in one step, and whole: the first process wins
        except FileExistsError:
            pass
    return path.read_text()


SECRET_KEY = own_secret_key(DATA_DIR / "secret-key")
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]

INSTALLED_APPS = ["django.contrib.staticfiles", "django_htmx", "album", "thumbnails"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "album.limits.request_size",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "album.urls"
WSGI_APPLICATION = "album.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"

# No database. Sessions and messages travel in signed cookies, and the files are the state.
DATABASES = {}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# Uploads. What is larger than this, in bytes or pixels, is refused.
UPLOAD_MAX_FILES = 20
UPLOAD_MAX_BYTES = 20 * 1024 * 1024
UPLOAD_MAX_REQUEST = 100 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 500  # more is an attack: the view refuses politely before

# Mail is printed by the worker, unless there is a server.
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
if "EMAIL_HOST" in os.environ:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = os.environ["EMAIL_HOST"]
    EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_TIMEOUT = 10
STUDIO_ADDRESS = "studio@example.org"

# Celery. Without a time zone of its own it would take Django's, whose default is Chicago.
CELERY_BROKER_URL = "redis://localhost:6379/0"
CELERY_RESULT_BACKEND = "redis://localhost:6379/0"
CELERY_TIMEZONE = "UTC"
CELERY_RESULT_EXPIRES = 3600  # seconds. A chord needs results, nobody else reads them.
# Acknowledge a message when its task has ended: if the worker is killed, it comes back.
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # ... after so many seconds without an acknowledgement. Longer than any task may take.
    "visibility_timeout": 120,
    # A visitor waits while we send. `retry=False` says nothing about connecting: this does.
    "max_retries": 0,
    "socket_connect_timeout": 1,
    # A broker that takes the connection and then says nothing would hold the visitor for ever.
    "socket_timeout": 2,
}
# A photo that needs longer than this is broken. First an exception, then the end of the process.
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_TASK_TIME_LIMIT = 60
