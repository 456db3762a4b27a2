"""Given: settings for production, behind a web server that speaks HTTPS.

DJANGO_SETTINGS_MODULE=album.production DJANGO_SECRET_KEY=... DJANGO_HOSTS=album.example.org
"""

import os

from album.settings import *  # noqa: F403  # these settings, and what differs

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = os.environ["DJANGO_HOSTS"].split(",")
DEBUG = False

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
