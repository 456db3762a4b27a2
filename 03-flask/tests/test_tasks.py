"""The mailroom at three levels: functions, tasks in this process, tasks through a real worker."""

import secrets
import socketserver
import threading
import time
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from serving import SECONDS, people

from lab.bench import wait_until

MANY = 100_000


def read(text: str, most: int = MANY):
    from mailroom.subscribers import read

    return read(text, most)


def unreadable():
    from mailroom.subscribers import Unreadable

    return Unreadable


# Functions: the list of subscribers


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("", {}),
        ("\n \n\r\n", {}),
        ("ada@example.org", {"ada@example.org": ""}),
        ("ada@example.org, Ada\r\nbob@example.org\rcyd@example.org;x", None),
        ("Ada Lovelace <ada@example.org>", {"ada@example.org": "Ada Lovelace"}),
        ('"Ada Lovelace" < ada@example.org >', {"ada@example.org": "Ada Lovelace"}),
        ("<ada@example.org>, Ada", {"ada@example.org": "Ada"}),
        ("Ada, ada@example.org", {"ada@example.org": "Ada"}),
        ("email;name\nada@example.org;Ada", {"ada@example.org": "Ada"}),
        ("name\temail\nAda\tada@example.org", {"ada@example.org": "Ada"}),
        ("Name,E-Mail,City\nAda,ada@example.org,Paris", {"ada@example.org": "Ada"}),
        ("ADA@Example.org, Ada\nada@example.org, Not Ada", {"ada@example.org": "Ada"}),
        ("ada@example.org,,,,\n,,,", {"ada@example.org": ""}),
        ('ada@example.org,"Ada\r\nLovelace"', {"ada@example.org": "Ada Lovelace"}),
        ('ada@example.org,"Lovelace, Ada"', {"ada@example.org": "Lovelace Ada"}),
        ('ada@example.org,"Ada ""A"" L."', {"ada@example.org": "Ada A L."}),
        ("ada@example.org, O'Neil-Müller 名", {"ada@example.org": "O'Neil-Müller 名"}),
        ("ada@example.org, Ada\0\x08\x7f\u2028L", {"ada@example.org": "Ada L"}),
        ("ada@example.org, =?utf-8?q?=0A?=", {"ada@example.org": "utf-8?q?=0A?="}),
        ("ada@example.org, " + "x" * 9000, {"ada@example.org": "x" * 100}),
        ("ada+summer@example.org", {"ada+summer@example.org": ""}),
        ("a.b-c_d@x-y.museum", {"a.b-c_d@x-y.museum": ""}),
        ("root@localhost", {"root@localhost": ""}),
    ],
)
def test_subscribers_are_read_as_people_write_them(text, people):
    found = read(text)
    if people is None:
        assert list(found.people) == ["ada@example.org", "bob@example.org"]
        assert list(found.bad) == ["line 3: cyd@example.org;x"]
    else:
        assert (found.people, found.bad) == (people, {})


@pytest.mark.parametrize(
    "address",
    [
        *(
            "ada",
            "@",
            "ada@",
            "@example.org",
            "ada@@example.org",
            "ada@exa mple.org",
            "ada@ex_a.org",
        ),
        *("a..b@example.org", ".a@example.org", "a.@example.org", "ada@-x.org", "ada@x-.org"),
        *("ada@example..org", "ada@.org", "ada@example.org.", "ada@[127.0.0.1]", "adé@example.org"),
        *("ada@exämple.org", "=?utf-8?q?x?=@example.org", "x" * 65 + "@example.org", "<", "ada@<>"),
        *("ada@" + "x" * 64 + ".org", "a@" + ".".join(["x" * 60] * 5), "ada@example.org\u200b"),
        *(
            "Ada <ada@example.org",
            "<<ada@example.org>>",
            "(" * 900 + "<",
            "<script>",
            "Bcc: a@x.org",
        ),
    ],
)
def test_what_is_no_address_is_listed_with_its_line(address):
    found = read(f"ada@example.org\n\n{address}\nbob@example.org")
    assert list(found.people) == ["ada@example.org", "bob@example.org"]
    [(shown, reason)] = found.bad.items()
    assert shown.startswith(f"line 3: {address[:5]}".rstrip()) and len(shown) < 80
    assert reason == "this is not an e-mail address"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a@x.org\nb@x.org\nc@x.org", "These are more than 2 subscribers. Send them in parts."),
        ("a@x.org\nrubbish\nc@x.org", "These are more than 2 subscribers. Send them in parts."),
        ("a@x.org\nb@x.org," + "x" * 200_000, "Line 2 cannot be read: field larger than field"),
        ('a@x.org,"A\nb@x.org\n', "Line 1 opens a quotation mark that nothing closes. Fix it."),
        ('a@x.org\nb@x.org,"B\nc@x.org,"C"', "Line 2 opens a quotation mark that nothing closes"),
    ],
)
def test_a_list_that_would_lose_people_is_refused(text, sentence):
    with pytest.raises(unreadable()) as caught:
        read(text, 2)
    assert str(caught.value).startswith(sentence)


