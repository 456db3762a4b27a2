"""The kill matrix in reliability.md says what its experiments claim, word for word.

The claims themselves are run with all others, in tests/test_experiments.py of the course. Nothing
is run here.
"""

import ast
import re
from pathlib import Path

import pytest

CHAPTER = Path(__file__).parent.parent
PAGE = (CHAPTER / "reliability.md").read_text()


def table():
    """The cells on the page: {(experiment, what happens, how it acknowledges): the two fates}."""
    head, *rows = re.findall(r"^\| (?:what happens|\[.+?\]\(experiments/).*\|$", PAGE, re.M)
    _, *ways = columns(head)
    cells = {}
    for row in rows:
        link, *fates = columns(row)
        if found := re.fullmatch(r"\[(.+)\]\((experiments/\w+\.py)\)", link):
            keys = [(found[2], found[1], way) for way in ways]
            cells |= dict(zip(keys, fates, strict=True))
    return cells


def columns(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def claimed():
    """The same from the experiments: from the table FATES that each of them has."""
    return {
        (f"experiments/{file.name}", end, way): fate
        for file, tree in experiments().items()
        for end, ways in fates(tree).items()
        for way, fate in ways.items()
    }


def experiments():
    files = sorted((CHAPTER / "experiments").glob("*.py"))
    trees = {file: ast.parse(file.read_text()) for file in files}
    return {file: tree for file, tree in trees.items() if fates(tree)}


def fates(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FATES":
            return ast.literal_eval(node.value)
    return {}


def test_every_cell_is_claimed_by_the_experiment_it_links_to():
    claims, wrong = claimed(), []
    for cell, fate in table().items():
        if claims.get(cell) != fate:
            wrong.append(
                f"{', '.join(cell)}: the page says {fate!r}, claimed is {claims.get(cell)!r}"
            )
    assert not wrong, "\n".join(wrong)


def test_no_claim_is_missing_from_the_table():
    missing = claimed().keys() - table().keys()
    assert not missing, f"reliability.md, 'The kill matrix': write a cell for each of {missing}"


def test_the_matrix_is_whole():
    """Each way to die has a cell for each way to acknowledge."""
    from experiments.shared.kill_matrix import WAYS

    ends = {(file, end) for file, end, _ in table()}
    assert set(table()) == {(*end, way) for end in ends for way in WAYS}


@pytest.mark.parametrize("experiment", experiments(), ids=lambda file: file.stem)
def test_an_experiment_claims_its_whole_table(experiment):
    """Its sentences are made by `cells`, of the table that stands on the page."""
    [claims] = [
        node
        for node in experiments()[experiment].body
        if isinstance(node, ast.FunctionDef) and node.name == "claims"
    ]
    said = ast.unparse(claims.body[-1])
    assert said.startswith("return cells(rows, FATES)"), "claims() begins with cells(rows, FATES)"


def test_a_claim_is_true_when_the_row_says_the_same():
    from experiments.shared.kill_matrix import cells

    row = {"what happens": "SIGQUIT", "acknowledges": "early ack", "A": "is lost", "B": "is done"}
    sentence = "SIGQUIT, early ack: A is lost, B is done"
    good = {"SIGQUIT": {"early ack": "A is lost, B is done"}}
    assert cells([row], good) == {sentence: True}
    assert cells([row | {"A": "is done"}], good) == {sentence: False}
    assert cells([row | {"B": "is lost"}], good) == {sentence: False}
    with pytest.raises(KeyError):
        cells([], good)
