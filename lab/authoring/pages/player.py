"""Plays a page as a learner would: types, presses, writes, edits, and looks at the screen."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from lab.authoring.pages import updating
from lab.authoring.pages.comparing import Mismatch, difference, pattern
from lab.authoring.pages.fences import Fence, Page, edited, examples_of
from lab.authoring.pages.terminal import DEADLINE, PYTHON_PROMPT, Terminal

UNFINISHED = 2.0  # seconds: a line without its end that stands so long is one, as a question is
SILENCE = 10.0  # seconds: a program that prints nothing new for so long has said what it says


class Player:
    """Plays one page in a scratch folder. `env` is what every terminal starts with.

    With `update`, what a page shows wrongly is no mismatch: `changes` tells what it has to show.
    """

    def __init__(
        self, page: Page, folder: Path, env: Mapping[str, str], update: bool = False
    ) -> None:
        self.page, self.folder, self.env, self.update = page, folder, env, update
        # From this line of the page, so many, and the new ones in their place.
        self.changes: list[tuple[int, int, Sequence[str]]] = []
        self.terminals: dict[str, Terminal] = {}
        self.current = ""  # the terminal of the last command
        self.returns = False  # whether the program that a fence shows ends by itself
        # The files that the page has written or edited, and where in the example each is kept.
        self.written: dict[Path, str] = {}

    def play(self) -> None:
        """Do what the page says, in order.

        Raises `Mismatch` at the first disagreement, with the page, the line, the heading and the
        difference.
        """
        begin, heading = 1, "(top)"
        try:
            fences = [fence for fence in self.page.fences if "not-run" not in fence.options]
            for index, fence in enumerate(fences):
                begin, heading = fence.line, fence.heading
                following = fences[index + 1] if index + 1 < len(fences) else None
                seen = following is not None and following.kind in ("text", "pycon")
                if fence.kind == "keys" and following is not None:
                    seen = seen and following.options.get("terminal") == fence.options["terminal"]
                self.returns = returns(fence, fences[index + 1 :])
                getattr(self, f"do_{fence.kind}")(fence, seen)
            for terminal in self.terminals.values():
                self.settle(terminal)
        except Mismatch as error:
            line = error.line or begin
            where = f"{self.page.path}:{line}, in the fence of line {begin}, under {heading!r}"
            raise Mismatch(f"{where}:\n{error}", line) from None
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
                f"It printed:\n{terminal.printed}",
                terminal.line,
            )
        if terminal.printed.strip() and not terminal.open_end:
            if self.update and terminal.end:
                new = updating.updated("", terminal.printed).lines
                self.changes.append((terminal.end, 0, new))
                return
            raise Mismatch(
                f"{terminal.command!r} printed more than the page shows:\n{terminal.printed}",
                terminal.line,
            )

    def differs(self, terminal: Terminal, begin: int, expected: str, ended: bool = True) -> None:
        """What the page shows from this line on is not what the terminal shows."""
        shown = terminal.printed
        update = updating.updated(expected, shown, ended)
        if not self.update:
            said = f"{terminal.command!r}\n{difference(expected, shown)}"
            raise Mismatch(said, begin + update.first)
        self.changes.append((begin, len(expected.splitlines()), update.lines))
        rest = shown.splitlines(keepends=True)[update.used :]
        terminal.screen = "" if ended else "".join(rest)
        terminal.open_end = list(update.lines[-1:]) == ["..."]

    def do_sh(self, fence: Fence, seen: bool) -> None:
        terminal = self.terminal(fence)
        for number, line in enumerate(fence.text.splitlines(), fence.line + 1):
            self.settle(terminal)
            terminal.type(line, number)
        self.current = terminal.name
        terminal.expected = int(fence.options.get("exit", "0"))
        if not seen:
            self.settle(terminal)

    def do_text(self, fence: Fence, seen: bool) -> None:
        """Compare. A program that has ended must have printed this and nothing else."""
        terminal, regex = self.terminal(fence), pattern(fence.text)
        terminal.open_end = fence.text.rstrip().endswith("\n...")
        terminal.end = fence.line + 1 + len(fence.text.splitlines())
        begun = time.monotonic()
        spoke, last = begun, ""
        while True:
            code = terminal.exit_code
            shown = terminal.printed
            now = time.monotonic()
            if shown != last:
                spoke, last = now, shown
            whole = shown if shown.endswith("\n") or not shown else f"{shown}\n"
            # A line that has not ended may be half a line. A question has no end of line.
            complete = shown.endswith("\n") or now > spoke + UNFINISHED
            if code is None and complete and (begin := re.match(regex, whole)):
                terminal.screen = terminal.screen[begin.end() :]
                return
            if code is not None and re.fullmatch(regex, whole):
                terminal.screen = terminal.screen[len(shown) :]
                self.settle(terminal)
                return
            silent = now > min(spoke + SILENCE, begun + 6 * SILENCE)
            said_all = self.update and not self.returns and shown and silent
            if (
                code is not None
                or said_all
                or now > begun + DEADLINE
                or not terminal.child.isalive()
            ):
                ended = code is not None
                prompt = terminal.screen[len(shown) :]
                self.differs(terminal, fence.line + 1, fence.text, ended)
                if ended:
                    terminal.screen = prompt
                    self.settle(terminal)
                return

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
        for source, lines, begin in examples_of(fence.text):
            expected = "\n".join(lines)
            for line in source:
                terminal.wait(
                    lambda: at_python(terminal),
                    "there is no Python prompt: the page must start python here before",
                )
                terminal.type(line, fence.line + begin)
            terminal.wait(
                lambda: at_python(terminal) or terminal.exit_code is not None,
                f"{source[0]!r} does not come back",
            )
            prompt = terminal.screen[len(terminal.printed) :]
            if not re.fullmatch(pattern(expected), terminal.printed):
                terminal.command = source[0]
                self.differs(terminal, fence.line + 1 + begin, expected)
            terminal.screen = prompt

    def do_file(self, fence: Fence, seen: bool) -> None:
        file = self.file(fence)
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, fence.text)

    do_python = do_file  # without a name for its file: an error

    def do_diff(self, fence: Fence, seen: bool) -> None:
        file = self.file(fence)
        if not file.exists():
            raise Mismatch(f"{file} is to be edited, and is not there: name the terminal as well")
        write(file, edited(file.read_text(), fence.text, file.name))

    def file(self, fence: Fence) -> Path:
        """The file that a fence writes, in the folder of its terminal or of the last one."""
        if "file" not in fence.options:
            raise Mismatch(f"a {fence.kind} fence needs file=NAME, or not-run=REASON")
        terminal = self.terminals.get(fence.options.get("terminal") or self.current)
        file = (terminal.folder if terminal else self.folder) / fence.options["file"]
        self.written[file] = fence.options.get("kept") or self.written.get(file, "")
        return file


def returns(fence: Fence, following: Sequence[Fence]) -> bool:
    """Whether the page types the next command where this program runs, and presses no key first."""
    terminal = fence.options.get("terminal")
    typed = [each for each in following if each.kind in ("sh", "keys", "pycon")]
    kinds = [each.kind for each in typed if each.options.get("terminal") == terminal]
    return kinds[:1] == ["sh"]


def write(file: Path, text: str) -> None:
    """Write a file in one step: a server that watches it never reads half of it."""
    unfinished = file.with_name(f".{file.name}.part")
    unfinished.write_text(text)
    if file.exists():
        shutil.copymode(file, unfinished)
    unfinished.replace(file)


def at_python(terminal: Terminal) -> bool:
    return bool(PYTHON_PROMPT.search(terminal.look()))


def clean_env(home: Path) -> dict[str, str]:
    """The environment of a learner who has opened a terminal: nothing of ours."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    terminal = {"TERM": "xterm", "COLUMNS": "100", "PYTHON_BASIC_REPL": "1"}
    return {**kept, **terminal, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}


