"""For the worker:  celery -A make_celery worker"""

from album import create_app

flask_app = create_app()
celery_app = flask_app.extensions["celery"]
