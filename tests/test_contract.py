"""What a chapter must contain. Each failure says what to write, and where."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from lab.authoring import checks
from lab.authoring.pages.fences import Page
from lab.chapters import ROOT, all_chapters
from lab.cli import main
from lab.course import exercises

CHAPTERS = all_chapters()
each = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)

AT_THE_END = ["Experiments", "Exercises", "Key points", "Further reading"]

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "tutorials").glob("*.md")),
    *(page for chapter in CHAPTERS for page in chapter.pages),
    *(one.folder / "README.md" for one in exercises.all_exercises()),
]


# The commands for those who write the course.
AUTHORS = {"page", "tables", "new", "dev"}


def headings(text):
    """The headings of a page, with their level."""
    tokens = MarkdownIt().parse(text)
    return [
        (int(token.tag[1]), tokens[index + 1].content)
        for index, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def section(text, title):
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1] if found else ""


def bullets(text):
    return re.findall(r"^- (.+)$", text, re.M)


@each
def test_nothing_is_missing_in_a_chapter(chapter):
    """The same that `lab dev check` says."""
    assert list(checks.of_chapter(chapter)) == []


@each
def test_a_lesson_begins_with_what_you_build_and_what_is_guaranteed(chapter):
    page = chapter.pages[0]
    before, _, _ = page.read_text().partition("\n## ")
    assert f"# {chapter.title}\n" in before, f"{page}: its heading is the title in lesson.toml"
    assert "You will build" in before, f"{page}: say first what the reader will build"
    assert "```mermaid" in before or "![" in before, f"{page}: show it, in a picture or diagram"
    assert "**The guarantee" in before, f"{page}: say what is guaranteed before the first step"
    assert f'tables.objectives("{chapter.number}")' in before, f"{page}: list the objectives first"


@each
def test_a_lesson_ends_with_its_tables_and_key_points(chapter):
    page = chapter.pages[0]
    titles = [title for level, title in headings(page.read_text()) if level == 2]
    expected = list(AT_THE_END)
    if chapter != CHAPTERS[0]:
        expected.insert(2, "How this differs from the chapter before")
    assert titles[-len(expected) :] == expected, f"{page}: its last headings are {expected}"
    points = section(page.read_text(), "Key points")
    assert bullets(points) and f'tables.key_points("{chapter.number}")' in points, (
        f"{page}: the key points are those of lesson.toml"
    )
    links = bullets(section(page.read_text(), "Further reading"))
    assert links and all("](" in link for link in links), f"{page}: each reading has its link"


@each
def test_every_page_of_a_chapter_can_be_found_from_its_lesson(chapter):
    lesson = chapter.pages[0].read_text()
    for page in chapter.pages[1:]:
        assert f"]({page.name})" in lesson, f"{chapter.pages[0]} does not link to {page.name}"


@each
def test_the_map_of_the_course_names_the_chapter(chapter):
    row = f"\n| [{chapter.name}]({chapter.name}/) |"
    assert row in (ROOT / "README.md").read_text(), (
        f"README.md, 'The map': write a row that begins with {row!r}"
    )


def test_every_command_of_lab_is_named():
    """Those for readers in a table of the README, those for authors in CONTRIBUTING."""
    named = " ".join(re.findall(r"^\| (`.+?) \|", (ROOT / "README.md").read_text(), re.M))
    authors = (ROOT / "CONTRIBUTING.md").read_text()
    for name in main.commands:
        if name in AUTHORS:
            assert f"`lab {name}" in authors, f"CONTRIBUTING.md: say what `lab {name}` does"
        else:
            assert re.search(rf"`(lab )?{name}\b", named), f"README.md: a row for `lab {name}`"


# Modules: those that the lesson writes, and those that are given

# Lines of a module that somebody reads and writes in a lesson. Blank ones do not count.
LONGEST = 60
GIVEN = "Given: "
NO_EXAMPLE = {"errors", "experiments", "exercises", "solutions", "tests"}


def example_modules(chapter):
    """The names of the example's modules in which something happens."""
    for file in sorted(chapter.folder.rglob("*.py")):
        name = file.relative_to(chapter.folder)
        tree = ast.parse(file.read_text())
        if not NO_EXAMPLE & set(name.parts) and len(tree.body) > (
            ast.get_docstring(tree) is not None
        ):
            yield str(name)


def lesson_modules(chapter):
    """The names of those that a page of the chapter writes or edits."""
    fences = (fence for page in chapter.pages for fence in Page.read(page).fences)
    written = {
        str(Path(fence.options.get("kept", ""), fence.options["file"]))
        for fence in fences
        if "file" in fence.options
    }
    return [name for name in example_modules(chapter) if name in written]


def length(file):
    return sum(bool(line.strip()) for line in file.read_text().splitlines())


def too_long(chapter):
    return {
        f"{chapter.name}/{name}": lines
        for name in lesson_modules(chapter)
        if (lines := length(chapter.folder / name)) > LONGEST
    }


def given_in_silence(chapter):
    """What the lesson does not write and does not say so; and what it writes, and calls given."""
    lesson, wrong = lesson_modules(chapter), []
    for name in example_modules(chapter):
        said = ast.get_docstring(ast.parse((chapter.folder / name).read_text())) or ""
        if said.startswith(GIVEN) == (name in lesson):
            wrong.append(name)
    return wrong


@each
def test_a_lesson_writes_modules_that_can_be_read_at_once(chapter):
    assert lesson_modules(chapter), f"{chapter.name}: its lesson writes no module of the example"
    found = too_long(chapter)
    assert not found, (
        f"{found}: more than {LONGEST} lines: split them, or give what is not the lesson's"
    )


@each
def test_a_module_that_is_given_says_so(chapter):
    wrong = given_in_silence(chapter)
    assert not wrong, (
        f"{chapter.name}, {wrong}: a docstring begins with {GIVEN!r} if no page writes the module, "
        "and only then"
    )


# Links


@cache
def anchors(text):
    """The anchors that GitHub gives the headings of a page."""
    found = []
    for _, title in headings(text):
        words = re.sub(r"[`*]|\[|\]\(.*?\)", "", title).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        again = found.count(anchor)
        found.append(f"{anchor}-{again}" if again else anchor)
    return found


def links(page):
    """The places a page links to within the course: (path, anchor), without its fences."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield target, (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_links_lead_somewhere(page):
    for target, path, anchor in links(page):
        assert path.exists(), f"{page.name} links to {target}: there is no such file"
        if anchor:
            there = anchors(path.read_text())
            assert anchor in there, f"{page.name} links to {target}: its headings are {there}"


def test_anchors_are_made_as_github_makes_them():
    page = "# A `lab` tour, in 3 steps\n\n## See it: *now*\n\n## See it: now\n"
    assert anchors(page) == ["a-lab-tour-in-3-steps", "see-it-now", "see-it-now-1"]