def kill_all_at_home(home: str) -> None:
    """Kill every process with this HOME: a page that fails may leave servers in the background."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME") == home:
                process.kill()
        except (psutil.Error, OSError):
            continue  # it has ended, or it is somebody else's


# A page of a chapter


def play_page(path: Path, update: bool = False) -> int:
    """Play a page of a chapter as a learner does, in an empty copy of the course.

    There are only the chapter and `.venv`. What the page has written must be the example: each
    file it wrote, and each Python file in `work/`, must equal that of the chapter. Returns how
    many fences were played.

    With `update`, what was printed is written into the page where the page shows something else.

    Raises `Mismatch`.
    """
    page = Page.read(path)
    with tempfile.TemporaryDirectory(prefix="page-") as scratch:
        folder = Path(scratch) / "course"
        caches = shutil.ignore_patterns("__pycache__")  # others write there, at this moment
        shutil.copytree(path.parent, folder / path.parent.name, ignore=caches)
        (folder / ".venv").symlink_to(Path(sys.prefix))
        player = Player(page, folder, clean_env(Path(scratch)), update)
        try:
            player.play()
        finally:
            updating.write(path, player.changes)
        for written in sorted({*player.written, *(folder / "work").glob("*/**/*.py")}):
            kept = player.written.get(written, "")
            name = Path(kept, *written.relative_to(folder / "work").parts[1:])
            example = path.parent / name
            if not example.exists():
                raise Mismatch(f"{path}: it writes {name}, which the example does not have")
            if written.read_text() != example.read_text():
                raise Mismatch(
                    f"{path}: at its end {name} is not what the example has:\n"
                    f"{difference(written.read_text(), example.read_text())}"
                )
    return len(page.fences) - len(page.not_run)
