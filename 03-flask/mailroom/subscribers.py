"""Reads the subscribers that somebody typed, pasted or uploaded."""

import csv
import re
from dataclasses import dataclass, field
from email.utils import parseaddr

# What a browser takes for an address: https://html.spec.whatwg.org/#valid-e-mail-address
LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
ADDRESS = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{LABEL}(?:\.{LABEL})*")
LONGEST = 254  # characters of an address: RFC 5321
HEADINGS = {"email", "e-mail", "mail", "address"}


class Unreadable(ValueError):
    """Nobody can read this. The text says why, and what to do."""


@dataclass
class Subscribers:
    """`people`: address -> name. `bad`: what stands where an address should -> why it is none."""

    people: dict[str, str] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)


def decode(content: bytes) -> str:
    """The text of a file."""
    try:
        return content.decode("utf-8-sig")  # -sig: Excel writes a mark at the beginning
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"The file is not UTF-8: line {line} cannot be read. "
            "Save it again with the encoding UTF-8 (in Excel: CSV UTF-8)."
        ) from error


def read(text: str, most: int) -> Subscribers:
    """One subscriber a line: `address`, `address, name`, or `Name <address>`.

    A first line that names columns ("email", "name") may change their order. `;` and tab separate
    as well. Who stands there twice gets one mail.

    Raises `Unreadable` when it is too much, or no list at all.
    """
    found = Subscribers()
    lines = text.splitlines()
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    column = None
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            cells = [" ".join(cell.split()) for cell in row]
            if number == 1 and (heading := HEADINGS & {cell.lower() for cell in cells}):
                column = [cell.lower() for cell in cells].index(heading.pop())
                continue
            if any(cells):
                add(found, cells, column, number)
            if len(found.people) + len(found.bad) > most:
                raise Unreadable(f"These are more than {most:,} subscribers. Send them in parts.")
    except csv.Error as error:
        raise Unreadable(f"This is not a list of addresses: {error}.") from error
    return found


def add(found: Subscribers, cells: list[str], column: int | None, number: int) -> None:
    if column is None:
        column = next((place for place, cell in enumerate(cells) if "@" in cell), 0)
    cell = cells[column] if column < len(cells) else ""
    others = [each for place, each in enumerate(cells) if place != column and each]
    name, address = parseaddr(cell) if "<" in cell and len(cell) < 1000 else ("", cell)
    if len(address) <= LONGEST and ADDRESS.fullmatch(address):
        found.people.setdefault(address.lower(), (name or " ".join(others[:1]))[:100])
    else:
        shown = cell[:60] + ("…" if len(cell) > 60 else "")
        found.bad[f"line {number}: {shown}"] = "this is not an e-mail address"
