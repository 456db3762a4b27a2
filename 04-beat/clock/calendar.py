"""Given: `python -m clock.calendar` is short for `lab calendar -A clock`, with the same options.

The calendar is a tool of the course, and works on any Celery app. This example needs it not.
"""

import os
import sys
from pathlib import Path

# Beside the Python that runs this: a program `lab` somewhere else may be another one.
LAB = Path(sys.executable).with_name("lab")

if __name__ == "__main__":
    if not LAB.exists():
        sys.exit(
            f"The calendar is a part of the course, and there is no {LAB}. In the folder of the "
            "course, type:  source .venv/bin/activate"
        )
    os.execv(LAB, [str(LAB), "calendar", "-A", "clock", *sys.argv[1:]])
