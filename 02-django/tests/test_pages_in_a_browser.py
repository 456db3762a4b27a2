"""The album as a visitor meets it: in a real browser, with and without JavaScript, with a mouse
and with the keyboard alone. axe-core looks for what would stop a program that reads aloud.

When a worker is asleep in a test, it stands still in the middle of everything (SIGSTOP): so the
page is there before the first thumbnail is, on any machine.
"""

import os
import sys
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from lab.testing.browsing import DESK, PHONE


def serve(bench) -> str:
    """The site as a learner starts it. Returns its address."""
    argv = [sys.executable, "manage.py", "runserver", "--noreload", "{address}"]
    return f"{bench.serve(argv).url}/"


@pytest.fixture(scope="session")
def site(bench):
    return serve(bench)


def photo(size=(640, 480)) -> bytes:
    file = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, "JPEG")
    return file.getvalue()


WHOLE = photo()
BROKEN = WHOLE[: len(WHOLE) // 2]


def files(*photos: bytes) -> list[dict]:
    return [
        {"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": content}
        for number, content in enumerate(photos, 1)
    ]


def button(page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def upload(page, *photos: bytes) -> None:
    """Send photos as a visitor does, and come back to the album."""
    page.get_by_label("Drop photos here").set_input_files(files(*photos))
    button(page, "Add to the album").click()
    expect(page.locator(".photos li")).to_have_count(len(photos))


def name_of(page, number: int) -> str:
    """What a photo is called on the disk."""
    return button(page, f"Remove photo {number}").get_attribute("id").removeprefix("remove-")


def inbox(media: Path, page, number: int) -> Path:
    [path] = media.glob(f"*/inbox/{name_of(page, number)}")
    return path


@pytest.fixture
def media(bench) -> Path:
    return bench.folder / "data" / "media"


def expect_states(page, **counts: int) -> None:
    for state, count in counts.items():
        expect(page.locator(f"li.{state}")).to_have_count(count)


WIDTHS = """async () => {
    await Promise.all([...document.images].map((image) => image.decode()))
    return [...document.images].map((image) => image.naturalWidth)
}"""


def expect_pictures(page, count: int) -> None:
    """All thumbnails are there and can be shown, and each leads to a larger picture."""
    expect(page.locator(".photos img")).to_have_count(count)
    assert min(page.evaluate(WIDTHS)) > 0
    large = page.locator(".photos a").first.get_attribute("href")
    answer = page.request.get(page.url + large.lstrip("/"))
    assert answer.headers["content-type"] == "image/jpeg"


def test_twelve_photos_appear_by_themselves_and_the_broken_one_can_be_tried_again(
    open_page, site, worker, media
):
    page = open_page(site)
    with worker.asleep():
        upload(page, *[WHOLE] * 4, BROKEN, *[WHOLE] * 7)
        page.evaluate("window.same = 'the page was never loaded again'")
        expect_states(page, waiting=12)
        expect(page.get_by_role("status")).to_contain_text("0 of 12 are done.")
    expect_states(page, ready=11, failed=1, waiting=0)
    assert page.evaluate("window.same") == "the page was never loaded again"
    expect(page.locator("li.failed")).to_contain_text("Photo 5 could not be shown: damaged")
    expect(page.get_by_role("status")).to_contain_text("12 photos in your album.")
    expect_pictures(page, 11)

    inbox(media, page, 5).write_bytes(WHOLE)
    button(page, "Try again with photo 5").click()
    expect_states(page, ready=12, failed=0, waiting=0)
    expect_pictures(page, 12)


def test_without_javascript_the_page_loads_itself_again_until_all_is_done(
    open_page, site, worker, media
):
    page = open_page(site, java_script_enabled=False)
    with worker.asleep():
        upload(page, WHOLE, BROKEN, WHOLE)
        expect_states(page, waiting=3)
    expect_states(page, ready=2, failed=1, waiting=0)
    expect(page.locator("li.failed")).to_contain_text("Photo 2 could not be shown: damaged")
    # It loads itself once more if the last photo came while this page was being made.
    expect(page.locator("noscript")).to_have_count(0)

    inbox(media, page, 2).write_bytes(WHOLE)
    button(page, "Try again with photo 2").click()
    expect_states(page, ready=3, failed=0, waiting=0)
    button(page, "Remove photo 1").click()
    expect_states(page, ready=2)


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


def test_axe_finds_nothing_serious_in_the_album(open_page, site, worker, media):
    page = open_page(site)
    expect_accessible(page, "the empty album")
    upload(page, WHOLE, BROKEN)
    expect_states(page, ready=1, failed=1)
    last = inbox(media, page, 2)
    last.with_name(f"{last.name}0").write_bytes(WHOLE)  # kept, and never sent
    upload_refused(page)
    expect_states(page, ready=1, failed=1, waiting=1)
    expect_accessible(page, "an album with a ready, a failed and a waiting photo")


def upload_refused(page) -> None:
    """A file that is refused at once, with a message."""
    page.get_by_label("Drop photos here").set_input_files(files(b"not a picture"))
    button(page, "Add to the album").click()
    expect(page.locator(".message.error")).to_have_text(
        "1.jpg: not a JPEG, PNG, WebP or GIF picture."
    )


def test_axe_finds_nothing_serious_in_the_feedback_form(open_page, site):
    page = open_page(site)
    page.get_by_role("link", name="Feedback").click()
    expect_accessible(page, "the form")
    page.get_by_label("Your e-mail address").fill("ada@home")  # a browser takes it, Django not
    page.get_by_label("Message").fill("Lovely.")
    button(page, "Send").click()
    expect(page.locator(".errorlist")).to_have_text("Enter a valid email address.")
    expect_accessible(page, "the form with an error")


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


def test_the_keyboard_alone_is_enough(open_page, site, worker, media):
    page = open_page(site)
    tab_to(page, page.get_by_label("Drop photos here"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(files(WHOLE, BROKEN))
    tab_to(page, button(page, "Add to the album"))
    page.keyboard.press("Enter")
    expect_states(page, ready=1, failed=1)

    inbox(media, page, 2).write_bytes(WHOLE)
    tab_to(page, button(page, "Try again with photo 2"))
    page.keyboard.press("Enter")
    expect_states(page, ready=2, failed=0, waiting=0)

    tab_to(page, button(page, "Remove photo 1"))
    page.keyboard.press("Enter")
    expect_states(page, ready=1)
    tab_to(page, page.get_by_role("link", name="Photo 1"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/large.jpg")


def test_photos_that_come_do_not_take_the_keyboard_away(open_page, site, worker):
    page = open_page(site)
    with worker.asleep():
        upload(page, WHOLE, WHOLE)
        button(page, "Remove photo 2").focus()
    expect_states(page, ready=2, waiting=0)
    expect(button(page, "Remove photo 2")).to_be_focused()


def test_while_nothing_changes_the_page_stays_untouched(open_page, site, worker):
    """Who has it read aloud does not hear the same sentence every second."""
    page = open_page(site)
    with worker.asleep():
        upload(page, WHOLE)
        # What is on the page now stays, because the worker is asleep.
        expect(page.get_by_role("status")).to_contain_text("Waiting for a worker.")
        with page.expect_response(lambda answer: "/photos?seen=" in answer.url) as first:
            pass
        page.evaluate("document.querySelector('#photos').mark = 'the same'")
        with page.expect_response(lambda answer: "/photos?seen=" in answer.url) as second:
            pass
        assert first.value.status == second.value.status == 204
        assert page.evaluate("document.querySelector('#photos').mark") == "the same"


def test_without_a_worker_the_page_says_so_and_goes_on_when_one_comes(open_page, new_bench):
    bench = new_bench()
    os.environ["ALBUM_DATA"] = str(bench.folder / "data")  # the bench restores it
    page = open_page(serve(bench))
    upload(page, WHOLE, WHOLE)
    expect(page.get_by_role("status")).to_contain_text("Waiting for a worker.")
    expect(page.get_by_role("status")).to_contain_text("Your photos are safe.")
    assert page.locator("progress:indeterminate").count() == 0, "nothing may turn for ever"
    bench.worker("album", concurrency=2)
    expect_states(page, ready=2, waiting=0)
    expect(page.get_by_role("status")).not_to_contain_text("Waiting")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_files_can_be_dropped_anywhere_on_the_zone(open_page, site, tmp_path, size, script):
    (tmp_path / "photo.jpg").write_bytes(WHOLE)
    page = open_page(site, java_script_enabled=script)
    page.set_viewport_size(size)
    zone = page.locator(".drop").bounding_box()
    left, right = zone["x"] + 12, zone["x"] + zone["width"] - 12
    top, bottom = zone["y"] + 12, zone["y"] + zone["height"] - 12
    middle = ((left + right) / 2, (top + bottom) / 2)
    for x, y in [(left, top), (right, top), (left, bottom), (right, bottom), middle]:
        found = page.evaluate("([x, y]) => document.elementFromPoint(x, y).id", [x, y])
        assert found == "files", f"at {x}, {y} of {zone}"

    chrome = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(tmp_path / "photo.jpg")], "dragOperationsMask": 1}
    for event in ("dragEnter", "dragOver", "drop"):
        place = {"type": event, "x": middle[0], "y": middle[1], "data": data}
        chrome.send("Input.dispatchDragEvent", place)
    page.wait_for_function("document.querySelector('#files').files.length === 1")
