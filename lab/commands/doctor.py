"""`lab doctor`: what is here, what is missing, and how to install it."""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import socket
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from lab import chapters
from lab.bench import NoServer, server_binary
from lab.machine import BROWSERS


class Say(Protocol):
    def __call__(self, good: bool | None, text: str) -> None: ...


@dataclass(frozen=True)
class Tool:
    """A program that some chapter can use and that pip cannot install."""

    name: str
    programs: tuple[str, ...]
    purpose: str
    debian: str
    macos: str

    def path(self) -> str | None:
        found = (shutil.which(program, path=search_path()) for program in self.programs)
        return next(filter(None, found), None)


OPTIONAL = (
    Tool(
        "redis-server",
        ("redis-server",),
        "encrypted connections; to try the course on Redis itself",
        "redis-server",
        "redis",
    ),
    Tool(
        "rabbitmq-server",
        ("rabbitmq-server",),
        "the other broker",
        "rabbitmq-server",
        "rabbitmq",
    ),
    Tool(
        "chromium",
        BROWSERS,
        "the tests of web pages",
        "chromium",
        "--cask chromium",
    ),
    Tool("curl", ("curl",), "requests by hand, in chapter 03", "curl", "curl"),
)


def search_path() -> str:
    """The PATH, and where Debian keeps servers that an ordinary user's PATH leaves out."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def examine(console: Console) -> bool:
    """Print the findings. Return whether at least one chapter is ready."""

    def say(good: bool | None, text: str) -> None:
        mark = {True: "[green]ok[/green]     ", False: "[red]missing[/red]", None: "-      "}[good]
        console.print(f"{mark}  {escape(text)}", highlight=False, soft_wrap=True)

    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    python_good = sys.version_info >= (3, 11)
    say(python_good, f"Python {platform.python_version()} on {system}")
    celery_good = say_celery(say)
    broker_good = say_broker(say)
    here = set()
    for tool in OPTIONAL:
        if path := tool.path():
            here.add(tool.name)
            say(True, f"{tool.name}: {path}")
        else:
            say(None, f"{tool.name} is not here. It is optional: {tool.purpose}.")
            console.print(f"           {install(tool)}", highlight=False)
    say_port(say)

    console.print()
    ready = False
    for chapter in chapters.all_chapters():
        lacking = [need for need in chapter.needs if need not in here]
        if not (python_good and celery_good and broker_good):
            lacking.append("what is marked as missing above")
        if packages := not_installed(chapter):
            lacking.append(f"{', '.join(packages)} (type `make install`)")
        state = f"needs {', '.join(lacking)}" if lacking else "ready"
        console.print(f"{chapter.name}: {state}", highlight=False)
        ready = ready or not lacking
    return ready


def not_installed(chapter: chapters.Chapter) -> list[str]:
    """The packages of a chapter's `requirements.txt` that are not here."""
    lines = (chapter.folder / "requirements.txt").read_text().splitlines()
    missing = []
    for name in (re.split(r"[\[<>=~! ]", line)[0] for line in lines):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return missing


def say_celery(say: Say) -> bool:
    # The last one is what fails when a version does not fit. Without redis it fails with an error
    # of its own that names nothing, so each is asked for.
    for name in ("celery", "kombu", "redis", "kombu.transport.redis"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            say(False, f'Celery with Redis ({error}). Install it:  pip install "celery[redis]"')
            return False
    celery, client = metadata.version("celery"), metadata.version("redis")
    say(True, f"Celery {celery} with redis-py {client}")
    return True


def say_broker(say: Say) -> bool:
    try:
        binary = Path(server_binary())
        inside = binary.is_relative_to(chapters.ROOT)
        say(True, f"a broker to start: {binary.relative_to(chapters.ROOT) if inside else binary}")
    except NoServer as error:
        say(False, str(error))
        return False
    return True


def say_port(say: Say) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 6379))  # asks without disturbing whoever is there
        except OSError:
            say(None, "port 6379 is taken: the lessons will use what runs there")
        else:
            say(True, "port 6379 is free for `lab broker`")


def install(tool: Tool) -> str:
    if platform.system() == "Darwin":
        return f"Install it:  brew install {tool.macos}"
    return f"Install it:  sudo apt install {tool.debian}"