def test_as_many_as_are_allowed_are_allowed():
    assert len(read("a@x.org\nb@x.org\na@x.org", 2).people) == 2


def test_a_file_must_be_utf_8():
    from mailroom.subscribers import decode

    assert decode("Müller".encode()) == decode("Müller".encode("utf-8-sig")) == "Müller"
    with pytest.raises(unreadable(), match="not UTF-8: line 2 cannot be read"):
        decode("Ada\nMüller".encode("latin-1"))


# Functions: the way to the mail server


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        *((200, None), (250, None), (251, None), (354, "Refused")),
        *((400, "TryLater"), (421, "TryLater"), (451, "TryLater"), (499, "TryLater")),
        *((500, "Refused"), (550, "Refused"), (554, "Refused"), (-1, "Refused"), (0, "Refused")),
    ],
)
def test_three_digits_say_what_to_do(code, outcome):
    from mailroom import post

    if outcome is None:
        post.check(code, b"fine")
    else:
        with pytest.raises(getattr(post, outcome), match=f"{code} so it is \ufffd"):
            post.check(code, b"so it is \xff")


# What it says to whom connects, to each command, and to a whole mail.
GREETING = {"CONNECT": "220 here", "EHLO": "250 here", "MAIL": "250 OK", "RCPT": "250 OK"}
GREETING |= {"DATA": "354 go on", "END": "250 taken", "QUIT": "221 bye"}
HANG_UP = "hang up"


@contextmanager
def mail_server(**answers: str):
    """A mail server that answers each command as it is told. Yields what it was told."""
    script, told = GREETING | answers, []

    class Talk(socketserver.StreamRequestHandler):
        timeout = SECONDS

        def say(self, answer: str) -> bool:
            if answer != HANG_UP:
                self.wfile.write(f"{answer}\r\n".encode())
            return answer != HANG_UP

        def handle(self) -> None:
            going, mail = self.say(script["CONNECT"]), False
            while going and (line := self.rfile.readline().decode()):
                word = line.strip() if mail else line[:4].upper()
                if mail and word != ".":
                    continue
                answer = script["END" if mail else word]
                told.append(word)
                going = self.say(answer) and word != "QUIT"
                mail = answer.startswith("354")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_address[1], told
        finally:
            server.shutdown()


def letter(subject: str = "Our summer") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "studio@example.org"
    message["To"] = Address(display_name="Ada", addr_spec="ada@example.org")
    message["Subject"] = subject
    message.set_content("Look.\n")
    return message


def app_with(**config):
    from mailroom import create_app

    app = create_app()
    app.config.update({"RATE": "10000/second", "RETRY_AFTER": 0} | config)
    return app


def deliver(message: EmailMessage | None = None, **answers: str) -> tuple[str, str, list[str]]:
    """What became of a mail, why, and what the server was told."""
    from mailroom import post

    with mail_server(**answers) as (port, told), app_with(SMTP_PORT=port).app_context():
        try:
            post.deliver(message or letter())
        except (post.TryLater, post.Refused, post.Unconfirmed) as error:
            return type(error).__name__, str(error), told
        return "sent", "", told


