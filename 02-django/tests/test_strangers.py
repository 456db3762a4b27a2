"""Nobody sees, retries or removes a photo of somebody else."""

import re

import pytest
from serving import Visitor, picture, serve

from lab.bench import wait_until


@pytest.fixture(scope="module")
def url(bench):
    return serve(bench)[1]


@pytest.fixture(scope="module")
def owner(worker, url):
    """Somebody with a photo that is ready and one that failed."""
    visitor = Visitor(url)
    photo = picture(size=(40, 30))
    visitor.upload(photo, photo[:-100])
    wait_until(lambda: ends(visitor) == (1, 1), "the photos are not done", log=worker.log)
    return visitor


def ends(visitor) -> tuple[int, int]:
    """How many photos of the visitor's page are ready, and how many failed."""
    page = visitor.get("/photos").text
    return page.count("<img"), page.count("/try-again")


@pytest.fixture(scope="module")
def names(owner):
    """The names of the owner's photos, as the page gives them away."""
    return sorted(set(re.findall(r"/photos/([\w-]+)/remove", owner.get("/").text)))


def forged(owner, url):
    """Strangers, with every session that they could come by without the key."""
    yield Visitor(url)
    own = Visitor(url)
    own.upload(b"no picture")
    yield own
    session, signed = owner.cookies["sessionid"], own.cookies["sessionid"]
    for cookie in (
        session[:-1] + ("A" if session[-1] != "A" else "B"),  # another signature
        session.split(":")[0] + ":" + signed.split(":", 1)[1],  # another's album, our signature
        session.rsplit(":", 1)[0],
        "eyJhbGJ1bSI6Ii4uIn0:1abcde:x",
        "../../inbox",
        "",
    ):
        visitor = Visitor(url)
        visitor.cookies.clear()
        visitor.cookies.update({"sessionid": cookie, "csrftoken": own.cookies["csrftoken"]})
        yield visitor


def test_the_owner_sees_both(owner, names):
    assert len(names) == 2
    assert ends(owner) == (1, 1)


def test_a_stranger_sees_nothing_and_changes_nothing(owner, names, url):
    for stranger in forged(owner, url):
        page = stranger.get("/photos").text
        assert "<li" not in page
        for name in names:
            assert name not in page
            for size in ("small", "large"):
                assert stranger.get(f"/photos/{name}/{size}.jpg").status_code == 404
            for button in ("remove", "try-again"):
                assert stranger.press(f"/photos/{name}/{button}").status_code == 404
    assert ends(owner) == (1, 1)


def test_every_post_needs_the_token(owner, names):
    paths = ["upload", "feedback", f"photos/{names[0]}/remove", f"photos/{names[0]}/try-again"]
    for path in paths:
        assert owner.post(f"/{path}").status_code == 403, path
        assert owner.post(f"/{path}", headers={"X-CSRFToken": "x" * 32}).status_code == 403, path
    foreign = {**owner.token, "Origin": "https://hostile.example.org"}
    for path in paths:
        assert owner.post(f"/{path}", headers=foreign).status_code == 403, path


def test_a_link_changes_nothing(owner, names):
    """A picture in a mail or a page may make a browser send GET."""
    for path in ("upload", f"photos/{names[0]}/remove", f"photos/{names[0]}/try-again"):
        assert owner.get(f"/{path}").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "{name}/medium.jpg",
        "{name}/../../inbox/{name}.jpg",
        "{name}/..%2F..%2Finbox%2F{name}.jpg",
        "{name}/%2e%2e/%2e%2e/inbox/{name}.jpg",
        "{name}/small.jpg/",
        "{name}/small.jpg%00",
        "{name}/small",
        "{name}/.jpg",
        "../inbox/{name}",
        "../../secret-key",
        "..%2f..%2fsecret-key/small.jpg",
        "%2e%2e/small.jpg",
        "{name}.part/small.jpg",
        "{name}%2f/small.jpg",
        "{long}/small.jpg",
        "{name}/{long}.jpg",
    ],
)
def test_only_thumbnails_have_an_address(owner, names, path):
    for name in names:
        answer = owner.get("/photos/" + path.format(name=name, long="x" * 3000))
        assert answer.status_code in (400, 404), path


def test_an_upload_itself_is_never_served(owner, names):
    for prefix in ("media", "static", "static/..", "data/media", "static/%2e%2e/data"):
        for name in (*names, "secret-key"):
            assert owner.get(f"/{prefix}/{name}").status_code in (400, 404)


def test_the_cookies_are_closed_to_scripts_and_to_other_sites(url):
    visitor = Visitor(url)
    [session] = [
        value
        for value in visitor.upload(b"no picture").headers.get_list("set-cookie")
        if value.startswith("sessionid=")
    ]
    assert "HttpOnly" in session and "SameSite=Lax" in session
