"""Prose that runs: a page of the course, played as a learner would play it.

A page is Markdown. The info string of a fence says what to do with it:

- ``sh terminal=worker`` is typed into that terminal, line by line. A page that names no terminal
  has one. Every command must succeed, or end with what ``exit=`` says.
- ``text`` is what you see: compared with what the command before it printed, or, with
  ``terminal=``, with what is new there. ``...`` stands for anything on its line, and alone for
  any lines.
- ``pycon`` is a Python session, in the terminal where the page has started ``python``. Each
  line is typed and what it prints is compared.
- ``keys terminal=worker`` with the text ``Ctrl-C`` presses that key, and the program must end. A
  ``text`` fence after it is the end of what it has printed.
- ``python file=tasks.py``, in any language, is written to that file, in the folder of the last
  command, or of the terminal it names.
- ``diff file=tasks.py`` edits it: what it shows must stand there, once.

Any of them may say ``not-run="the reason"``. Other fences are pictures or quotations.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

PLAYED = ("sh", "text", "pycon", "keys", "file", "diff", "python")
DEADLINE = 180.0  # seconds for a command, or for a line to appear


class Mismatch(AssertionError):
    """The page and the machine disagree. The message says where, and shows the difference."""


@dataclass(frozen=True)
class Fence:
    """One fence of a page. `heading` is the nearest one above it."""

    kind: str
    options: Mapping[str, str]
    text: str
    heading: str


@dataclass(frozen=True)
class Page:
    """A page and its fences, in order."""

    path: Path
    fences: list[Fence]

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path, list(fences_of(path.read_text())))

    @property
    def not_run(self) -> list[Fence]:
        """The fences that are there to be read only."""
        return [fence for fence in self.fences if "not-run" in fence.options]


def fences_of(text: str) -> Iterator[Fence]:
    """The fences that are played, with the heading they stand under."""
    from markdown_it import MarkdownIt

    heading, tokens = "(top)", MarkdownIt().parse(text)
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[index + 1].content
        elif token.type == "fence":
            kind, *words = shlex.split(token.info) or [""]
            options = dict(word.partition("=")[::2] for word in words)
            if "file" in options and kind != "diff":
                kind = "file"
            if kind in PLAYED:
                yield Fence(kind, options, token.content, heading)


# Comparing


def pattern(expected: str) -> str:
    """What you see, as a regular expression. Spaces at the end of a line do not count."""
    lines = []
    for line in expected.rstrip().splitlines():
        if line.strip() == "...":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            pieces = map(re.escape, line.rstrip().split("..."))
            lines.append("[^\\n]*".join(pieces) + "[ \t]*\n")
    return "".join(lines)


def difference(expected: str, actual: str) -> str:
    """Both texts as a diff: - what the page says, + what was printed."""
    return "\n".join(
        difflib.unified_diff(
            expected.rstrip().splitlines(),
            actual.rstrip().splitlines(),
            "the page says",
            "what was printed",
            lineterm="",
        )
    )


# A terminal

# The prompt holds the exit code and the folder. No program prints these brackets. An activated
# environment puts its name before them.
PROMPT = re.compile(r"(?:\([\w.-]+\) )?⟦(\d+) (.*)⟧ $")
PYTHON_PROMPT = re.compile(r"^(>>>|\.\.\.) $", re.M)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r+(?=\n)")


class Terminal:
    """A shell in a pseudo-terminal of 100 columns, as a learner has one."""

    def __init__(self, name: str, folder: Path, env: Mapping[str, str]) -> None:
        import pexpect

        self.name = name
        self.screen = ""  # what was printed since the last command and not yet compared
        self.command = "the shell"  # what was typed last
        self.expected = 0  # its exit code
        self.open_end = False  # whether the page shows the rest of its output as "..."
        self.folder = folder
        self.child: Any = pexpect.spawn(
            "/bin/bash",
            ["--noprofile", "--norc", "--noediting"],
            cwd=str(folder),
            env={**env, "PS1": "⟦$? $PWD⟧ ", "PS2": ""},
            encoding="utf-8",
            codec_errors="replace",
            echo=False,
            dimensions=(50, 100),
        )
        self.unread: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.come_back()

    def listen(self) -> None:
        """Take what is printed, always: a program that nobody reads stands still."""
        import pexpect

        while True:
            try:
                self.unread.put(self.child.read_nonblocking(65536, timeout=None))
            except (pexpect.EOF, OSError, ValueError):  # it has ended, or was closed
                return

    def look(self) -> str:
        """Wait until nothing is printed for a moment, and return all that was not compared yet."""
        enough = time.monotonic() + 1  # a server may never be silent
        while time.monotonic() < enough:
            try:
                self.screen = CONTROL.sub("", self.screen + self.unread.get(timeout=0.05))
            except Empty:
                break
        return self.screen

    @property
    def exit_code(self) -> int | None:
        """That of the command when the prompt is back, else `None`."""
        found = PROMPT.search(self.look())
        if not found:
            return None
        self.folder = Path(found[2])
        return int(found[1])

    @property
    def printed(self) -> str:
        """What was printed, without a prompt at its end."""
        return PYTHON_PROMPT.sub("", PROMPT.sub("", self.screen))

    def type(self, line: str) -> None:
        """Type a line and press return."""
        self.command, self.screen, self.expected, self.open_end = line, "", 0, False
        self.child.setecho(False)  # Django's server turns the echo on
        self.child.sendline(line)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline or not self.child.isalive():
                raise Mismatch(f"{what}. Terminal {self.name!r} shows:\n{self.screen}")

    def come_back(self) -> int:
        """Wait until the shell waits for a command. Returns the exit code of the last one."""
        self.wait(
            lambda: self.exit_code is not None,
            f"{self.command!r} goes on running. If it is a server, the page must press Ctrl-C "
            "there, or use another terminal",
        )
        code = self.exit_code
        assert code is not None
        return code

    def close(self) -> None:
        """Kill what runs in the foreground, then the shell.

        To close the terminal alone is not enough: a Celery worker answers SIGHUP by starting anew.
        """
        try:
            foreground = os.tcgetpgrp(self.child.child_fd)
            if foreground > 1:
                os.killpg(foreground, signal.SIGKILL)
        except OSError:
            pass  # the shell has ended already
        self.child.close(force=True)


# Playing


class Player:
    """Plays one page in a scratch folder. `env` is what every terminal starts with."""

    def __init__(self, page: Page, folder: Path, env: Mapping[str, str]) -> None:
        self.page, self.folder, self.env = page, folder, env
        self.terminals: dict[str, Terminal] = {}
        self.current = ""  # the terminal of the last command
        self.written: set[Path] = set()  # files that the page has written or edited

    def play(self) -> None:
        """Do what the page says, in order.

        Raises `Mismatch` at the first disagreement, with the page, the heading and the difference.
        """
        heading = "(top)"
        try:
            fences = [fence for fence in self.page.fences if "not-run" not in fence.options]
            for index, fence in enumerate(fences):
                heading = fence.heading
                following = fences[index + 1] if index + 1 < len(fences) else None
                seen = following is not None and following.kind in ("text", "pycon")
                if fence.kind == "keys" and following is not None:
                    seen = seen and following.options.get("terminal") == fence.options["terminal"]
                getattr(self, f"do_{fence.kind}")(fence, seen)
            for terminal in self.terminals.values():
                self.settle(terminal)
        except Mismatch as error:
            raise Mismatch(f"{self.page.path}, under {heading!r}:\n{error}") from None
        finally:
            for terminal in self.terminals.values():
                terminal.close()
            kill_all_at_home(self.env["HOME"])

    def terminal(self, fence: Fence) -> Terminal:
        """The terminal a fence names, opened when it is new; without a name, the last one."""
        name = fence.options.get("terminal") or self.current or "1"
        if name not in self.terminals:
            self.terminals[name] = Terminal(name, self.folder, self.env)
        return self.terminals[name]

    def settle(self, terminal: Terminal) -> None:
        """Wait for the prompt; demand the exit code, and that the page has shown everything."""
        code = terminal.come_back()
        if code != terminal.expected:
            raise Mismatch(
                f"{terminal.command!r} ended with exit code {code}, not {terminal.expected}. "
                f"It printed:\n{terminal.printed}"
            )
        if terminal.printed.strip() and not terminal.open_end:
            raise Mismatch(
                f"{terminal.command!r} printed more than the page shows:\n{terminal.printed}"
            )

    def do_sh(self, fence: Fence, seen: bool) -> None:
        terminal = self.terminal(fence)
        for line in fence.text.splitlines():
            self.settle(terminal)
            terminal.type(line)
        self.current = terminal.name
        terminal.expected = int(fence.options.get("exit", "0"))
        if not seen:
            self.settle(terminal)

    def do_text(self, fence: Fence, seen: bool) -> None:
        """Compare. A program that has ended must have printed this and nothing else."""
        terminal, regex = self.terminal(fence), pattern(fence.text)
        terminal.open_end = fence.text.rstrip().endswith("\n...")
        deadline = time.monotonic() + DEADLINE
        while True:
            code = terminal.exit_code
            shown = terminal.printed
            whole = shown if shown.endswith("\n") or not shown else f"{shown}\n"
            if code is None and (begin := re.match(regex, whole)):
                terminal.screen = terminal.screen[begin.end() :]
                return
            if code is not None and re.fullmatch(regex, whole):
                terminal.screen = terminal.screen[len(shown) :]
                self.settle(terminal)
                return
            if code is not None or time.monotonic() > deadline or not terminal.child.isalive():
                raise Mismatch(f"{terminal.command!r}\n{difference(fence.text, shown)}")

    def do_keys(self, fence: Fence, seen: bool) -> None:
        if fence.text.strip() != "Ctrl-C":
            raise Mismatch(f"no key is called {fence.text.strip()!r}: Ctrl-C is")
        terminal = self.terminal(fence)
        terminal.child.sendcontrol("c")
        terminal.expected = terminal.come_back()
        if not seen:
            terminal.type("true")  # what a server says in the end belongs to nobody
            terminal.come_back()

    def do_pycon(self, fence: Fence, seen: bool) -> None:
        terminal = self.terminal(fence)
        for source, expected in examples_of(fence.text):
            for line in source:
                terminal.wait(
                    lambda: at_python(terminal),
                    "there is no Python prompt: the page must start python here before",
                )
                terminal.type(line)
            terminal.wait(
                lambda: at_python(terminal) or terminal.exit_code is not None,
                f"{source[0]!r} does not come back",
            )
            if not re.fullmatch(pattern(expected), terminal.printed):
                raise Mismatch(f"{source[0]!r}\n{difference(expected, terminal.printed)}")
            terminal.screen = terminal.screen[len(terminal.printed) :]

    def do_file(self, fence: Fence, seen: bool) -> None:
        file = self.file(fence)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(fence.text)

    do_python = do_file  # without a name for its file: an error

    def do_diff(self, fence: Fence, seen: bool) -> None:
        file = self.file(fence)
        if not file.exists():
            raise Mismatch(f"{file} is to be edited, and is not there: name the terminal as well")
        file.write_text(edited(file.read_text(), fence.text, file.name))

    def file(self, fence: Fence) -> Path:
        """The file that a fence writes, in the folder of its terminal or of the last one."""
        if "file" not in fence.options:
            raise Mismatch(f"a {fence.kind} fence needs file=NAME, or not-run=REASON")
        terminal = self.terminals.get(fence.options.get("terminal") or self.current)
        file = (terminal.folder if terminal else self.folder) / fence.options["file"]
        self.written.add(file)
        return file


def at_python(terminal: Terminal) -> bool:
    return bool(PYTHON_PROMPT.search(terminal.look()))


def examples_of(session: str) -> Iterator[tuple[list[str], str]]:
    """The statements of a Python session, each with what it prints."""
    source: list[str] = []
    expected: list[str] = []
    for line in session.splitlines():
        if line.startswith(">>>"):
            if source:
                yield source, "\n".join(expected)
            source, expected = [line[4:]], []
        elif line.startswith("... ") or (line == "..." and not expected and len(source) > 1):
            source.append(line[4:])
        else:
            expected.append(line)
    if source:
        yield source, "\n".join(expected)


def edited(text: str, change: str, name: str) -> str:
    """A text with a change as `diff` shows it. Hunks are apart by lines that begin with @@."""
    for hunk in re.split(r"^@@.*\n", change, flags=re.M):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        if not hunk:
            continue
        if text.count(old) != 1:
            raise Mismatch(
                f"{name} contains {text.count(old)} times, not once, what the page changes:\n{old}"
            )
        text = text.replace(old, new)
    return text


def clean_env(home: Path) -> dict[str, str]:
    """The environment of a learner who has opened a terminal: nothing of ours."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    terminal = {"TERM": "xterm", "COLUMNS": "100", "PYTHON_BASIC_REPL": "1"}
    return {**kept, **terminal, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}


