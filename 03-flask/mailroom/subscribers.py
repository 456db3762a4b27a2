"""Given: reads the subscribers that somebody typed, pasted or uploaded."""

import csv
import re
from dataclasses import dataclass, field

# What a browser takes for an address: https://html.spec.whatwg.org/#valid-e-mail-address
# It takes dots in any place, and "=?". Python writes no mail to such an address.
LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
WORD = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"
ADDRESS = re.compile(rf"(?!.*=\?)(?=.{{1,64}}@){WORD}(?:\.{WORD})*@{LABEL}(?:\.{LABEL})*")
LONGEST = 254  # characters of an address: RFC 5321
WITH_NAME = re.compile(r"([^<>]*)<\s*([^<>]*?)\s*>")
HEADINGS = {"email", "e-mail", "mail", "address"}

LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # what nobody can see or type
# What has a meaning in the header of a mail. "=?" begins a piece in which a line can end unseen.
MARKS = re.compile(r"""[][()<>@,;:"\\]|=\?""")


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
    as well. Who stands there twice gets one mail. Marks that mean something in the header of a
    mail, such as commas, are left out of names.

    Raises `Unreadable` when it is too much, or no list at all.
    """
    found = Subscribers()
    # One line after the other: a list of all of them could take thirty times the memory of `text`.
    rows = csv.reader((line[0] for line in LINE.finditer(text)), delimiter=delimiter_of(text))
    column = None
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise Unreadable(f"Line {number} cannot be read: {error}. Take it out.") from error
        if row is None:
            return found
        if rows.line_num > number and "@" in "".join(row).replace("@", "", 1):
            raise Unreadable(f"Line {number} opens a quotation mark that nothing closes. Fix it.")
        if not all(map(str.isprintable, row)):
            row = [CONTROL.sub(" ", cell) for cell in row]
        cells = [" ".join(cell.split()) for cell in row]
        if number == 1 and (heading := HEADINGS & {cell.lower() for cell in cells}):
            column = [cell.lower() for cell in cells].index(heading.pop())
        elif any(cells):
            add(found, cells, column, number)
        if len(found.people) + len(found.bad) > most:
            raise Unreadable(f"These are more than {most:,} subscribers. Send them in parts.")


def delimiter_of(text: str) -> str:
    first = LINE.match(text)
    return max(",;\t", key=first[0].count) if first else ","


def add(found: Subscribers, cells: list[str], column: int | None, number: int) -> None:
    if column is None:
        column = next((place for place, cell in enumerate(cells) if "@" in cell), 0)
    cell = cells[column] if column < len(cells) else ""
    others = [each for place, each in enumerate(cells) if place != column and each]
    with_name = WITH_NAME.fullmatch(cell) if "<" in cell else None
    name, address = with_name.groups() if with_name else ("", cell)
    if len(address) <= LONGEST and ADDRESS.fullmatch(address):
        name = MARKS.sub(" ", (name or " ".join(others[:1]))[:1000])
        found.people.setdefault(address.lower(), " ".join(name.split())[:100])
    else:
        shown = cell[:60] + ("…" if len(cell) > 60 else "")
        found.bad[f"line {number}: {shown}"] = "this is not an e-mail address"
