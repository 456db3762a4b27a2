"""A print shop: orders are charged, printed and confirmed. Once each, whatever dies."""

from printshop.celery import app

__all__ = ["app"]