def kill_all_at_home(home: str) -> None:
    """Kill every process with this HOME: a page that fails may have left servers in the background.

    Without ``/proc`` (macOS) they stay.
    """
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
            if f"HOME={home}".encode() in variables:
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue  # it has ended, or it is somebody else's


# A page of a chapter


def play_page(path: Path) -> int:
    """Play a page of a chapter as a learner does, in an empty copy of the course.

    There are only the chapter and `.venv`. What the page has written must be the example: each
    file it wrote, and each Python file in `work/`, must equal that of the chapter. Returns how
    many fences were played.

    Raises `Mismatch`.
    """
    page = Page.read(path)
    with tempfile.TemporaryDirectory(prefix="page-") as scratch:
        folder = Path(scratch) / "course"
        shutil.copytree(path.parent, folder / path.parent.name)
        (folder / ".venv").symlink_to(Path(sys.prefix))
        player = Player(page, folder, clean_env(Path(scratch)))
        player.play()
        for written in sorted(player.written | set((folder / "work").glob("*/**/*.py"))):
            name = Path(*written.relative_to(folder / "work").parts[1:])
            example = path.parent / name
            if not example.exists():
                raise Mismatch(f"{path}: it writes {name}, which the example does not have")
            if written.read_text() != example.read_text():
                raise Mismatch(
                    f"{path}: at its end {name} is not what the example has:\n"
                    f"{difference(written.read_text(), example.read_text())}"
                )
    return len(page.fences) - len(page.not_run)


if __name__ == "__main__":
    try:
        print(f"{play_page(Path(sys.argv[1]).resolve())} fences played")
    except Mismatch as error:
        sys.exit(str(error))
