"""Whatever becomes of a mailing, who asks by HTTP gets the truth: as JSON, and as a page.

Every test asks gunicorn, and a real worker does the work, or is kept from it. When a process is
asleep in a test, it stands still in the middle of everything (SIGSTOP): so what has to be seen
stays until it was seen, on any machine.
"""

import re
import secrets
from html import unescape

import httpx
import pytest
from serving import PAGE, SECONDS, people

from lab.bench import wait_until


def page(room, path: str, code: int = 200) -> str:
    """What a browser gets. Tests look for what a person reads."""
    answer = room.web.get(path, headers=PAGE)
    assert answer.status_code == code, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


def heading(text: str) -> str:
    return re.search("<h1>(.*?)</h1>", text, re.DOTALL)[1]


def task_of(room, path: str) -> str:
    """The id of the task that queues the mails of this mailing."""
    return room.bench.broker.client.hget(f"mailroom:{path.split('/')[-1]}", "task")


# It goes its way


def test_done_says_what_became_of_everybody(mailroom):
    path = mailroom.start(people(20) + "\nnobody@example.org, Nobody\nrubbish")
    now = mailroom.wait_until_over(path)
    assert (now["state"], now["total"], now["done"]) == ("done", 22, 22)
    assert (now["sent"], now["failed"], now["unconfirmed"], now["under_way"]) == (20, 2, 0, 0)
    assert now["failures"] == {
        "line 22: rubbish": "this is not an e-mail address",
        "nobody@example.org": "550 5.1.1 there is nobody with this name",
    }
    text = page(mailroom, path)
    assert "Done." in text
    for address, reason in now["failures"].items():
        assert address in text and reason in text
    assert "http-equiv" not in text, "a page whose mailing is over keeps still"


def test_a_page_shows_a_hundred_failures_and_the_report_all(mailroom):
    rubbish = "\n".join(f"rubbish {number}" for number in range(150))
    path = mailroom.start(f"{people(1)}\n{rubbish}")
    now = mailroom.wait_until_over(path)
    assert (now["failed"], len(now["failures"])) == (150, 100)
    assert "And 50 more, in the report." in page(mailroom, path)
    assert mailroom.web.get(f"{path}/report.csv").text.count(",failed,") == 150


def test_waiting_as_long_as_no_worker_takes_it(mailroom):
    with mailroom.worker.asleep():
        path = mailroom.start(people(5))
        now = mailroom.status(path)
        assert (now["state"], now["done"], now["over"]) == ("waiting", 0, False)
        text = page(mailroom, path)
        assert "Waiting for a worker." in text
        assert "http-equiv" in text, "without a script, the page has to load itself again"
    assert mailroom.wait_until_over(path)["sent"] == 5


def test_running_with_n_of_m(mailroom):
    with mailroom.mail.asleep():
        path = mailroom.start(people(5))
        now = mailroom.wait_for(path, "no mail is under way", lambda now: now["under_way"] == 2)
        assert (now["state"], now["done"], now["total"]) == ("running", 0, 5)
        text = page(mailroom, path)
        assert "Running." in text and "0 of 5" in text
    assert mailroom.wait_until_over(path)["sent"] == 5


@pytest.mark.takes(20)
def test_retrying_while_the_mail_server_says_later(open_mailroom):
    room = open_mailroom(mail=["--later", 1], RETRY_AFTER=15)
    path = room.start("ada@example.org, Ada")
    now = room.wait_for(path, "it did not retry", lambda now: now["state"] == "retrying")
    assert (now["retrying"], now["done"], now["over"]) == (1, 0, False)
    now = room.wait_until_over(path)
    assert (now["state"], now["sent"], now["retrying"]) == ("done", 1, 0)
    assert room.mails_by_address() == {"ada@example.org": 1}


def test_the_page_says_that_it_tries_again(open_mailroom):
    room = open_mailroom(mail=["--later", 1], RETRY_AFTER=3600)
    path = room.start(people(3))
    room.wait_for(path, "it did not retry", lambda now: now["state"] == "retrying")
    text = page(room, path)
    assert "The mail server asks to wait. Trying again." in text
    assert "3 will be tried again" in text


