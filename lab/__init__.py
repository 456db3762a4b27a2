"""The bench of *Celery by experiment*: real brokers, real workers, and a look at what they do."""

from lab.bench import Bench

__all__ = ["Bench"]
