"""The prose runner bites: what is wrong on a page turns red, and the message says what to do."""

import re

import psutil
import pytest

from lab.authoring.pages import player, terminal, updating
from lab.authoring.pages.comparing import Mismatch, pattern
from lab.authoring.pages.fences import Page, edited, examples_of
from lab.authoring.pages.player import Player, clean_env
from lab.bench import wait_until


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Play a page given as text, in an empty folder. Backticks are written as ''' here."""
    for module in (player, terminal):
        monkeypatch.setattr(module, "DEADLINE", 20.0)
    monkeypatch.setattr(player, "SILENCE", 5.0)

    def play(text, update=False):
        page = tmp_path / "page.md"
        page.write_text(text.replace("'''", "```"))
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        playing = Player(Page.read(page), scratch, clean_env(tmp_path), update)
        playing.play()
        updating.write(page, playing.changes)
        return scratch

    return play


def bites(play, text, *said):
    with pytest.raises(Mismatch) as caught:
        play(text)
    for words in said:
        assert words in str(caught.value), str(caught.value)


def test_a_page_that_is_right_is_silent(play):
    play("""
# Greet

'''sh
echo hello; echo world
'''

'''text
hello
world
'''
""")


def test_a_wrong_output_is_shown_as_a_diff_under_its_heading(play):
    bites(
        play,
        "# Greet\n\n## Say it\n\n'''sh\necho hello\n'''\n\n'''text\ngoodbye\n'''\n",
        "page.md:10, in the fence of line 9, under 'Say it'",
        "-goodbye",
        "+hello",
    )


def test_a_missing_line_is_noticed(play):
    bites(play, "'''sh\necho one; echo two\n'''\n'''text\none\n'''\n", "+two")


def test_a_line_too_many_is_noticed(play):
    bites(play, "'''sh\necho one\n'''\n'''text\none\ntwo\n'''\n", "-two")


def test_output_that_the_page_does_not_show_is_noticed(play):
    bites(play, "'''sh\necho one\n'''\n", "'echo one' printed more than the page shows", "one")


def test_a_command_that_fails_is_noticed(play):
    bites(play, "'''sh\nfalse\n'''\n", "'false' ended with exit code 1, not 0")


def test_a_command_that_shall_fail_is_fine(play):
    play("""
'''sh exit=3
(echo no; exit 3)
'''

'''text
no
'''
""")


def test_a_forgotten_activate_is_noticed(play):
    bites(play, "'''sh\ncelery --version\n'''\n", "exit code 127", "celery: command not found")


def test_dots_stand_for_anything_on_a_line_or_any_lines(play):
    play("'''sh\nseq 1 50; echo at 12:31 done\n'''\n'''text\n1\n...\n50\nat ... done\n'''\n")


def test_what_a_web_server_ends_its_lines_with_does_not_count(play):
    """A terminal makes two carriage returns of the one that stands in a header."""
    play(r"""
'''sh
printf '200 OK\r\nDate: today\r\n\r\nbody\n'
'''

'''text
200 OK
...
body
'''
""")


def test_two_terminals_live_side_by_side(play):
    play("""
'''sh terminal=server
echo listening; cat > inbox; echo never
'''

'''text terminal=server
listening
'''

'''sh terminal=client
echo hello
'''

'''text
hello
'''

'''keys terminal=server
Ctrl-C
'''

'''sh terminal=server
echo back
'''

'''text
back
'''
""")


def test_what_is_new_in_a_terminal_can_be_looked_at(play):
    play("""
'''sh terminal=server
echo ready; until test -e go; do sleep 0.1; done; echo gone; cat
'''

'''text
ready
'''

'''sh terminal=client
touch go
'''

'''text terminal=server
gone
'''

'''keys terminal=server
Ctrl-C
'''
""")


def test_what_a_server_says_in_the_end_can_be_shown(play):
    server = "sh -c \"trap 'echo 40 mails taken; exit' INT; echo ready; sleep 60 & wait\""
    page = f"'''sh terminal=server\n{server}\n'''\n'''text\nready\n'''\n"
    end = "'''keys terminal=server\nCtrl-C\n'''\n'''text terminal=server\n...\n{}\n'''\n"
    play(page + end.format("40 mails taken"))
    bites(play, page + end.format("41 mails taken"), "-41 mails taken", "+40 mails taken")


def test_what_another_terminal_says_after_a_key_is_of_the_other_one(play):
    play("""
'''sh terminal=server
sh -c "trap 'echo gone > said; echo bye; exit' INT; echo ready; sleep 60 & wait"
'''

'''text
ready
'''

'''sh terminal=other
sh -c "echo waiting; until test -e said; do sleep 0.1; done; cat said"
'''

'''text
waiting
'''

'''keys terminal=server
Ctrl-C
'''

'''text terminal=other
gone
'''

'''sh terminal=server
echo back
'''

'''text
back
'''
""")


@pytest.mark.takes(20)
def test_a_server_that_never_becomes_ready_is_noticed(play):
    text = "'''sh terminal=server\necho starting; cat\n'''\n'''text\n...\nready\n'''\n"
    bites(play, text, "-ready", "+starting")


def test_half_a_line_is_not_taken_for_the_whole(play):
    server = "sh -c 'printf one; sleep 0.5; echo \" two\"; echo three; cat'"
    play(f"""
'''sh terminal=server
{server}
'''

'''text
one...
'''

'''text
three
'''

'''keys terminal=server
Ctrl-C
'''
""")


def test_a_server_that_ignores_a_closed_terminal_ends_with_the_page(play, tmp_path):
    """As a Celery worker does, which starts again on SIGHUP."""
    deaf = "sh -c \"trap '' HUP; echo \\$\\$ > pid; echo ready; while true; do sleep 0.1; done\""
    server = f"'''sh terminal=server\n{deaf}\n'''\n'''text\nready\n'''\n"
    bites(play, server + "'''sh terminal=client\nfalse\n'''\n", "exit code 1")
    pid = int((tmp_path / "scratch" / "pid").read_text())
    wait_until(lambda: not psutil.pid_exists(pid), "the server lives on")


def test_a_server_with_a_session_of_its_own_ends_with_the_page(play, tmp_path):
    """As those that honcho starts: they belong to no terminal."""
    server = "setsid sh -c 'echo $$ > pid; exec sleep 600' & until test -s pid; do sleep 0.1; done"
    server += "; false"
    bites(play, f"'''sh\n{server}\n'''\n", "exit code 1")
    pid = int((tmp_path / "scratch" / "pid").read_text())
    wait_until(lambda: not psutil.pid_exists(pid), "the server lives on")


@pytest.mark.takes(20)
def test_a_server_that_the_page_forgets_is_noticed(play):
    text = "'''sh terminal=server\necho ready; cat\n'''\n'''text\nready\n'''\n"
    bites(play, text, "goes on running", "the page must press Ctrl-C")


def test_a_python_session_is_checked(play):
    session = """
'''sh
python3 -q
'''

'''pycon
>>> x = 20
>>> x + 1
{}
>>> for i in range(2):
...     print(i)
...
0
1
>>> 1 / 0
Traceback (most recent call last):
...
ZeroDivisionError: division by zero
>>> exit()
'''

'''sh
echo bye
'''

'''text
bye
'''
"""
    play(session.format("21"))
    bites(play, session.format("22"), "'x + 1'", "-22", "+21")


@pytest.mark.takes(20)
def test_a_session_without_python_is_noticed(play):
    bites(play, "'''sh\ntrue\n'''\n'''pycon\n>>> 1\n1\n'''\n", "the page must start python here")


def test_files_are_written_and_edited_where_the_page_works(play):
    scratch = play("""
'''sh
mkdir studio
cd studio
'''

'''python file=tasks.py
def add(x, y):
    return x - y
'''

'''diff file=tasks.py
 def add(x, y):
-    return x - y
+    return x + y
'''

'''sh
python3 -c "import tasks; print(tasks.add(1, 2))"
'''

'''text
3
'''
""")
    assert (scratch / "studio" / "tasks.py").read_text() == "def add(x, y):\n    return x + y\n"


def test_a_stale_edit_is_noticed(play):
    bites(
        play,
        "'''python file=a.py\nx = 1\n'''\n'''diff file=a.py\n-x = 2\n+x = 3\n'''\n",
        "a.py contains 0 times, not once, what the page changes",
    )


def test_a_fence_without_a_file_says_what_it_needs(play):
    bites(play, "'''python\nx = 1\n'''\n", "a python fence needs file=NAME, or not-run=REASON")


def test_what_is_not_run_is_counted_and_needs_no_machine(tmp_path, play):
    text = "'''sh not-run=\"it needs Windows\"\nwsl --install\n'''\n"
    play(text)
    page = Page.read(tmp_path / "page.md")
    assert [fence.options["not-run"] for fence in page.not_run] == ["it needs Windows"]


def test_a_terminal_begins_as_a_learners_does(play):
    play("""
'''sh
which celery || echo no environment; echo $TERM $COLUMNS; env | grep -c LAB_ || true
'''

'''text
no environment
xterm 100
0
'''
""")


def test_patterns_are_exact_but_for_the_dots():
    assert re.fullmatch(pattern("a (b) [c]"), "a (b) [c]\n")
    assert not re.fullmatch(pattern("a.c"), "abc\n")
    assert re.fullmatch(pattern("a\n...\nz"), "a\nz\n")
    assert re.fullmatch(pattern("a ... z"), "a to z\n")


def test_a_session_is_cut_into_statements():
    session = ">>> if x:\n...     y()\n...\nshown\n>>> z\n"
    assert list(examples_of(session)) == [
        (["if x:", "    y()", ""], ["shown"], 3),
        (["z"], [], 5),
    ]


# New output goes into the page

PAGE = """
# A page

It has terminals, dots in lines and alone, a session, and a key.

'''sh terminal=server
printf 'banner\\n[12:31: INFO] broker is redis\\n[12:31: INFO] pool is prefork\\n'; {server}
'''

'''text terminal=server
...
[...: INFO] broker is redis
...
[...: INFO] ready, process ...
'''

'''sh terminal=client
printf 'one\\ntwo\\nthree\\nfour\\nat 12 five photos are in %s/photos\\n\\nend\\n' "$PWD"; touch go
'''

'''text terminal=client
one
two
three
four
at ... five photos are in .../photos

end
'''

'''text terminal=server
[...: INFO] received
[...: INFO] done in ...s: 8
'''

'''keys terminal=server
Ctrl-C
'''

'''text terminal=server
...
bye, 40 mails taken
'''

'''sh terminal=client
python3 -q
'''

'''pycon terminal=client
>>> 20 + 1
21
>>> for i in range(3):
...     print("number", i)
...
number 0
number 1
number 2
>>> 1 / 0
Traceback (most recent call last):
...
ZeroDivisionError: division by zero
>>> exit()
'''
"""
SERVER = '''sh -c "trap 'echo; echo bye, 40 mails taken; exit' INT
echo '[12:31: INFO] ready, process' $$; until test -e go; do sleep 0.1; done
echo '[12:32: INFO] received'; echo '[12:32: INFO] done in 0.017s: 8'; sleep 60 & wait"'''
PAGE = PAGE.replace("{server}", SERVER.replace("\n", "; "))
WRONG = [
    ("a changed word", "broker is redis\n...", "broker is rabbit\n..."),
    ("a changed word between two dots", "done in ...s: 8", "finished in ...s: 9"),
    ("a removed line", "one\ntwo\n", "one\n"),
    ("a line that was not printed", "\n\nend", "\n\nand so on\nend"),
    (
        "a changed line with dots",
        "at ... five photos are in .../photos",
        "at ... 5 photos in .../pics",
    ),
    ("a line in another place", "three\nfour\nat", "four\nthree\nat"),
    ("the last line, after a key", "bye, 40 mails taken\n'''", "bye, 41 mails taken\n'''"),
    ("a changed result", "21", "22"),
    ("a removed line of a session", "number 1\n", ""),
    ("another exception", "ZeroDivisionError: division by zero", "ZeroDivisionError: by nothing"),
]


@pytest.mark.takes(20)
def test_a_page_gets_back_what_was_changed_in_it(play, tmp_path):
    page = PAGE
    for what, right, wrong in WRONG:
        assert page.count(right) == 1, what
        page = page.replace(right, wrong)
    play(page, update=True)
    assert (tmp_path / "page.md").read_text() == PAGE.replace("'''", "```")


