"""The work: a photo goes to a print lab, far away and slow. A plain function, no queue in sight."""

import time


def print_photo(name, seconds=0.25):
    """Send a photo to the print lab and wait for its answer.

    Raises `ValueError` when it is no photo.
    """
    print(f"begun: {name}", flush=True)
    if not name.endswith(".jpg"):
        raise ValueError(f"{name} is no photo")
    time.sleep(seconds)  # stands for the answer of a slow service: it blocks, and needs no core
    print(f"printed: {name}", flush=True)
    return f"{name} is on paper"
