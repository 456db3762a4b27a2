"""Plays a page as a learner would: types, presses, writes, edits, and looks at the screen."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from lab.authoring.pages.comparing import Mismatch, difference, pattern
from lab.authoring.pages.fences import Fence, Page, edited, examples_of
from lab.authoring.pages.terminal import DEADLINE, PYTHON_PROMPT, Terminal


class Player:
    """Plays one page in a scratch folder. `env` is what every terminal starts with."""

    def __init__(self, page: Page, folder: Path, env: Mapping[str, str]) -> None:
        self.page, self.folder, self.env = page, folder, env
        self.terminals: dict[str, Terminal] = {}
        self.current = ""  # the terminal of the last command
        # The files that the page has written or edited, and where in the example each is kept.
        self.written: dict[Path, str] = {}

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
        self.written[file] = fence.options.get("kept") or self.written.get(file, "")
        return file


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


if __name__ == "__main__":
    try:
        print(f"{play_page(Path(sys.argv[1]).resolve())} fences played")
    except Mismatch as error:
        sys.exit(str(error))
