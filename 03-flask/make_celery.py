"""For the worker:  celery -A make_celery worker --loglevel INFO"""

from mailroom import create_app

flask_app = create_app()
celery_app = flask_app.extensions["celery"]
