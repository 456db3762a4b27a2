"""Given: the album on the disk. The files are the state, and every change is one rename.

    <MEDIA_ROOT>/<album>/inbox/<photo>         what a visitor sent. Never served
    <MEDIA_ROOT>/<album>/ready/<photo>/        its thumbnails
    <MEDIA_ROOT>/<album>/failed/<photo>        the reason why there are none

Both names are ours: no name that a visitor chose ever becomes a path.
"""

import secrets
import shutil
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class Photo:
    """One photo of an album. `number` counts from 1, in the order of arrival."""

    album: str
    name: str
    number: int = 0

    def path(self, part: str) -> Path:
        return settings.MEDIA_ROOT / self.album / part / self.name

    @cached_property
    def state(self) -> str:
        """What the files say, once for each page: "ready", "failed" or "waiting"."""
        if self.path("ready").exists():
            return "ready"
        return "failed" if self.path("failed").exists() else "waiting"

    @property
    def reason(self) -> str:
        """Why it failed. Empty when another page has let it try again this moment."""
        try:
            return self.path("failed").read_text()
        except FileNotFoundError:
            return ""

    @property
    def age(self) -> float:
        """Seconds since it was sent, or sent again. 0 when it was removed this moment."""
        try:
            return time.time() - self.path("inbox").stat().st_mtime
        except FileNotFoundError:
            return 0

    @property
    def job(self) -> tuple[str, str, str]:
        """What the task `make` needs to know."""
        return tuple(str(self.path(part)) for part in ("inbox", "ready", "failed"))

    def try_again(self) -> None:
        self.path("inbox").touch()
        self.path("failed").unlink(missing_ok=True)

    def remove(self) -> None:
        ready = self.path("ready")
        for folder in ready.parent.glob(f"{self.name}*"):  # what was never finished, too
            shutil.rmtree(folder, ignore_errors=True)
        self.path("failed").unlink(missing_ok=True)
        self.path("inbox").unlink(missing_ok=True)


def new_album() -> str:
    """A name that nobody can guess: whoever has it, has the album."""
    return secrets.token_hex(16)


def add(album: str, upload) -> Photo:
    """Keep an upload. It counts as sent when it has its name: not before it is whole."""
    photo = Photo(album, f"{time.time_ns()}-{secrets.token_hex(4)}")
    inbox = photo.path("inbox").parent
    for part in ("inbox", "ready", "failed"):
        (inbox.parent / part).mkdir(parents=True, exist_ok=True)
    unfinished = inbox.parent / f"{photo.name}.part"
    with open(unfinished, "wb") as file:
        for chunk in upload.chunks():
            file.write(chunk)
    unfinished.rename(photo.path("inbox"))
    return photo


def photos(album: str) -> list[Photo]:
    """The photos of an album, in the order of arrival."""
    inbox = settings.MEDIA_ROOT / album / "inbox"
    names = sorted(path.name for path in inbox.iterdir()) if inbox.exists() else []
    return [Photo(album, name, number) for number, name in enumerate(names, 1)]


def find(album: str, name: str) -> Photo | None:
    """The photo with this name, if this album has it."""
    return next((photo for photo in photos(album) if photo.name == name), None)


def all_albums() -> list[str]:
    root = settings.MEDIA_ROOT
    return sorted(path.name for path in root.iterdir()) if root.exists() else []