def test_cancelled_says_so_and_keeps_what_was_sent(mailroom):
    before = len(mailroom.ledger())
    with mailroom.mail.asleep():
        path = mailroom.start(people(300))
        mailroom.wait_for(path, "no mail is under way", lambda now: now["under_way"] == 2)
        answer = mailroom.web.post(f"{path}/cancel")
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
        now = mailroom.status(path)
        assert (now["state"], now["over"]) == ("cancelled", False), "two are under way"
    now = mailroom.wait_until_over(path)
    assert (now["state"], now["sent"], now["under_way"]) == ("cancelled", 2, 0)
    assert len(mailroom.ledger()) == before + 2
    text = page(mailroom, path)
    assert "Cancelled." in text and "2 of 300" in text
    report = mailroom.web.get(f"{path}/report.csv").text.splitlines()
    assert [sum(f",{what}," in line for line in report) for what in ("sent", "not sent")] == [
        2,
        298,
    ]


def test_who_cancels_too_late_reads_that_it_is_done(mailroom):
    path = mailroom.start(people(3))
    mailroom.wait_until_over(path)
    mailroom.web.post(f"{path}/cancel")
    assert mailroom.status(path)["state"] == "done"


# A message that nobody acknowledges comes back at once, instead of after five minutes.
AT_ONCE = {
    f"CELERY__broker_transport_options__{name}": 1
    for name in ("visibility_timeout", "unacked_restore_interval", "unacked_restore_throttle")
}


def test_cancelled_while_a_worker_dies_leaves_no_mail_untold(open_mailroom):
    """What the dead worker had begun may have arrived: it must not be listed as not sent."""
    room = open_mailroom()
    with room.mail.asleep():
        path = room.start(people(5))
        room.wait_for(path, "no mail is under way", lambda now: now["under_way"] == 2)
        room.web.post(f"{path}/cancel")
        room.worker.kill()
        now = room.status(path)
        assert (now["state"], now["under_way"], now["over"]) == ("cancelled", 2, False)
    room.hire(**AT_ONCE)
    now = room.wait_until_over(path)
    assert (now["state"], now["unconfirmed"], now["done"]) == ("cancelled", 2, 2)
    assert all("died before it wrote down" in reason for reason in now["doubts"].values())
    report = room.web.get(f"{path}/report.csv").text
    assert (report.count(",unconfirmed,"), report.count(",not sent,")) == (2, 3)


# It does not


def test_failed_says_why_and_can_be_resumed(open_mailroom, bench):
    broken = bench.copy(
        edit={"mailroom/tasks.py": ("    queued = 0\n", '    raise ValueError("no paper")\n')}
    )
    room = open_mailroom(workers=0)
    worker = room.hire(folder=broken)
    path = room.start(people(5))
    now = room.wait_for(path, "it did not fail", lambda now: now["state"] == "failed")
    assert now["reason"] == "its mails could not be queued: no paper"
    assert now["over"], "a program that waits for the end would wait for ever"
    text = page(room, path)
    assert "no paper" in text
    assert f'action="{path}/resume"' in text, "the page offers to try again"
    worker.kill()
    room.hire()
    answer = room.web.post(f"{path}/resume")
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    now = room.wait_for(path, "it was not resumed", lambda now: now["state"] == "done")
    assert now["sent"] == 5
    assert set(room.mails_by_address().values()) == {1}


def test_revoked_before_it_began_is_cancelled_and_sends_nothing(open_mailroom):
    room = open_mailroom(concurrency=1)
    from make_celery import celery_app

    with room.mail.asleep():
        first = room.start("ada@example.org")
        room.wait_for(first, "no mail is under way", lambda now: now["under_way"] == 1)
        path = room.start(people(5))  # the only pool process is busy with Ada
        assert room.status(path)["state"] == "waiting"
        celery_app.control.revoke(task_of(room, path))
        now = room.wait_for(path, "it is not revoked", lambda now: now["state"] == "cancelled")
        assert now["reason"] == "somebody revoked its task"
    room.worker.wait_for(f"Discarding revoked task: mailroom.tasks.fan_out[{task_of(room, path)}]")
    assert room.status(path) == now
    assert "somebody revoked its task" in page(room, path)
    assert room.wait_until_over(first)["sent"] == 1
    assert room.mails_by_address() == {"ada@example.org": 1}


