"""Make the outputs of notebooks again:

python -m lab.authoring.notebooks                                 all of `tutorials/`
python -m lab.authoring.notebooks tutorials/01-first-steps.ipynb
"""

from __future__ import annotations

from pathlib import Path

import click

from lab.authoring.notebooks.run import regenerate
from lab.chapters import TUTORIALS
from lab.machine import cores_are_idle


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(paths: tuple[Path, ...]) -> None:
    """Make the outputs of notebooks again: of PATHS, or of all in `tutorials/`."""
    if not cores_are_idle():
        click.echo("This machine is busy, and the pictures will show it. Look at them twice.")
    for path in paths or sorted(TUTORIALS.glob("*.ipynb")):
        click.echo(f"{path.name} ... ", nl=False)
        click.echo(regenerate(path))


if __name__ == "__main__":
    main()
