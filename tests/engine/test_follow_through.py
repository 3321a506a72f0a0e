"""What is blocked by what, and what stand-ins make of it: on verdicts alone, and in a student's process."""

import pytest
import torch

from exercise_code import knn
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.declare import StandIn, check
from exercise_code.support.checking.follow_through import (
    block,
    follow_through,
    foundations,
    with_their_family,
)
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.replace import in_place, keep_in_place, lifted, replaced
from exercise_code.support.checking.run_check import run_once


def declared(id: str, *uses: str):
    return check(id, points=2, uses=uses)(lambda code, case: {})


CHECKS = [
    declared("m.low"),
    declared("m.low:edge"),
    declared("m.other"),
    declared("m.Layer.forward", "m.low"),
    declared("m.Layer.backward", "m.Layer.forward"),
    declared("m.net", "m.Layer.forward", "m.Layer.backward", "m.other"),
    declared("m.top", "m.net"),
]


def verdicts_where(**faults: dict[str, str]) -> list[Verdict]:
    """All is right but for what has faults, by the last part of the check's name."""
    found = []
    for each in CHECKS:
        wrong = faults.get(each.id.partition(".")[2].replace(".", "_").replace(":", "_"))
        status, points = ("failed", 0.0) if wrong else ("passed", 2.0)
        found.append(Verdict(each.id, "", 2.0, status, points, faults=dict(wrong or {})))
    return found


def blockers(verdicts: list[Verdict]) -> dict[str, list[str]]:
    block(verdicts, CHECKS)
    return {verdict.check: verdict.blockers for verdict in verdicts if verdict.status == "blocked"}


def test_foundations_are_all_that_lies_below():
    *_, net, top = CHECKS
    assert foundations(top, CHECKS) == ["m.net", "m.Layer.forward", "m.Layer.backward", "m.other", "m.low"]
    assert "m.net" not in foundations(net, CHECKS)


def test_what_is_blocked_itself_is_not_named():
    wrong = {name: {"answer": name} for name in ("low", "Layer_forward", "net", "top")}
    blocked = ("m.Layer.forward", "m.net", "m.top")
    assert blockers(verdicts_where(**wrong)) == {name: ["m.low"] for name in blocked}


def test_the_one_that_loses_more_is_named_first():
    found = blockers(verdicts_where(low_edge={"answer": "nan"}, other={"answer": "all"}, net={"answer": "1"}))
    assert found == {"m.net": ["m.other", "m.low"]}


def test_a_fault_that_is_no_wrong_answer_explains_its_own_kind_alone():
    device = {"device": "arange() on the CPU"}
    assert blockers(verdicts_where(other=device, net={"answer": "all differ"})) == {}
    assert blockers(verdicts_where(other=device, net={"device": "sum() on the CPU"})) == {
        "m.net": ["m.other"]
    }


def test_the_same_error_blocks_where_it_came_out_of_the_exercise():
    error = {"answer": "TypeError: x (m.py, line 3)"}
    assert blockers(verdicts_where(other=error, net=error)) == {}  # the module is broken
    verdicts = verdicts_where(other=error, net=error)
    verdicts[5].raised_in = ["m.net", "m.other"]
    assert blockers(verdicts) == {"m.net": ["m.other"]}


def test_what_gives_other_results_each_time_is_blocked_as_well():
    verdicts = verdicts_where(other={"answer": "1"}, net={"repeatable": "two runs differ"})
    verdicts[5].status = "not_deterministic"
    assert blockers(verdicts) == {"m.net": ["m.other"]}


def test_a_hint_above_what_is_wrong_is_taken_back():
    verdicts = verdicts_where(other={"answer": "1"}, net={"answer": "2"})
    verdicts[5].hint = "Your network …"
    block(verdicts, CHECKS)
    assert verdicts[5].hint == ""


def followed(verdicts: list[Verdict], there: set[str], works_with: set[str]) -> tuple[list[Verdict], list]:
    """After `follow_through`, where what is run is right as soon as these are replaced; and what was run."""
    asked = []

    def rerun(wanted):
        asked.append(wanted)
        outcome = {True: ("passed", 2.0), False: ("failed", 0.0)}
        return {
            id: Verdict(id, "", 2.0, *outcome[works_with <= {*names}], faults={"answer": "with stand-ins"})
            for id, names in wanted.items()
        }

    block(verdicts, CHECKS)
    return follow_through(verdicts, CHECKS, there, rerun), asked


EVERY = {each.exercise for each in CHECKS}


def test_points_are_earned_with_the_one_that_really_blocks():
    wrong = verdicts_where(
        low={"answer": "1"}, low_edge={"answer": "1"}, other={"answer": "2"}, net={"answer": "3"}
    )
    found, asked = followed(wrong, EVERY, {"m.low"})
    assert (found[5].status, found[5].points, found[5].blockers) == ("passed", 2.0, ["m.low"])
    assert found[5].followed == "with a stand-in for low, which is not right, this is right"
    assert len(asked) == 1