def test_revoked_with_terminate_is_told_as_well(open_mailroom):
    room = open_mailroom(concurrency=1, PAGE=1)
    from make_celery import celery_app

    path = room.start(people(20_000))
    room.wait_for(path, "it queues nothing", lambda now: now["queued"] > 0)
    celery_app.control.revoke(task_of(room, path), terminate=True)
    now = room.wait_for(path, "it is not revoked", lambda now: now["reason"])
    assert (now["state"], now["reason"]) == ("cancelled", "somebody revoked its task")
    assert "Terminating" in room.worker.log()


def test_an_id_that_was_never_given_out_is_unknown(mailroom):
    path = f"/mailings/{secrets.token_hex(16)}"
    answer = mailroom.web.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "There is no such mailing."
    assert heading(page(mailroom, path, 404)) == "There is no such mailing."
    for what in ("cancel", "resume"):
        assert mailroom.web.post(f"{path}/{what}").status_code == 404
    assert mailroom.web.get(f"{path}/report.csv").status_code == 404


@pytest.mark.takes(20)
def test_what_is_forgotten_is_gone_and_not_unknown(open_mailroom):
    room = open_mailroom(KEEP=20)
    path = room.start("ada@example.org")
    room.wait_until_over(path)  # nobody writes to it any more

    def gone() -> bool:
        return room.web.get(path).status_code == 410

    wait_until(gone, "the mailing is still there", timeout=20 + SECONDS, log=room.logs)
    assert room.web.get(path).json()["error"] == "This mailing is over."
    assert heading(page(room, path, 410)) == "This mailing is over."
    for what in ("cancel", "resume"):
        assert room.web.post(f"{path}/{what}").status_code == 410
    assert room.web.get(f"{path}/report.csv").status_code == 410
    assert room.web.get(f"/mailings/{secrets.token_hex(16)}").status_code == 404
    kept = room.bench.broker.client.scan_iter("mailroom:*")
    assert list(kept) == [f"mailroom:{path.split('/')[-1]}:issued"], "no address may be left"


# The form


FIELDS = {"subject": "Our <summer>", "text": "Look & see.", "subscribers": "ada@example.org, Ada"}


def filled_in(text: str) -> dict[str, str]:
    """What stands in the fields of a form, as a browser would send it again."""
    fields = dict(
        re.findall(r'<input (?:type="hidden"|id="\w+") name="(\w+)".*?value="(.*?)"', text)
    )
    fields |= dict(
        re.findall(r'<textarea id="\w+" name="(\w+)".*?>(.*?)</textarea>', text, re.DOTALL)
    )
    return {name: unescape(value) for name, value in fields.items()}


def test_the_same_form_sent_twice_starts_one_mailing(mailroom):
    before = mailroom.mails_by_address()
    form = filled_in(page(mailroom, "/")) | {"subscribers": people(10)}
    form |= {"subject": "Once", "text": "Only once."}
    with mailroom.worker.asleep():
        path = mailroom.start(**form)
        task = task_of(mailroom, path)
        assert mailroom.start(**form) == path
        assert task_of(mailroom, path) == task, "it was queued twice"
    assert mailroom.wait_until_over(path)["sent"] == 10
    new = mailroom.mails_by_address() - before
    assert len(new) == 10 and set(new.values()) == {1}


def test_a_changed_form_with_the_same_id_is_refused(mailroom):
    form = {"id": secrets.token_hex(16), "subscribers": people(3)}
    path = mailroom.start(**form)
    mailroom.wait_until_over(path)
    answer = mailroom.post(**form, text="Look, and look again.")
    assert answer.status_code == 409
    answer = mailroom.post(**form | {"subscribers": people(4)})
    assert answer.status_code == 409, "somebody more"
    answer = mailroom.post(**form, text="Look, and look again.", headers=PAGE)
    assert answer.status_code == 409
    assert "This form has started a mailing before." in answer.text
    again = filled_in(answer.text)
    assert again["text"] == "Look, and look again.", "what was typed comes back"
    assert again["id"] != form["id"], "and can be sent, as another mailing"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_a_form_of_another_site_starts_and_cancels_nothing(mailroom, origin):
    with mailroom.worker.asleep():
        path = mailroom.start(people(3))
        for address in ("/mailings", f"{path}/cancel", f"{path}/resume"):
            answer = mailroom.web.post(address, data=FIELDS, headers={"Origin": origin})
            assert answer.status_code == 403
            assert answer.json()["error"] == "This form was sent by another site."
            answer = mailroom.web.post(address, data=FIELDS, headers={"Origin": origin} | PAGE)
            assert answer.status_code == 403
            assert heading(answer.text) == "This form was sent by another site."
        assert mailroom.status(path)["state"] == "waiting"
    assert mailroom.wait_until_over(path)["state"] == "done"
    answer = mailroom.web.post(
        "/mailings", data=FIELDS | {"subscribers": people(1)}, headers={"Origin": mailroom.url}
    )
    assert answer.status_code == 202, "its own forms are welcome"
    mailroom.wait_until_over(answer.headers["Location"])