@pytest.mark.parametrize(
    ("answers", "outcome", "reason"),
    [
        ({}, "sent", ""),
        ({"QUIT": HANG_UP}, "sent", ""),
        ({"QUIT": "500 what?"}, "sent", ""),
        ({"CONNECT": HANG_UP}, "TryLater", "no connection: "),
        ({"CONNECT": "421 too many"}, "TryLater", "no connection: "),
        ({"EHLO": HANG_UP}, "TryLater", "no connection: "),
        ({"MAIL": "451 later"}, "TryLater", "451 later"),
        ({"MAIL": "550 not you"}, "Refused", "550 not you"),
        ({"MAIL": HANG_UP}, "TryLater", "the connection broke: "),
        ({"RCPT": "451 later"}, "TryLater", "451 later"),
        ({"RCPT": "550 nobody"}, "Refused", "550 nobody"),
        ({"RCPT": HANG_UP}, "TryLater", "the connection broke: "),
        ({"DATA": "451 later"}, "TryLater", "451 later"),
        ({"DATA": "554 no"}, "Refused", "554 no"),
        ({"END": "452 full"}, "TryLater", "452 full"),
        ({"END": "554 spam"}, "Refused", "554 spam"),
        ({"END": HANG_UP}, "Unconfirmed", "no answer came back: "),
        ({"DATA": HANG_UP}, "Unconfirmed", "no answer came back: "),
    ],
    ids=lambda each: " ".join(each) or "as it should be" if isinstance(each, dict) else None,
)
def test_an_answer_of_the_mail_server_decides(answers, outcome, reason):
    found, said, told = deliver(**answers)
    assert (found, said[: len(reason)]) == (outcome, reason)
    assert told.count("DATA") <= 1, "a mail is offered once"
    if outcome == "Refused" or reason.startswith("4"):
        assert told[-1] == "QUIT", "who was answered says goodbye"


def test_a_mail_server_that_is_silent_is_not_waited_for_for_ever():
    from mailroom import post

    with socketserver.TCPServer(("127.0.0.1", 0), None) as silent:
        app = app_with(SMTP_PORT=silent.server_address[1], SMTP_TIMEOUT=0.1)
        with app.app_context(), pytest.raises(post.TryLater, match=r"no connection: .*timed out"):
            post.deliver(letter())


def test_a_mail_with_a_header_of_somebody_else_is_not_sent():
    """Python 3.11.7 writes this Bcc. Newer ones raise, or encode it: then there is no header."""
    outcome, reason, told = deliver(letter("=?utf-8?q?x=0D=0ABcc:_eve=40example.org?="))
    if outcome == "sent":
        assert told.count("RCPT") == 1
    else:
        assert (outcome, told) == ("Refused", [])
        assert "header" in reason or "no mail can be written" in reason


@pytest.fixture
def mailing():
    """Makes a mailing to some addresses, in the context of an app with such settings."""
    with mail_server() as (port, _), app_with(SMTP_PORT=port).app_context():
        from mailroom.intake import keep, new_id
        from mailroom.record import Mailing

        def make(*addresses: str):
            mailing = Mailing(new_id())
            keep(mailing, "Our summer", "Look.", read("\n".join(addresses)))
            return mailing

        yield make


def outcome(mailing, address: str = "ada@example.org") -> str:
    from mailroom import outcomes

    return outcomes.of(mailing, [address]).get(address, ("not sent", ""))[0]


# Functions: the marker, and what becomes of a mail

ADA, BOB = "ada@example.org", "bob@example.org"


def test_one_alone_can_begin_a_mail_until_the_marker_is_taken_back(mailing):
    from mailroom import marker, report

    summer = mailing(ADA)
    assert [marker.begin(summer, ADA) for _ in range(3)] == [True, False, False]
    marker.take_back(summer, ADA)
    assert (report.count(summer).begun, report.count(summer).retrying) == (0, 1)
    assert [marker.begin(summer, ADA) for _ in range(3)] == [True, False, False]
    assert (report.count(summer).begun, report.count(summer).retrying) == (1, 0)