def test_what_a_program_prints_late_goes_into_the_page(play, tmp_path):
    """It fits for as long as the program runs."""
    page = "'''sh\necho one; sleep 1; echo two\n'''\n\n'''text\none\n'''\n"
    play(page, update=True)
    assert (tmp_path / "page.md").read_text() == page.replace("one\n'''", "one\ntwo\n'''").replace(
        "'''", "```"
    )


def test_a_command_that_is_silent_for_long_is_waited_for(play, tmp_path, monkeypatch):
    """The page types the next one where it runs: so it ends by itself."""
    monkeypatch.setattr(player, "SILENCE", 0.3)
    page = """'''sh
echo one; sleep 2; echo two
'''

'''text
...
two
'''

'''sh
true
'''
"""
    play(page.replace("\ntwo", "\ntow"), update=True)
    assert (tmp_path / "page.md").read_text() == page.replace("'''", "```")


def test_a_page_that_is_right_is_not_updated(play, tmp_path):
    play(PAGE, update=True)
    assert (tmp_path / "page.md").read_text() == PAGE.replace("'''", "```")


@pytest.mark.parametrize(
    ("page", "printed", "new"),
    [
        ("a\nb\nc", "a\nB\nc", "a\nB\nc"),
        ("a\n...\nc", "a\n1\n2\nC", "a\n...\nC"),
        (
            "...\nthe broker is near\n...\nend",
            "1\nthe broker is far\n3\nend",
            "...\nthe broker is far\n...\nend",
        ),
        ("...\nnothing like it\n...\nend", "1\n2\nend", "...\nend"),
        (
            "task ...[...] is done in ...s",
            "task a.b[17] was done in 2s",
            "task ...[...] was done in ...s",
        ),
        ("[wrong-...] at ...s", "[ForkPoolWorker-2] at 3s", "[ForkPoolWorker-...] at ...s"),
        ("wrong[...] received", "tasks.add[17] received", "tasks.add[...] received"),
        ("all\nis\nother", "x", "x"),
        ("gone", "", ""),
        ("a\n...", "b\nc\nd", "b\n..."),
        (
            "one",
            "one\n[2026-12-01 10:11:12,345: INFO/ForkPoolWorker-3] took 0.5s",
            "one\n[...: INFO/ForkPoolWorker-...] took ...s",
        ),
    ],
)
def test_only_what_does_not_fit_is_changed(page, printed, new):
    update = updating.updated(page, printed)
    assert "\n".join(update.lines) == new
    assert re.fullmatch(pattern(new), f"{printed}\n" if printed else "")


