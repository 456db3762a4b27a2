"""The mailroom as the studio meets it: in a real browser, with and without JavaScript, with a mouse
and with the keyboard alone. axe-core looks for what would stop a program that reads aloud.

When a process is asleep in a test, it stands still in the middle of everything (SIGSTOP): so the
page shows what it has to show until it was seen, on any machine.
"""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from serving import Mailroom, people

from lab import Bench
from lab.bench import wait_until
from lab.testing.browsing import DESK, PHONE

CHAPTER = Path(__file__).parent.parent
# Notes every value of the progress bar, and the milliseconds since the page was opened.
RECORDER = """
window.seen = []
addEventListener("DOMContentLoaded", () => {
    const note = () => {
        const bar = document.querySelector("progress")
        if (bar && bar.value !== seen.at(-1)?.[0]) seen.push([bar.value, performance.now()])
    }
    note()
    new MutationObserver(note).observe(document, {subtree: true, childList: true, attributes: true})
})
"""


@pytest.fixture(scope="module")
def room(bench):
    """A mailroom that takes its time: a mailing of 300 lasts long enough to be watched.

    After some mails its mail server breaks the connection, and nobody knows.
    """
    with Bench(CHAPTER) as own:
        yield Mailroom(own, mail=["--swallow", "0.03"], RATE="75/second")


@pytest.fixture
def visit(open_page, room):
    """Opens a page of the mailroom, and notes what its progress bar shows."""
    return lambda path="/", **options: open_page(room.url + path, script=RECORDER, **options)


def button(page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def expect_state(page, text: str) -> None:
    expect(page.get_by_role("status")).to_have_text(text)


def send(page, subscribers: str, file: bytes | None = None) -> str:
    """Fill in the form and send it. Returns the path of the mailing."""
    page.get_by_label("Subject").fill("The harbour at dusk")
    page.get_by_label("Text").fill("Your album is ready.")
    page.get_by_label("Subscribers").fill(subscribers)
    if file is not None:
        upload = {"name": "guests.csv", "mimeType": "text/csv", "buffer": file}
        page.get_by_label("Or a CSV file of them").set_input_files(upload)
    button(page, "Send").click()
    return path_of(page)


def path_of(page) -> str:
    """The address of a mailing. Its page puts it in the place of the form's."""
    expect(page.locator("#mailing")).to_be_visible()
    return page.locator("#mailing").get_attribute("data-url")


FOCUS = """() => {
    const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement)
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2
}"""


def tab_to(page, goal) -> None:
    """Press Tab until it is there. At every stop, one sees where the keyboard is."""
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS), page.evaluate("document.activeElement.outerHTML")
        if goal.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the Tab key does not lead to {goal}")


def follow(room, page, path: str) -> None:
    """Until it is over: whatever number the server tells a program, the page soon shows as well."""
    over = False
    while not over:
        now = room.status(path)
        over = now["over"]
        page.wait_for_function(
            "done => document.querySelector('progress').value >= done", arg=now["done"]
        )


LOOKS = """() => performance.getEntriesByType("resource")
    .filter((entry) => entry.initiatorType === "fetch")
    .map((entry) => [entry.startTime, entry.responseEnd])"""


def must_have_moved(page) -> None:
    """The bar went on in steps, never back. The page asked again within a second.

    A busy machine makes some pauses longer. The shortest is the one that the page chose.
    """
    seen = page.evaluate("window.seen")
    values, times = zip(*seen, strict=True)
    assert list(values) == sorted(values), f"the bar went back: {values}"
    assert len(values) >= 3, f"the bar jumped: {values}"
    looks = page.evaluate(LOOKS)
    pauses = [start - end for (_, end), (start, _) in pairwise(looks)]
    assert min(pauses) < 1000, f"the page asked too seldom: {pauses} milliseconds"
    largest = max(after - before for before, after in pairwise(times))
    print(f"the bar took {len(values)} values; {largest:.0f} ms at most between two")


