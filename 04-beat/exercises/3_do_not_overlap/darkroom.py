"""Rolls of film, one after the other:  celery -A darkroom worker"""

# TODO: import what your lock needs. The connection to Redis is tank.memory.
import tank
from celery import Celery

app = Celery("darkroom", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def develop(roll):
    """Develop a roll. Returns "developed", or "busy" when another one is in the tank."""
    # TODO: only one at a time. Whoever has the lock may be killed.
    return tank.develop(roll)
