"""Every claim of every experiment is demanded here, and the machinery is tried on bad ones."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
from rich.console import Console

from lab.authoring import checks
from lab.bench import wait_until
from lab.chapters import find as find_chapter
from lab.commands.experiment import table_of
from lab.course import experiments

LAB = [sys.executable, "-m", "lab.cli", "run"]
EVERY = experiments.all_experiments()


def measures_speed(experiment):
    return "needs_idle_cores" in experiment.path.read_text()


@pytest.mark.takes(10)
@pytest.mark.parametrize(
    "experiment",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.alone] * measures_speed(each))
        for each in EVERY
    ],
)
def test_every_claim_holds(experiment):
    outcome = experiment.run()
    wrong = [claim.sentence for claim in outcome.claims if claim.holds is False]
    assert not wrong, f"{experiment.name} claims what is not true: {wrong}\nRows: {outcome.rows}"
    assert outcome.claims, f"{experiment.name} claims nothing"


@pytest.mark.parametrize("experiment", EVERY, ids=lambda each: each.name)
def test_every_experiment_tells_its_story(experiment):
    assert list(checks.of_experiment(experiment)) == []


def test_the_right_answer_is_not_always_the_same():
    assert len({experiment.answer for experiment in EVERY}) > 1


# The machinery, on experiments that are wrong

STORY = '''"""# Is water wet?

## Question

Touch it.

## Predict

- [ ] No.
- [x] Yes,
  it is.
- [ ] Perhaps.

## Why

Because.

## Fix

A towel.
"""
'''

WET = """
def run(bench):
    return [{"water": "wet", "message": "Splash: water\\nis wet"}]


def claims(rows):
    return {"water is wet": rows[0]["water"] == "wet"}
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        (tmp_path / "water.py").write_text(text)
        return experiments.Experiment(find_chapter("01"), tmp_path / "water.py")

    return write


def test_a_story_is_read_with_its_choices(write):
    experiment = write(STORY + WET)
    assert experiment.story["title"] == "Is water wet?"
    assert experiment.choices == ["No.", "Yes, it is.", "Perhaps."]
    assert experiment.answer == 1
    assert experiment.run().holds


def test_a_claim_that_is_not_true_is_found(write):
    assert not write(STORY + WET.replace('== "wet"', '== "dry"')).run().holds


def test_a_message_that_is_not_printed_any_more_is_found(write):
    assert write(f'{STORY}MESSAGES = ["Splash: water is wet"]\n{WET}').run().holds
    assert write(f'{STORY}MESSAGES = ["Splash: ... is wet"]\n{WET}').run().holds
    assert not write(f'{STORY}MESSAGES = ["Splish: water is wet"]\n{WET}').run().holds
    assert not write(f'{STORY}MESSAGES = ["Splash: ... is dry"]\n{WET}').run().holds


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("## Why", "## Because", "It needs '## ' headings in this order: Question, Predict"),
        ("- [x]", "- [ ]", "three choices"),
        ("- [ ] Perhaps.\n", "", "three choices"),
    ],
)
def test_an_incomplete_story_says_what_is_missing(write, old, new, said):
    experiment = write(STORY.replace(old, new) + WET)
    with pytest.raises(experiments.NotAnExperiment, match=re.escape(said)):
        assert experiment.story and experiment.choices


def test_a_claim_about_speed_is_left_out_on_a_busy_machine(write, monkeypatch):
    claim = 'needs_idle_cores("water is fast"): False, "water is wet"'
    text = "from lab.course.experiments import needs_idle_cores\n" + WET.replace(
        '"water is wet"', claim
    )
    monkeypatch.setattr(experiments, "cores_are_idle", lambda: False)
    outcome = write(STORY + text).run()
    assert [claim.holds for claim in outcome.claims] == [None, True]
    monkeypatch.setattr(experiments, "cores_are_idle", lambda: True)
    monkeypatch.setattr(experiments, "cores_are_whole", lambda: False)
    assert [claim.holds for claim in write(STORY + text).run().claims] == [None, True]
    monkeypatch.setattr(experiments, "cores_are_whole", lambda: True)
    assert not write(STORY + text).run().holds


def test_busy_cores_are_noticed():
    from lab.machine import all_cores_busy

    with all_cores_busy():
        wait_until(lambda: not experiments.cores_are_idle(), "the hogs were not noticed")