def test_300_typed_with_the_keyboard_alone(visit, room):
    page = visit()
    tab_to(page, page.get_by_label("Subject"))
    page.keyboard.type("The harbour at dusk")
    tab_to(page, page.get_by_label("Text"))
    page.keyboard.type("Your album is ready.")
    tab_to(page, page.get_by_label("Subscribers"))
    page.keyboard.insert_text(people(300, "typed") + "\nnobody@example.org, Nobody\nada at home")
    tab_to(page, button(page, "Send"))
    page.keyboard.press("Enter")

    path = path_of(page)
    page.evaluate("window.same = 'the page was never loaded again'")
    follow(room, page, path)
    expect_state(page, "Done.")
    assert page.evaluate("window.same") == "the page was never loaded again"
    must_have_moved(page)

    now = room.status(path)
    assert (now["sent"] + now["unconfirmed"], now["failed"]) == (300, 2)
    assert now["doubts"], "the mail server should have swallowed some"
    expected = {
        "nobody@example.org": "550 5.1.1 there is nobody with this name",
        "line 302: ada at home": "this is not an e-mail address",
        **now["doubts"],
    }
    expect(page.locator("dt")).to_have_count(len(expected))
    shown = zip(
        page.locator("dt").all_text_contents(), page.locator("dd").all_text_contents(), strict=True
    )
    assert dict(shown) == expected
    assert all("no answer came back" in reason for reason in now["doubts"].values())
    headings = page.get_by_role("heading", level=2).all_text_contents()
    assert headings == ["Failed", "Unconfirmed"]

    mails = len(room.ledger())
    page.reload()  # it was a POST once
    expect_state(page, "Done.")
    assert page.url == room.url + path
    assert len(room.ledger()) == mails
    with page.expect_download() as download:
        page.get_by_role("link", name="Report of all 302 as a CSV file").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 303 and lines[0] == "address,outcome,reason"


def value(page) -> int:
    return page.evaluate("document.querySelector('progress').value")


def wait_for_two_moves(page) -> None:
    for _ in range(2):
        page.wait_for_function(
            "before => document.querySelector('progress').value > before", arg=value(page)
        )


def test_1000_from_a_file_and_cancel_stops_them(visit, room):
    names = people(1000, "filed").splitlines()
    rows = [",".join(reversed(line.split(", "))) for line in names]
    page = visit()
    path = send(page, "", "\n".join(["name,email", *rows]).encode())
    cancel = button(page, "Cancel the rest")
    cancel.focus()
    wait_for_two_moves(page)
    expect(cancel).to_be_focused()  # what is new on the page did not take the keyboard away

    cancel.hover()
    page.mouse.down()
    wait_for_two_moves(page)  # a slow finger: the button must be the same when it comes up
    assert room.status(path)["state"] == "running"
    pressed = time.time()
    page.mouse.up()
    expect_state(page, "Cancelled.")
    mails = len(room.ledger())
    expect(cancel).to_have_count(0)

    broker = room.bench.broker.client
    wait_until(
        lambda: broker.llen("celery") == 0 and broker.zcard("unacked_index") == 0,
        "the worker has not laid aside what was queued",
        timeout=60,
        log=room.logs,
    )
    now = room.wait_until_over(path)
    taken = room.ledger()
    assert len(taken) - mails <= 2, "more than the two that were under way went out"
    assert now["done"] < now["total"] == 1000
    expect(page.locator("#progress p")).to_contain_text(f"{now['done']} of 1000: ")
    print(f"the last mail left {taken[-1]['at'] - pressed:.2f} s after the button was pressed")


def test_without_javascript_the_page_loads_itself_again(visit, room):
    page = visit(java_script_enabled=False)
    with room.mail.asleep():
        path = send(page, people(40) + "\nnobody@example.org")
        room.wait_for(path, "no mail is under way", lambda now: now["under_way"] == 2)
        expect_state(page, "Running.")
    expect_state(page, "Done.")
    expect(page.locator("#outcomes")).to_contain_text("there is nobody with this name")
    assert page.locator("noscript").count() == 0, "a page whose mailing is over keeps still"

    page.goto(room.url)
    with room.mail.asleep():
        path = send(page, people(40))
        room.wait_for(path, "no mail is under way", lambda now: now["under_way"] == 2)
        button(page, "Cancel the rest").click()
        expect_state(page, "Cancelled.")
        expect(page.locator("#progress p")).to_contain_text("2 under way")
    expect(page.locator("#progress p")).not_to_contain_text("under way")
    room.wait_until_over(path)