def test_all_are_replaced_where_none_alone_is_enough():
    wrong = verdicts_where(
        low={"answer": "1"}, low_edge={"answer": "1"}, other={"answer": "2"}, net={"answer": "3"}
    )
    found, asked = followed(wrong, EVERY, {"m.low", "m.other"})
    assert found[5].followed == "with stand-ins for low and other, which are not right, this is right"
    assert [names for wanted in asked for names in wanted.values()] == [
        ["m.low"],
        ["m.other"],
        ["m.low", "m.other"],
    ]


@pytest.mark.parametrize(("with_both", "blockers"), [(2.0, ["m.low", "m.other"]), (1.0, ["m.low"])])
def test_the_most_that_is_earned_counts_with_the_fewest_stand_ins(with_both, blockers):
    def rerun(wanted):
        points = {id: {1: 1.0, 2: with_both}[len(names)] for id, names in wanted.items()}
        return {
            id: Verdict(id, "", 2.0, "passed" if each == 2 else "failed", each) for id, each in points.items()
        }

    wrong = verdicts_where(
        low={"answer": "1"}, low_edge={"answer": "1"}, other={"answer": "2"}, net={"answer": "3"}
    )
    block(wrong, CHECKS)
    found = follow_through(wrong, CHECKS, EVERY, rerun)
    assert (found[5].points, found[5].blockers) == (with_both, blockers)


def test_what_is_wrong_all_the_same_is_judged_with_the_stand_in():
    found, _ = followed(verdicts_where(other={"answer": "2"}, net={"answer": "3"}), EVERY, {"m.nothing"})
    assert (found[5].status, found[5].message) == ("failed", "with stand-ins")
    assert found[5].followed.endswith("this was judged")


def test_methods_come_with_their_class_but_never_the_one_that_is_checked():
    assert with_their_family(["m.Layer.forward"], EVERY) == ["m.Layer.backward", "m.Layer.forward"]
    assert with_their_family(["m.Layer.forward"], EVERY, but="m.Layer.backward") == ["m.Layer.forward"]
    wrong = verdicts_where(Layer_forward={"answer": "1"}, Layer_backward={"answer": "2"}, net={"answer": "3"})
    found, asked = followed(wrong, EVERY, {"m.nothing"})
    assert asked[0]["m.Layer.backward"] == ["m.Layer.forward"]
    assert asked[0]["m.net"] == ["m.Layer.backward", "m.Layer.forward"]
    assert found[4].status == "blocked"  # another's cache says nothing about it


def test_a_forward_and_its_backward_come_together():
    names = {"m.step_forward", "m.step_backward", "m.forward", "m.backward", "m.other_step_forward"}
    assert with_their_family(["m.step_forward"], names) == ["m.step_backward", "m.step_forward"]
    assert with_their_family(["m.step_forward"], names, but="m.step_backward") == ["m.step_forward"]
    assert with_their_family(["m.forward"], names) == ["m.forward"]


def test_nothing_runs_where_a_stand_in_is_missing():
    wrong = verdicts_where(low={"answer": "1"}, Layer_forward={"answer": "2"})
    found, asked = followed(wrong, {"m.other"}, set())
    assert found[3].status == "blocked" and not asked


def add_by_library(x, y):
    return torch.add(x, y)


def call_back(function, x):
    return function(x)


@check("knn.knn_get_best_k", points=1, forbids=["torch.add"], loops=0)
def calls(code, case):
    """A stand-in that adds, the student's own sum, and a stand-in that calls the student's."""
    x = case.points(3)
    return {"sum": code.knn.predict_labels(x, x), "own": code.knn.knn_get_best_k(x)}


STUDENTS = """
import torch
from exercise_code import knn


def none(x):
    return x


def direct(x):
    return torch.add(x, x)


def called_back(x):
    return knn.compute_distances_no_loops(direct, x)
"""


@pytest.mark.parametrize(
    "own, refused", [("none", []), ("direct", ["torch.add"]), ("called_back", ["torch.add"])]
)
def test_what_a_stand_in_calls_is_neither_refused_nor_counted_but_what_it_calls_back_is(own, refused):
    stand_ins = [
        StandIn("knn.predict_labels", add_by_library),
        StandIn("knn.compute_distances_no_loops", call_back),
    ]
    exec(STUDENTS, students := {})
    with in_place(stand_ins), replaced("knn.knn_get_best_k", students[own]):
        run = run_once(calls, 0, Case(0, calls.id), first=True, limited=True)
    assert run.forbidden == refused
    assert run.operations == 0


def test_what_is_kept_in_place_is_lifted_and_what_is_loaded_anew_stays():
    own = knn.predict_labels
    keep_in_place([StandIn("knn.predict_labels", add_by_library)])
    try:
        assert knn.predict_labels is add_by_library
        with lifted():
            assert knn.predict_labels is own
        knn.predict_labels = call_back
    finally:
        keep_in_place([])
    assert knn.predict_labels is call_back
    knn.predict_labels = own
