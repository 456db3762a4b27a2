"""The printing machine. It is complete: nothing is to be done here."""

import os
import time

# Seconds. No print takes longer.
LONGEST_PRINT = int(os.environ.get("LONGEST_PRINT", "15"))
LEDGER = os.environ.get("LEDGER", "ledger.txt")


def print_photo(photo):
    """Print a photo, and write into the ledger when it has begun and ended, and who did it."""
    began = time.strftime("%H:%M:%S")
    time.sleep(LONGEST_PRINT)
    with open(LEDGER, "a") as ledger:
        ledger.write(f"{photo}: {began} to {time.strftime('%H:%M:%S')}, process {os.getpid()}\n")