@pytest.mark.parametrize("truth", ["sent", "failed", "later"])
def test_a_doubt_gives_way_to_what_is_known(mailing, truth):
    """The worker that was taken for dead is alive, and writes down what became of its mail."""
    from mailroom import marker, outcomes, report

    summer = mailing(ADA)
    marker.begin(summer, ADA)
    marker.begun_before(summer, ADA)
    assert outcomes.of(summer, [ADA]) == {ADA: ("unconfirmed", marker.DIED)}
    if truth == "sent":
        outcomes.sent(summer, ADA)
    elif truth == "failed":
        outcomes.failed(summer, ADA, "550 nobody")
    else:
        marker.take_back(summer, ADA)
    assert report.first(summer, "unconfirmed", 10) == {}
    assert outcome(summer) == (truth if truth != "later" else "not sent")
    marker.begun_before(summer, ADA)
    assert report.first(summer, "unconfirmed", 10) == {}, "what is known is no doubt"


def test_a_doubt_keeps_the_reason_it_had_first(mailing):
    from mailroom import marker, outcomes

    summer = mailing(ADA)
    marker.begin(summer, ADA)
    outcomes.unconfirmed(summer, ADA, "no answer came back")
    marker.begun_before(summer, ADA)
    assert outcomes.of(summer, [ADA]) == {ADA: ("unconfirmed", "no answer came back")}


def test_who_has_an_outcome_is_not_missing(mailing):
    from mailroom import outcomes

    summer = mailing(ADA, BOB)
    assert outcomes.missing(summer, [ADA, BOB]) == [ADA, BOB]
    outcomes.sent(summer, ADA)
    assert outcomes.missing(summer, [ADA, BOB]) == [BOB]
    assert outcomes.missing(summer, []) == []


def test_a_mailing_stands_still_until_something_changes(mailing):
    from mailroom import marker, report

    summer = mailing(ADA)
    assert not report.stands_still(summer)
    summer.redis.hset(summer.key(), "changed", time.time() - 31)  # one second over STANDSTILL
    assert report.stands_still(summer)
    marker.take_back(summer, ADA)
    assert not report.stands_still(summer)


# Tasks in this process


def test_apply_sends_one_mail_and_the_second_message_none(mailing):
    from mailroom.report import count
    from mailroom.tasks import send_mail

    summer = mailing("ada@example.org, Ada")
    assert send_mail.apply((summer.id, "ada@example.org")).state == "SUCCESS"
    assert outcome(summer) == "sent"
    assert send_mail.apply((summer.id, "ada@example.org")).state == "SUCCESS"
    assert (outcome(summer), count(summer).done) == ("sent", 1)


def test_apply_tries_again_and_gives_up_at_last(mailing):
    from mailroom import outcomes, report

    summer = mailing("ada@example.org")
    with mail_server(RCPT="451 later") as (port, told):
        app = app_with(SMTP_PORT=port, MAX_RETRIES=2)
        send_mail = app.extensions["celery"].tasks["mailroom.tasks.send_mail"]
        send_mail.apply((summer.id, "ada@example.org"))
    assert told.count("RCPT") == 3, "once, and two retries"
    assert outcomes.of(summer, ["ada@example.org"]) == {"ada@example.org": ("failed", "451 later")}
    assert report.count(summer).retrying == 0


def test_apply_lists_a_mail_without_an_answer_and_does_not_send_it_again(mailing):
    summer = mailing("ada@example.org")
    with mail_server(END=HANG_UP) as (port, told):
        app = app_with(SMTP_PORT=port)
        send_mail = app.extensions["celery"].tasks["mailroom.tasks.send_mail"]
        for _ in range(2):
            send_mail.apply((summer.id, "ada@example.org"))
    assert told.count("DATA") == 1
    assert outcome(summer) == "unconfirmed"


def test_apply_sends_nothing_of_a_mailing_that_was_cancelled_or_forgotten(mailing):
    from mailroom.tasks import send_mail

    summer, winter = mailing("ada@example.org"), mailing("ada@example.org")
    summer.cancel()
    winter.redis.delete(winter.key())
    for each in (summer, winter):
        assert send_mail.apply((each.id, "ada@example.org")).state == "SUCCESS"
        assert outcome(each) == "not sent"


# The context of the application


def test_a_task_runs_in_the_context_of_its_application_and_only_there(mailing):
    from flask import current_app

    from mailroom import create_app

    app = create_app()
    celery_app = app.extensions["celery"]

    @celery_app.task(name="which_rate")
    def which_rate() -> str:
        return current_app.config["RATE"]

    app.config["RATE"] = "7/second"
    assert which_rate.apply().get() == "7/second"
    assert celery_app.tasks["mailroom.tasks.send_mail"].app is celery_app


