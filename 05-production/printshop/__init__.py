"""Given: a print shop. Orders are charged, printed and confirmed. Once each, whatever dies."""

from printshop.celery import app

__all__ = ["app"]