def test_what_a_server_prints_after_the_last_line_is_left_to_the_next_fence():
    update = updating.updated("start\n...\nreadi", "Start\nx\nready\nreceived", ended=False)
    assert (list(update.lines), update.used) == (["Start", "...", "received"], 4)
    update = updating.updated("start\n...\nready", "Start\nx\nready\nreceived", ended=False)
    assert (list(update.lines), update.used) == (["Start", "...", "ready"], 3)


def test_an_edit_of_two_places_has_two_hunks():
    assert edited("a\nb\nc\n", "-a\n+A\n@@\n-c\n+C\n", "x") == "A\nb\nC\n"


# The files of a page


@pytest.mark.parametrize(("kept", "name"), [("", "app.py"), (" kept=small", "small/app.py")])
def test_what_a_page_writes_is_what_the_example_has(tmp_path, kept, name):
    example = tmp_path / "07-lesson" / name
    example.parent.mkdir(parents=True)
    page = tmp_path / "07-lesson" / "README.md"
    write = f"'''python file=app.py{kept}\nx = 1\n'''\n"
    page.write_text(f"'''sh\nmkdir -p work/me\ncd work/me\n'''\n{write}".replace("'''", "```"))
    with pytest.raises(Mismatch, match=f"it writes {name}, which the example does not have"):
        player.play_page(page)
    example.write_text("x = 2\n")
    with pytest.raises(Mismatch, match=f"at its end {name} is not what the example has"):
        player.play_page(page)
    example.write_text("x = 1\n")
    assert player.play_page(page) == 2
