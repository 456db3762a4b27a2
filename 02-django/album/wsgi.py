"""Given: for a WSGI server:  gunicorn album.wsgi"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "album.settings")
application = get_wsgi_application()
