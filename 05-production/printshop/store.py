"""Given: files that are there whole or not at all, and that are written once."""

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_once(path: Path, facts: dict) -> bool:
    """Keep `facts` at `path`, on the disk. Return False, and change nothing, if it is there.

    A file gets its name when all of it is written. Of two that write at once, one is the first.
    """
    with NamedTemporaryFile("w", dir=path.parent, prefix=".", suffix=".new") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
    sync(path.parent)
    return True


def sync(folder: Path) -> None:
    """The names in a folder have to reach the disk as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