def test_who_presses_twice_starts_one_mailing(visit, room):
    page = visit()
    page.get_by_label("Subject").fill("Once")
    page.get_by_label("Text").fill("Only once.")
    page.get_by_label("Subscribers").fill(people(5, "once"))
    box = button(page, "Send").bounding_box()
    with room.server.asleep():  # nothing happens, so one presses again
        for _ in range(2):
            with page.expect_request("**/mailings"):
                page.mouse.click(box["x"] + 5, box["y"] + 5)
    expect_state(page, "Done.")
    mails = room.mails_by_address()
    assert [mails[f"once{number}@example.org"] for number in range(5)] == [1] * 5


def test_a_form_that_is_refused_comes_back_filled_in(visit, room):
    page = visit()
    page.get_by_label("Subject").fill("The <b>harbour</b>")
    page.get_by_label("Text").fill("Look & see.")
    page.get_by_label("Subscribers").fill("ada at home")
    button(page, "Send").click()
    expect(page.get_by_role("alert")).to_have_text(
        "There is no e-mail address among the subscribers."
    )
    expect(page.get_by_label("Subject")).to_have_value("The <b>harbour</b>")
    expect(page.get_by_label("Text")).to_have_value("Look & see.")
    expect(page.get_by_label("Subscribers")).to_have_value("ada at home")
    page.get_by_label("Subscribers").fill(people(2))
    button(page, "Send").click()
    expect_state(page, "Done.")
    expect(page.get_by_role("heading", level=1)).to_have_text("The <b>harbour</b>")


def test_a_page_that_watches_says_when_the_mailing_is_forgotten(visit, room):
    with room.mail.asleep():
        page = visit()
        path = send(page, people(2))
        expect_state(page, "Running.")
        forget(room, path)
        expect(page.get_by_role("heading", level=1)).to_have_text("This mailing is over.")


def forget(room, path: str) -> None:
    """What time does: Redis forgets the mailing, and not that there has been one."""
    assert room.bench.broker.client.expire(f"mailroom:{path.split('/')[-1]}", 0)


def expect_accessible(page, what: str) -> None:
    """axe-core finds nothing serious, on a desk and on a phone. Nothing sticks out at the side."""
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        found = Axe().run(page).response["violations"]
        serious = [
            f"{each['id']}: {each['help']}: {each['nodes'][0]['html']}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"{what}, {size['width']} pixels wide"
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{what} is {wide} pixels wide"


def test_axe_finds_nothing_serious_in_the_form(visit, room):
    page = visit()
    expect_accessible(page, "the form")
    page.get_by_label("Subject").fill("The harbour at dusk")
    page.get_by_label("Text").fill("Your album is ready.")
    button(page, "Send").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect_accessible(page, "the form with an error")


def test_axe_finds_nothing_serious_in_a_mailing(visit, room):
    long = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example"
    with room.mail.asleep():
        page = visit()
        path = send(page, people(30, "axe") + f"\nnobody@example.org\n{'very' * 40}\nnobody{long}")
        expect_state(page, "Running.")
        expect_accessible(page, "a mailing that runs")
    expect_state(page, "Done.")
    expect_accessible(page, "a mailing with failures")
    with room.worker.asleep():
        page = visit()
        path = send(page, people(30))
        expect_state(page, "Waiting for a worker.")
        expect_accessible(page, "a mailing that waits")
        button(page, "Cancel the rest").click()
        expect_state(page, "Cancelled.")
        expect_accessible(page, "a mailing that is cancelled")
    forget(room, path)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("This mailing is over.")
    expect_accessible(page, "a mailing that is forgotten")
    page.goto(f"{room.url}/mailings/none")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such mailing.")
    expect_accessible(page, "no mailing")
