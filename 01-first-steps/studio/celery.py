from celery import Celery

# include: a worker imports these modules when it starts. Tasks it has not imported, it cannot run.
app = Celery("studio", include=["studio.tasks"])
app.config_from_object("studio.config")
