"""`lab notebook`: JupyterLab on the notebooks of the course."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import socket
import sys
from pathlib import Path

import click

from lab.authoring.notebooks.run import FOLDERS
from lab.chapters import ROOT, TUTORIALS

# It asks whether it may show news, and asks the network for a newer version.
NOT_NEEDED = {"@jupyterlab/apputils-extension:announcements": True}


def run_jupyter(port: int | None, browser: bool) -> None:
    """Become JupyterLab, opened at `tutorials/`, on the loopback interface, until Ctrl-C.

    The whole course can be reached from there: notebooks link to lessons and experiments.
    This process becomes the server: every signal reaches it, and nothing of us is left between.
    Its settings lie in `.venv`.

    Raises `click.ClickException` when JupyterLab is not installed, or the port is taken.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise click.ClickException(
            "JupyterLab is not installed. `make test` installs it, and so does this, in the "
            "folder of the course:  python3 bootstrap.py test"
        )
    with socket.socket() as probe:
        # A server that has ended leaves its port half closed for a minute. That is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port or 0))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} cannot be used ({error.strerror}). Take a free one:  lab notebook"
            ) from None
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    settings = {each: str(Path(sys.prefix) / "var" / each.lower()) for each in FOLDERS}
    labconfig = Path(settings["JUPYTER_CONFIG_DIR"]) / "labconfig"
    labconfig.mkdir(parents=True, exist_ok=True)
    (labconfig / "page_config.json").write_text(json.dumps({"disabledExtensions": NOT_NEEDED}))
    command = [
        *(sys.executable, "-m", "jupyterlab", str(ROOT)),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *("-y", "--allow-root"),  # Ctrl-C asks nothing; in a container everybody is root
        *("--ServerApp.log_level=WARN", "--LabApp.log_level=WARN"),
        *(
            f"--ServerApp.open_browser={browser}",
            f"--LabApp.default_url=/lab/tree/{TUTORIALS.name}",
        ),
        "--LanguageServerManager.autodetect=False",  # it would call npm, which writes to HOME
    ]
    address = f"http://127.0.0.1:{port}/lab/tree/{TUTORIALS.name}?token={token}"
    click.echo(f"JupyterLab starts at {address}\nCtrl-C stops it.")
    sys.stdout.flush()
    os.execve(sys.executable, command, {**os.environ, **settings, "JUPYTER_TOKEN": token})
