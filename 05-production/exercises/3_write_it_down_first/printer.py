"""The printer. It is complete: nothing is to be done here."""

import os
import time
from pathlib import Path

FOLDER = Path(os.environ.get("PRINTER", "."))


def print_photo(photo):
    """Print a photo. While the file "stopped" lies in its folder, the printer stands still."""
    while (FOLDER / "stopped").exists():
        time.sleep(0.02)
    with open(FOLDER / "prints.txt", "a") as file:
        file.write(f"{photo}\n")
