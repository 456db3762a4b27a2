"""`--chapter 03`: what the whole-course tests say of one chapter, and nothing else."""

from pathlib import Path

import pytest

from lab.chapters import TUTORIALS, Chapter, find


def pytest_addoption(parser):
    parser.addoption("--chapter", type=find, help="Only what is about this chapter.")


def is_about(value, chapter):
    """Whether a parameter of a test belongs to a chapter: the chapter, a part or a file of it."""
    if isinstance(value, Chapter):
        return value == chapter
    if isinstance(value, Path):
        notebook = value.parent == TUTORIALS and value.stem == chapter.name
        return notebook or value.is_relative_to(chapter.folder)
    if isinstance(value, str):
        return value.startswith(f"{chapter.number}/")
    return getattr(value, "chapter", None) == chapter


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    if chapter := config.option.chapter:
        about = [item for item in items if any(is_about(v, chapter) for v in parameters(item))]
        config.hook.pytest_deselected(items=[item for item in items if item not in about])
        items[:] = about


def parameters(item):
    return item.callspec.params.values() if hasattr(item, "callspec") else ()