def test_a_task_outside_of_a_context_raises():
    from flask import current_app

    with pytest.raises(RuntimeError, match="Working outside of application context"):
        current_app.config["RATE"]


# Settings


def test_the_settings_that_the_chapter_relies_on(bench):
    celery_app = app_with().extensions["celery"]
    conf = celery_app.conf
    assert conf.task_acks_late and conf.task_ignore_result
    assert conf.result_expires == 7 * 24 * 3600
    assert conf.broker_transport_options["visibility_timeout"] == 300
    assert conf.broker_transport_options["max_retries"] == 0
    assert conf.broker_url == bench.broker.url, "the bench and the lesson point it elsewhere"
    fan_out = celery_app.tasks["mailroom.tasks.fan_out"]
    assert fan_out.ignore_result and fan_out.store_errors_even_if_ignored
    send_mail = celery_app.tasks["mailroom.tasks.send_mail"]
    assert send_mail.max_retries is None, "config.MAX_RETRIES counts, and ends in a reason"
    assert send_mail.rate_limit is None, "mailroom.pace is the limit, for all workers together"


# A real worker


def test_a_worker_sends_each_mail_once_with_its_name(mailroom):
    prefix = secrets.token_hex(4)
    ada, nobody = f"{prefix}@example.org", f"nobody-{prefix}@example.org"
    path = mailroom.start(f"{ada}, Ada Lovelace\n{nobody}\nrubbish")
    status = mailroom.wait_until_over(path)
    assert (status["sent"], status["failed"], status["unconfirmed"]) == (1, 2, 0)
    assert status["failures"] == {
        "line 3: rubbish": "this is not an e-mail address",
        nobody: "550 5.1.1 there is nobody with this name",
    }
    [line] = [line for line in mailroom.ledger() if line["to"] == ada]
    assert "Dear Ada Lovelace,\r\n\r\nLook.\r\n" in line["mail"]
    assert f"<{status['id']}.{ada}>" in line["mail"], "the same Message-ID for every attempt"


def test_one_result_is_kept_for_a_mailing_and_none_for_its_mails(mailroom):
    def kept() -> int:
        return len(mailroom.bench.xray().results)

    before = kept()
    path = mailroom.start(people(5))
    mailroom.wait_until_over(path)
    # Its mails can be sent before the task that queues them has ended.
    wait_until(lambda: kept() > before, "no result", timeout=SECONDS, log=mailroom.logs)
    assert kept() == before + 1, "that of the task that queues the mails: the page asks for it"


# Pace


def test_all_processes_share_one_pace():
    """Three an hour, by two apps: the fourth waits. A slow machine makes it wait longer."""
    from mailroom.pace import wait_for_turn

    apps = [app_with(RATE="3/hour"), app_with(RATE="3/hour")]
    through = []

    def leave(app) -> None:
        with app.app_context():
            wait_for_turn()
            through.append(app)

    threads = [threading.Thread(target=leave, args=(apps[n % 2],), daemon=True) for n in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(through) == 3, "three did not get through")
    threads[0].join(0.5)
    assert len(through) == 3
    # Whoever waits here looks once a second. Without the count of this hour it goes on.
    apps[0].extensions["pace"].storage.reset()
    wait_until(lambda: len(through) == 5, "those that waited did not go on")


def test_two_workers_keep_one_pace_together(open_mailroom):
    """`rate_limit="20/s"` lets each of the two send twenty."""
    room = open_mailroom(RATE="20/second", workers=2)
    prefix = secrets.token_hex(4)
    began = time.time()
    room.wait_until_over(room.start(people(120, prefix)))
    taken = [line["at"] for line in room.ledger() if line["to"].startswith(prefix)]
    assert len(taken) == 120
    # Twenty leave at once, and twenty more each second: the last leaves after five seconds.
    assert max(taken) - began > 4.9, "they went faster than the pace"
    ran = [worker.log().count("succeeded") for worker in room.workers]
    assert min(ran) > 0, f"one of the workers did nothing: {ran}"
    print(f"120 mails in {max(taken) - min(taken):.1f} s, by two workers: {ran}")
