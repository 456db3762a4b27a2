"""Messages as Celery prints them. In them `...` stands for what varies, as it does on a page."""

from __future__ import annotations

import re

# A name, an id, an address or a path is shorter than this.
ANYTHING = ".{0,200}?"


def words(text: str) -> str:
    """A text on one line. How its lines were broken does not matter."""
    return " ".join(text.split())


def pattern(message: str) -> str:
    """A regular expression that finds the message in `words` of a text."""
    return ANYTHING.join(map(re.escape, words(message).split("...")))


def says(text: str, message: str) -> bool:
    """Whether the message stands somewhere in the text."""
    return re.search(pattern(message), words(text)) is not None


def literal(message: str) -> int:
    """How many characters of the message do not vary: the more, the surer a match is."""
    return len(words(message).replace("...", ""))


# Similar messages

# Similar enough, of 100. Two texts that have nothing to do with each other reach 60.
SIMILAR = 82
# A text of a few words must stand there as it is: any long text resembles it.
FEW = 20
# In a shorter text there is nothing to compare.
SHORTEST = 6

VARYING = re.compile(
    r"\x1b\[[0-9;]*m"  # colours
    r"|(?:[\w.]+\[)?\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b\]?"  # ids, a task's name before
    r"|\w+://\S+|[\w.-]+:\d+|(?:/[\w.-]+)+"  # addresses, hosts with ports, paths
    r"|(?<=')[^'\s]*[./\d][^'\s]*(?=')"  # quoted names of tasks, modules, files
    r"|\d+(?:\.\d+)*|\.\.\."  # numbers, and our own dots
)


def likeness(message: str, text: str) -> float:
    """How similar the message is to a part of the text, or the text to a part of the message.

    100 is the same, 0 is not similar enough. What varies does not count.
    """
    from rapidfuzz import fuzz

    message, text = words(message), words(text)
    short, long = sorted((message, text), key=len)
    if len(text) < SHORTEST or not quoted(short) <= set(re.findall(r"\w+", long)):
        return 0
    ours, theirs = (VARYING.sub("*", each).lower() for each in (message, text))
    cutoff = SIMILAR if min(len(ours), len(theirs)) > FEW else 100
    return fuzz.partial_ratio(ours, theirs, score_cutoff=cutoff)


def quoted(text: str) -> set[str]:
    """The plain names in quotes: No module named 'redis' is not No module named 'packaging'."""
    return set(re.findall(r"'(\w+)'", text))
