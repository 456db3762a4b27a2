"""The bench of *Celery by experiment*: real brokers, real workers, and a look at what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.bench import Bench

__all__ = ["Bench"]


def __getattr__(name: str) -> Any:
    """`Bench` comes when somebody asks for it: `lab doctor` works where nothing is installed."""
    if name == "Bench":
        from lab.bench import Bench

        return Bench
    raise AttributeError(f"module 'lab' has no attribute {name!r}")
