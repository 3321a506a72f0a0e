"""The leaderboard of saved models: who is on it, and in which order."""

import csv
import math
from dataclasses import replace

import pytest
import torch

from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.checking.evidence import Evidence, Run
from grading.scores.leaderboard import leaderboard, write_leaderboard
from grading.submissions.records import Graded, Submission

CHECK = "training.fastest.fast_net:accuracy"
NUM = 100


@pytest.fixture(scope="module")
def a05():
    """The assignment with its saved model alone."""
    found = find_assignment("a05")
    only = [check for check in found.checks if check.id == CHECK]
    return type("OneCheck", (), {"checks": only, "target": only[0].target})


@pytest.fixture
def answers():
    truth = Run(outputs={"labels": torch.zeros(NUM, dtype=torch.int64)})
    return Answers(0, {CHECK: Evidence(CHECK, {"float32": truth})}, [])


def graded(id: str, right: int, **outputs) -> Graded:
    """A submission whose model gets so many of the images right."""
    labels = (torch.arange(NUM) >= right).long()
    run = Run(outputs={"labels": labels, **outputs})
    return Graded(Submission(id, name=f"={id}"), [], [Evidence(CHECK, {"float32": run})])


def test_those_who_reach_the_target_come_first_by_steps(a05, answers):
    target = math.ceil(NUM * a05.target)
    records = [
        graded("best", NUM, parameters=9, steps=500),
        graded("fast", target, parameters=9, steps=100),
        graded("too early", target - 1, parameters=9, steps=10),
        graded("far", 3, parameters=9, steps=1),
        graded("as fast", target, parameters=99, steps=100),
    ]
    places = leaderboard(a05, records, answers)
    assert [(place.rank, place.id) for place in places] == [
        (1, "as fast"),
        (1, "fast"),
        (3, "best"),
        (4, "too early"),
        (5, "far"),
    ]
    assert [place.reached for place in places] == [True, True, True, False, False]
    assert [place.value for place in places] == [
        pytest.approx(right / NUM) for right in (target, target, NUM, target - 1, 3)
    ]


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"parameters": 5},
        {"steps": "10", "parameters": 5},
        {"steps": True, "parameters": 5},
        {"steps": 0, "parameters": 5},
        {"steps": 1.5, "parameters": 5},
    ],
)
def test_a_model_without_counts_has_no_place(a05, answers, outputs):
    assert leaderboard(a05, [graded("odd", NUM, **outputs)], answers) == []


def test_what_did_not_run_has_no_place(a05, answers):
    counts = {"parameters": 5, "steps": 5}
    wrong_form = graded("wrong form", NUM, **counts)
    wrong_form.evidence[0].runs["float32"].outputs["labels"] = torch.zeros(3)
    ended = replace(graded("ended", NUM), evidence=[Evidence(CHECK, problem=("crashed", "it ended"))])
    failed = replace(graded("failed", NUM), evidence=[Evidence(CHECK, {"float32": Run(error="KeyError")})])
    assert leaderboard(a05, [wrong_form, ended, failed], answers) == []


def test_the_file_is_a_table_that_runs_nothing(a05, answers, tmp_path):
    places = leaderboard(a05, [graded("ann", NUM, parameters=7, steps=3)], answers)
    write_leaderboard(tmp_path / "leaderboard.csv", places)
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["name"] == "'=ann"
    assert (row["rank"], row["value"], row["parameters"], row["steps"]) == ("1", "1", "7", "3")
