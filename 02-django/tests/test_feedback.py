"""A visitor's message becomes a mail, also when the mail server has a bad day. No mail is a stub:
the worker speaks to a real SMTP server on this machine."""

import os
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from serving import Visitor, serve

from lab import Bench
from lab.bench import free_port, wait_until

CHAPTER = Path(__file__).parent.parent
ADDRESS = "ada@example.org"


class Post:
    """The studio's mail server. It refuses the first `refusals` mails: "come back later"."""

    def __init__(self, refusals: int = 0):
        self.refusals = refusals
        self.refused = 0
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        if self.refused < self.refusals:
            self.refused += 1
            return "451 Come back later"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 Taken"


class Studio:
    """The album with its web server and one worker, and the port where they look for the mail."""

    def __init__(self, bench: Bench):
        self.port = free_port()
        mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.port)}
        _, url = serve(bench, env=mail)
        self.worker = bench.worker("album", env=mail)
        self.visitor = Visitor(url, follow_redirects=True)

    def tell(self, message: str, email: str = ADDRESS):
        return self.visitor.press("/feedback", email=email, message=message)

    def wait_for_one_more(self, event: str, before: str) -> None:
        """Wait until the worker has said this once more than it had said before."""
        wait_until(
            lambda: self.worker.log().count(event) > before.count(event),
            f"the worker did not say {event!r}",
            log=self.worker.log,
        )

    @contextmanager
    def mail_server(self, post: Post):
        server = Controller(post, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        server.start()
        try:
            yield
        finally:
            server.stop()


@pytest.fixture(scope="module")
def studio():
    with Bench(CHAPTER) as bench:
        os.environ["ALBUM_DATA"] = str(bench.folder / "data")  # the bench restores it
        yield Studio(bench)


def test_a_mail_that_is_refused_twice_arrives_once(studio):
    post, before = Post(refusals=2), studio.worker.log()
    with studio.mail_server(post):
        page = studio.tell("Grüße!\nThe photos are lovely.")
        assert "Thank you. Your message is on its way." in page.text
        # When the task has succeeded, nothing is left that could send a second mail.
        studio.wait_for_one_more("succeeded in", before)
    assert post.refused == 2
    [mail] = post.mails
    assert mail["Reply-To"] == ADDRESS
    assert mail["To"] == "studio@example.org"
    assert mail.get_content().splitlines() == ["Grüße!", "The photos are lovely."]


def test_a_mail_server_that_is_down_gets_the_mail_when_it_is_back(studio):
    post, before = Post(), studio.worker.log()
    studio.tell("Hello")
    studio.wait_for_one_more("Retry in", before)
    with studio.mail_server(post):
        studio.wait_for_one_more("succeeded in", before)
    assert [mail["Reply-To"] for mail in post.mails] == [ADDRESS]


@pytest.mark.parametrize(
    ("email", "message"),
    [("no address", "Hello"), (ADDRESS, ""), ("a@example.org\nBcc: all@example.org", "Hello")],
)
def test_a_message_without_a_way_to_answer_is_refused(studio, email, message):
    page = studio.tell(message, email=email)
    assert 'class="errorlist"' in page.text
    assert "on its way" not in page.text


def test_without_a_broker_the_page_says_so_and_keeps_what_was_typed():
    with Bench(CHAPTER) as bench:
        os.environ["ALBUM_DATA"] = str(bench.folder / "data")  # the bench restores it
        _, url = serve(bench)
        bench.broker.kill()
        page = Visitor(url).press("/feedback", email=ADDRESS, message="A long letter")
    assert page.status_code == 503
    assert "This cannot be sent at this moment. Please try again later." in page.text
    assert "A long letter</textarea>" in page.text