def test_other_work_is_noticed_while_an_experiment_runs_and_its_own_is_not():
    from lab import Bench
    from lab.machine import all_cores_busy

    with Bench("01-first-steps") as bench:
        others = experiments.OtherWork(lambda: {each.pid for each in bench.processes})
        with others, all_cores_busy():
            wait_until(lambda: others.most > experiments.BUSY, "the hogs were not noticed")
        bench.start_python("while True: pass")
        wait_until(lambda: sum(others._ours().values()) > 3, "its own work is not counted")


def test_a_stale_edit_of_the_example_is_refused():
    from lab import Bench

    with Bench("01-first-steps") as bench, pytest.raises(ValueError, match="0 times, not once"):
        bench.copy({"tasks.py": ("return x - y", "return x * y")})


def lab_run(*words):
    return subprocess.run([*LAB, *words], capture_output=True, text=True, env=dict(os.environ))


def test_the_list_names_every_experiment_and_its_question():
    said = lab_run().stdout
    for experiment in EVERY:
        assert experiment.name in said


def test_an_unknown_experiment_is_answered_with_those_there_are():
    refused = lab_run("01/no_such")
    assert refused.returncode == 1
    assert "There is no experiment '01/no_such'. Choose one:" in refused.stderr
    assert "  01/four_causes_of_pending" in refused.stderr


def test_without_a_terminal_nothing_is_asked_and_everything_is_told():
    said = lab_run("four_causes")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "\x1b" not in said.stdout
    assert "✓ all four are PENDING" in said.stdout
    for words in ("a) All four", "Why", "Fix", "a mistyped id"):
        assert words in said.stdout


@pytest.mark.parametrize("room", [60, 80, 100])
def test_a_table_breaks_no_word_and_parts_its_rows_where_they_wrap(room):
    rows = [
        {"what happens": "A takes longer than it may", "acknowledges": way, "A": "is in the queue"}
        for way in ("early ack", "acks_late", "acks_late + reject_on_worker_lost")
    ]
    console = Console(width=room, file=io.StringIO())
    console.print(table_of(rows, room))
    said = console.file.getvalue()
    assert max(map(len, said.splitlines())) <= room
    assert "reject_on_worker_lost" in said
    wraps = "A takes longer than it may" not in said or "acks_late + reject" not in said
    assert said.count("├") == (2 if wraps else 0)


def test_where_there_is_no_room_at_all_a_word_is_folded_and_nothing_is_lost():
    console = Console(width=20, file=io.StringIO())
    console.print(table_of([{"pool": "x" * 30, "ran": "y" * 30}], 20))
    said = console.file.getvalue()
    assert (said.count("x"), said.count("y")) == (30, 30)


def test_other_programs_get_json():
    [found] = json.loads(lab_run("four_causes", "--json").stdout)
    assert found["name"] == "01/four_causes_of_pending"
    assert len(found["rows"]) == 4
    assert {"sentence": "all four are PENDING", "holds": True} in found["claims"]


def test_in_a_terminal_the_prediction_is_asked_and_answered():
    import pexpect

    terminal = pexpect.spawn(LAB[0], [*LAB[1:], "four_causes"], encoding="utf-8", timeout=250)
    terminal.expect("Your prediction")
    terminal.sendline("a")
    terminal.expect("Not this time")
    terminal.expect("What happened is c")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_numbers_of_an_experiment_are_options(write):
    experiment = write(STORY + WET.replace("run(bench)", "run(bench, cups=1)"))
    assert experiment.options == {"cups": 1}
    assert experiment.numbers([]) == {}
    assert experiment.numbers(["--cups", "12"]) == {"cups": 12}
    assert experiment.run(experiment.numbers(["--cups", "12"])).holds
    for words in (["--mugs", "1"], ["--cups"]):
        with pytest.raises(experiments.NoSuchOption, match="has these options: --cups 1"):
            experiment.numbers(words)
    with pytest.raises(experiments.NoSuchOption, match="'many' is not a number"):
        experiment.numbers(["--cups", "many"])
    with pytest.raises(experiments.NoSuchOption, match="It has none"):
        write(STORY + WET).numbers(["--cups", "1"])


def test_an_experiment_can_have_a_broker_of_another_kind_and_say_how_far_it_is(write):
    text = WET.replace("return [", "bench.show('half')\n    return [")
    text = text.replace('"wet",', 'bench.broker.client.config_get("maxmemory")["maxmemory"],')
    text = text.replace('== "wet"', '== "3145728"')
    said = []
    outcome = write(f'{STORY}BROKER = {{"maxmemory": "3mb"}}\n{text}').run(show=said.append)
    assert outcome.holds, outcome.rows
    assert said == ["half"]