# Redis does not answer


def must_say_503(room, method: str, path: str, headers=None) -> httpx.Response:
    """The answer comes before the 19 s of Celery as it comes. Without headers it is JSON."""
    data = FIELDS if method == "POST" else None
    answer = room.web.request(method, path, data=data, headers=headers, timeout=18)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), path
    return answer


def wait_until_acknowledged(room) -> None:
    """A mailing is over a moment before the worker acknowledges its last message.

    A worker that holds one when the broker goes away ends.
    """
    wait_until(
        lambda: not room.bench.xray().unacked,
        "the worker acknowledges nothing",
        timeout=SECONDS,
        log=room.logs,
    )


def test_without_a_broker_every_answer_is_a_503_and_the_form_comes_back(open_mailroom):
    room = open_mailroom()
    path = room.start("grace@example.org")
    room.wait_until_over(path)
    wait_until_acknowledged(room)
    room.bench.broker.kill()
    for headers in (None, PAGE):
        must_say_503(room, "GET", path, headers)
        must_say_503(room, "GET", f"{path}/report.csv", headers)
        must_say_503(room, "POST", f"{path}/cancel", headers)
        must_say_503(room, "POST", f"{path}/resume", headers)
        answer = must_say_503(room, "POST", "/mailings", headers)
    form = filled_in(answer.text)
    assert {name: form[name] for name in FIELDS} == FIELDS
    assert heading(page(room, "/")) == "Send an album", "one can begin to write"
    assert "The mailroom&#39;s memory does not answer." in page(room, path, 503)

    room.bench.broker.start()
    path = room.start(**form)
    assert room.wait_until_over(path)["sent"] == 1
    assert room.mails_by_address() == {"grace@example.org": 1, "ada@example.org": 1}


def test_a_broker_that_hangs_is_no_reason_to_hang(open_mailroom):
    room = open_mailroom()
    path = room.start("grace@example.org")
    room.wait_until_over(path)
    wait_until_acknowledged(room)
    with room.bench.broker.asleep():
        must_say_503(room, "GET", path)
        must_say_503(room, "POST", f"{path}/cancel")
        form = filled_in(must_say_503(room, "POST", "/mailings", PAGE).text)
        assert {name: form[name] for name in FIELDS} == FIELDS
    path = room.start(**form)
    assert room.wait_until_over(path)["sent"] == 1
    assert room.mails_by_address() == {"grace@example.org": 1, "ada@example.org": 1}


def test_a_mailing_that_was_kept_and_not_queued_is_sent_when_the_form_comes_again(open_mailroom):
    """Redis goes away between the two halves of a request: what is kept is still one mailing."""
    room = open_mailroom()
    url = room.serve({"CELERY_BROKER_URL": "redis://127.0.0.1:9/0"}).url
    form = filled_in(httpx.get(f"{url}/", timeout=60).text)
    form |= FIELDS
    answer = httpx.post(f"{url}/mailings", data=form, headers=PAGE, timeout=30)
    assert answer.status_code == 503
    assert filled_in(answer.text) == form, "the same id: otherwise everybody could get two mails"
    path = room.start(**form)
    assert path == f"/mailings/{form['id']}"
    assert room.wait_until_over(path)["sent"] == 1
    task = task_of(room, path)
    assert room.start(**form) == path
    assert task_of(room, path) == task, "it was queued once more"
