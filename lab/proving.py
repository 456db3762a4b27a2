"""`lab run --all --times N --busy`: do the claims hold every time, even on a busy machine?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console

from lab.experiments import Experiment


@contextmanager
def all_cores_busy() -> Iterator[None]:
    """Keep every core at work for as long as the `with` lasts.

    Each hog ends by itself when its standard input closes: none survives us.
    """
    hog = "import sys, threading\nthreading.Thread(target=sys.stdin.read).start()\n"
    hog += "while threading.active_count() > 1: pass"
    command = [sys.executable, "-c", hog]
    hogs = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in hogs:
            process.kill()
            process.wait()


def prove(
    experiments: Sequence[Experiment],
    times: int,
    console: Console,
    options: Mapping[str, int] | None = None,
) -> bool:
    """Run each experiment so many times. Returns whether every claim held every time."""
    good = True
    for experiment in experiments:
        for attempt in range(1, times + 1):
            outcome = experiment.run(options)
            wrong = [claim.sentence for claim in outcome.claims if claim.holds is False]
            left_out = sum(claim.holds is None for claim in outcome.claims)
            count = f"{len(outcome.claims) - left_out - len(wrong)} claims hold"
            count += f", {left_out} left out on a busy machine" if left_out else ""
            said = f"{experiment.name}  {attempt}/{times}: {count}"
            console.print(said, highlight=False, soft_wrap=True)
            for sentence in wrong:
                good = False
                console.print(f"  NOT TRUE: {sentence}", style="red", markup=False, soft_wrap=True)
                console.print(str(outcome.rows), markup=False, soft_wrap=True)
    return good


def print_json(experiments: Sequence[Experiment], options: Mapping[str, int] | None = None) -> bool:
    """Print a list: per experiment its name, rows and claims. Returns whether all claims hold."""
    found: list[dict[str, Any]] = []
    for experiment in experiments:
        outcome = experiment.run(options)
        claims = [asdict(claim) for claim in outcome.claims]
        found.append({"name": experiment.name, "rows": outcome.rows, "claims": claims})
    click.echo(json.dumps(found, indent=2, default=str))
    return all(claim["holds"] is not False for each in found for claim in each["claims"])
