"""What differs between two runs of a notebook, or two machines, is taken out of its outputs."""

from __future__ import annotations

import copy
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any

# What is found, and what stands there afterwards. No replacement is found again.
DIFFERENT_EACH_TIME: Sequence[tuple[str, str]] = (
    (r"\bgen\d+@[\w.-]+", "gen...@..."),  # how Celery names a sender: its process and its host
    (rf"@{re.escape(socket.gethostname())}\b", "@..."),
    (r"\b(pid|process)([ =:]+)\d{3,}", r"\1\2..."),
    (r"\b(127\.0\.0\.1|localhost):\d{4,5}", r"\1:..."),
    (r"(?<![\w.:/<])/(?:[\w.+~-]+/)+([\w.+~-]+)", r".../\1"),  # a path from the root: its end
    (r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:[.,]\d+)?", r"YYYY-MM-DD\1HH:MM:SS"),
    (r"\b\d+(?:\.\d+)? (s|ms|seconds)\b", r"... \1"),
    (r"\b\d+\.\d+(s|ms)\b", r"...\1"),
    (r"\b0x[0-9a-f]{6,}", "0x..."),
)
UUID = r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"


def scrub(notebook: Any) -> Any:
    """A copy of a notebook without what differs between two runs or two machines.

    Ids of tasks become numbers in the order in which they appear: one can still see where the same
    id comes again. To scrub twice changes nothing. Pictures stay as they are.
    """
    clean = copy.deepcopy(notebook)
    clean.metadata = type(notebook)(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    replacement = scrubber()
    for cell in clean.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = replacement(output.text)
            for kind, value in output.get("data", {}).items():
                if kind.startswith("text/") and isinstance(value, str):
                    output.data[kind] = replacement(value)
    return clean


def scrubber() -> Callable[[str], str]:
    """A function that scrubs one text after another, and remembers the ids it has met."""
    met: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        return met.setdefault(match[0], f"00000000-0000-0000-0000-{len(met) + 1:012}")

    def replacement(text: str) -> str:
        for pattern, instead in DIFFERENT_EACH_TIME:
            text = re.sub(pattern, instead, text)
        return re.sub(UUID, numbered, text)

    return replacement
