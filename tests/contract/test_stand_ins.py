"""Every assignment: stand-ins are right, have the exercise's signature, and are made of what it rules out."""

import contextlib
import functools
import inspect
from dataclasses import replace

import pytest

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.follow_through import foundations
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import in_place, read_stand_ins, replaced
from exercise_code.support.checking.run_check import Code, gather, run_once
from grading.editions.release import _secret_lines, _squash
from grading.editions.student_files import single_stand_ins

SEEDS = (0, 1, 11)


def exercise_of(name: str):
    return functools.reduce(getattr, name.split("."), Code())


@pytest.fixture(autouse=True)
def imported(assignment):
    """All modules: what is imported while an exercise is replaced would keep what replaces it."""
    for check in assignment.checks:
        if check.target is None:
            exercise_of(check.exercise)


@pytest.fixture(scope="module")
def asked(assignment):
    """The checks of exercises that have a stand-in, without what they rule out."""
    there = {each.exercise for each in assignment.stand_ins}
    return [replace(check, forbids=()) for check in assignment.checks if check.exercise in there]


def test_everything_that_others_build_on_has_a_stand_in(assignment):
    used = {name for check in assignment.checks for name in check.uses}
    there = {each.exercise for one in (*assignment.earlier, assignment) for each in one.stand_ins}
    assert used <= there, f"add to stand_ins.py: {', '.join(sorted(used - there))}"
    assert len({each.exercise for each in assignment.stand_ins}) == len(assignment.stand_ins)


@pytest.mark.parametrize("seed", SEEDS)
def test_stand_ins_pass_the_checks_of_their_exercises(assignment, asked, seed):
    """All of them together, so that none works by another exercise."""
    answers = make_answers(asked, [], seed)
    with in_place(assignment.stand_ins):
        for check in asked:
            if check.target is None:
                verdict = judge(check, gather(check, seed), answers.reference[check.id], None)
                assert not verdict.faults, check.id


def test_each_comes_alone_to_where_submissions_run(assignment, tmp_path):
    files = single_stand_ins(assignment)
    assert files.keys() == {each.exercise for each in assignment.stand_ins}
    for i, (exercise, text) in enumerate(files.items()):
        (tmp_path / f"{i}.py").write_text(text)
        assert [each.exercise for each in read_stand_ins(tmp_path / f"{i}.py")] == [exercise]


def test_each_is_refused_where_it_is_called_instead_of_written(assignment):
    """A stand-in is made of what the exercise rules out: whoever calls it gains nothing."""
    for each in assignment.stand_ins:
        tree = exercise_source.find_function(each.source, each.name)
        strict = [c for c in assignment.checks if c.exercise == each.exercise and c.forbids]
        with replaced(each.exercise, each.function):
            called = [gather(check, 0).runs["float32"].forbidden for check in strict]
        named = [exercise_source.first_use(tree, check.forbids) for check in strict]
        assert not strict or any(called) or any(named), each.exercise


def test_signatures_are_the_exercises(assignment):
    for each in assignment.stand_ins:
        due, found = (
            inspect.signature(f).parameters.values() for f in (exercise_of(each.exercise), each.function)
        )
        assert [(p.name, p.kind, p.default is p.empty) for p in found] == [
            (p.name, p.kind, p.default is p.empty) for p in due
        ], each.exercise
        values = [(p.default, q.default) for p, q in zip(found, due, strict=True)]
        assert all(p == q or isinstance(q, type) for p, q in values), each.exercise


class Gone(Exception):
    """An exercise is called that has been taken away."""


@pytest.mark.vouched
def test_uses_name_all_that_a_check_builds_on(assignment):
    """Whatever exercise is broken: the checks of others that meet it name it, or what builds on it."""

    def broken(*_, **__):
        raise Gone

    for name in dict.fromkeys(check.exercise for check in assignment.checks):
        with replaced(name, broken):
            for check in assignment.checks:
                if check.exercise != name and check.target is None:
                    error = run_once(check, 0, Case(0, check.id), first=True).error or ""
                    known = "Gone" not in error or name in foundations(check, assignment.checks)
                    assert known, f"{check.id} calls {name}: add that to its `uses`"


def test_uses_name_what_a_check_builds_on_in_earlier_assignments(assignment):
    """Whoever has not written it, there or in plain nbgrader, gets a stand-in for what is named alone."""

    def broken(*_, **__):
        raise Gone

    before = [check for each in assignment.earlier for check in each.checks]
    exercises = {check.exercise for check in before}
    for check in assignment.checks:
        if check.target is None and before:
            with contextlib.ExitStack() as stack:
                for name in exercises - {*foundations(check, [*assignment.checks, *before])}:
                    stack.enter_context(replaced(name, broken))
                error = run_once(check, 0, Case(0, check.id), first=True).error or ""
            assert "Gone" not in error, f"{check.id} builds on what its `uses` do not name: {error}"


def test_they_hold_no_line_of_a_solution(assignment):
    secrets = {_squash(line): line for line in _secret_lines(assignment)}
    text = _squash((assignment.folder / "stand_ins.py").read_text(encoding="utf-8"))
    assert not [line for squashed, line in secrets.items() if squashed in text]
