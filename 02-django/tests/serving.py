"""What the tests share: the album's web server, and a visitor with a browser's cookies."""

import secrets
import sys
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image

from lab.bench import wait_until

MANAGE = [sys.executable, "manage.py"]
SIZES = ["large.jpg", "small.jpg"]


def serve(bench, env=None):
    """Gunicorn with two processes, as in production. Returns it and its address."""
    argv = [sys.executable, "-m", "gunicorn", "album.wsgi", "--bind", "{address}", "--workers", "2"]
    server = bench.serve([*argv, "--no-control-socket"], env=env)
    return server, server.url


class Visitor(httpx.Client):
    """Somebody with a browser. The first page brings the CSRF cookie."""

    def __init__(self, url: str, **options):
        super().__init__(base_url=url, **{"timeout": 30} | options)
        self.get("/").raise_for_status()

    @property
    def token(self) -> dict[str, str]:
        return {"X-CSRFToken": self.cookies["csrftoken"], "Referer": str(self.base_url)}

    def press(self, path: str, **data) -> httpx.Response:
        """What a button of a form does."""
        return self.post(path, data=data, headers=self.token)

    def upload(self, *photos: bytes, **options) -> httpx.Response:
        files = [("photos", (f"{number}.jpg", photo)) for number, photo in enumerate(photos)]
        return self.post("/upload", files=files, headers=self.token, **options)

    def upload_raw(self, body: bytes, content_type: str) -> httpx.Response:
        return self.post(
            "/upload", content=body, headers={**self.token, "Content-Type": content_type}
        )


def multipart(*parts: tuple[str, bytes, bytes, str]) -> tuple[bytes, str]:
    """A form by hand: field, name of the file as it is, content and its type.

    Clients clean the names that they send. A hostile one does not.
    """
    boundary = secrets.token_hex(8)
    body = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
        b"Content-Type: %s\r\n\r\n%s\r\n"
        % (boundary.encode(), field.encode(), name, kind.encode(), content)
        for field, name, content, kind in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def picture(kind: str = "JPEG", size=(640, 480), **options) -> bytes:
    """A photo that is noise: it does not compress away."""
    file = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def states(media: Path) -> dict[str, str]:
    """Every photo of every album, and what the files say of it."""
    found = {}
    for photo in media.glob("*/inbox/*"):
        album = photo.parent.parent
        ready, failed = album / "ready" / photo.name, album / "failed" / photo.name
        assert not (ready.exists() and failed.exists()), f"{photo.name} is ready and failed"
        found[photo.name] = (
            "ready" if ready.exists() else "failed" if failed.exists() else "waiting"
        )
        if ready.exists():
            assert sorted(path.name for path in ready.iterdir()) == SIZES
    return found


def wait_until_done(media: Path, count: int, worker) -> list[str]:
    """Wait until this many photos are ready or failed. Returns how they ended, sorted."""

    def all_done() -> list[str]:
        now = sorted(states(media).values())
        return now if len(now) == count and "waiting" not in now else []

    return wait_until(all_done, f"not all of {count} are done", timeout=200, log=worker.log)
