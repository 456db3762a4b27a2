"""Given: somebody who sends mailings without a browser.

python client.py send --subscribers 300      starts a mailing, and watches it
python client.py status                      looks at it again
python client.py resume                      sends what is missing
"""

import sys
import time
from pathlib import Path

import click
import httpx

SITE = "http://127.0.0.1:8000"
LAST = Path("last-mailing")  # a file with the address of the mailing that was sent last
PARTS = ("sent", "failed", "unconfirmed", "retrying")


@click.group()
def client() -> None:
    """Speak to the mailroom as a program does: in JSON."""


@client.command()
@click.option("--subscribers", default=300)
@click.option("--nobody", default=0, help="So many more, whom the mail server does not know.")
@click.option("--cancel-at", default=0, help="Cancel when so many mails have an outcome.")
@click.option("--wait/--no-wait", default=True, help="Watch it until it is over.")
def send(subscribers: int, nobody: int, cancel_at: int, wait: bool) -> None:
    """Start a mailing."""
    guests = [f"guest{number}@example.org, Guest {number}" for number in range(subscribers)]
    guests += [f"nobody{number}@example.org" for number in range(nobody)]
    mail = {"subject": "The harbour at dusk", "text": "Your album is ready."}
    answer = speak("POST", "/mailings", data=mail | {"subscribers": "\n".join(guests)})
    print(answer.status_code, answer.reason_phrase)
    for name in ("Location", "Retry-After"):
        if name in answer.headers:
            print(f"{name}: {answer.headers[name]}")
    if answer.status_code != 202:
        sys.exit(answer.json()["help"])
    LAST.write_text(f"{SITE}{answer.headers['Location']}\n")
    if wait:
        watch(cancel_at)


@client.command()
def status() -> None:
    """Look at the mailing that was sent last, until it is over or does not move."""
    watch()


@client.command()
def resume() -> None:
    """Send what is missing of the mailing that was sent last."""
    speak("POST", f"{LAST.read_text().strip()}/resume")
    watch()


def watch(cancel_at: int = 0) -> None:
    """Say how the last mailing stands whenever that changes, for ten seconds without a change."""
    url, before, since = LAST.read_text().strip(), "", time.monotonic()
    while time.monotonic() - since < 10:
        now = speak("GET", url)
        if now.status_code != 200:
            sys.exit(f"{now.status_code}: {now.json()['error']}")
        if (line := told(mailing := now.json())) != before:
            print(line)
            before, since = line, time.monotonic()
        if mailing["over"]:
            break
        if cancel_at and mailing["done"] >= cancel_at:
            speak("POST", f"{url}/cancel")
        time.sleep(0.2)
    else:
        print("Nothing has changed for ten seconds. Look again:  python client.py status")
    for address, reason in (mailing["failures"] | mailing["doubts"]).items():
        print(f"  {address}: {reason}")


def told(mailing: dict) -> str:
    """One line about a mailing."""
    line = f"{mailing['state']}: {mailing['done']} of {mailing['total']}"
    numbers = [f"{mailing[part]} {part}" for part in PARTS if mailing[part]]
    return f"{line} ({', '.join(numbers)})" if numbers else line


def speak(method: str, path: str, **body) -> httpx.Response:
    """A request to the mailroom. One that was started this moment gets some seconds."""
    for _ in range(20):
        try:
            url = path if path.startswith("http") else SITE + path
            return httpx.request(method, url, timeout=60, **body)
        except httpx.ConnectError:
            time.sleep(0.5)
    sys.exit(f"Nobody answers at {SITE}. Start it:  flask --app mailroom run --port 8000")


if __name__ == "__main__":
    client()
