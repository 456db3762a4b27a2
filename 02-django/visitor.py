"""Given: a visitor without a browser: sends photos, and watches what becomes of them.

python visitor.py --photos 12 --broken 1
"""

import io
import re
import sys
import time

import click
import httpx
from PIL import Image

SITE = "http://127.0.0.1:8000"


@click.command()
@click.option("--photos", default=12, help="How many photos.")
@click.option("--broken", default=0, help="How many of them end in the middle.")
@click.option("--patience", default=120.0, help="Look for so long (seconds).")
def visit(photos: int, broken: int, patience: float) -> None:
    """Send some photos to the album, and watch the page until none is waiting."""
    with httpx.Client(base_url=SITE, follow_redirects=True, timeout=60) as browser:
        try:
            page = arrive(browser)
        except httpx.ConnectError:
            sys.exit(f"Nobody answers at {SITE}. Start the site:  python manage.py runserver")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        files = [draw(number, number >= photos - broken) for number in range(photos)]
        page = browser.post("/upload", data={"csrfmiddlewaretoken": token}, files=files)
        print(f"{photos} photos sent.", *said(page.text))
        until = time.monotonic() + patience
        while "waiting" in (states := look(page.text)) and time.monotonic() < until:
            time.sleep(0.5)
            page = browser.get("/photos")
        print(", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))))
        print(*said(page.text), sep="\n", end="")


def arrive(browser: httpx.Client) -> httpx.Response:
    """Open the page. A site that was started this moment gets ten seconds."""
    for _ in range(20):
        try:
            return browser.get("/")
        except httpx.ConnectError:
            time.sleep(0.5)
    return browser.get("/")


def draw(number: int, broken: bool) -> tuple[str, tuple[str, bytes]]:
    """A photo of two colours; half of one, if it is to be broken."""
    photo = Image.new("RGB", (2400, 1800), (20 * number % 255, 90, 120))
    photo.paste((240, 200, 20 * number % 255), (600, 450, 1800, 1350))
    file = io.BytesIO()
    photo.save(file, "JPEG")
    whole = file.getvalue()
    return ("photos", (f"{number}.jpg", whole[: len(whole) // 2] if broken else whole))


def look(html: str) -> list[str]:
    """The state of each photo on the page."""
    return re.findall(r'<li[^>]*class="[^"]*\b(ready|failed|waiting)\b', html)


def said(html: str) -> list[str]:
    """What the page says to the visitor, without its tags."""
    told = re.findall(r'<p class="message[^>]*>(.*?)</p>', html, re.S)
    told += re.findall(r"<strong>((?:Waiting|The queue).*?)</strong>", html, re.S)
    return [re.sub(r"<[^>]+>|\s+", " ", each).strip() for each in told]


if __name__ == "__main__":
    visit()
