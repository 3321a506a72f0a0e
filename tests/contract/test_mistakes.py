"""Every assignment: its checks catch every known mistake, with its hint."""

import functools
import re

import pytest
from verified import MISTAKE_SEEDS

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import Answers, make_answers
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import gather
from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import with_mistake


@pytest.fixture(scope="session")
def answers_of(assignment):
    """From an exercise and a seed to its answers."""

    @functools.cache
    def answers(exercise: str, seed: int) -> Answers:
        checks = [check for check in assignment.checks if check.exercise == exercise]
        return make_answers(checks, [m for m in assignment.mistakes if m.exercise == exercise], seed)

    return answers


def test_mistake_is_caught_with_its_hint(assignment, mistake, depth, answers_of, record_property):
    (check,) = (check for check in assignment.checks if check.id == mistake.check)
    for seed in range(MISTAKE_SEEDS[depth]):
        answers = answers_of(mistake.exercise, seed)
        with replaced(mistake.exercise, mistake.function):
            evidence = gather(check, seed)
        function = exercise_source.find_function(mistake.source, mistake.name)
        verdict = judge(check, evidence, answers.reference[check.id], function, answers.mistakes)
        if seed == 0:
            how = ", ".join(verdict.faults) or "missed"
            row = [assignment.name, check.id.partition(".")[2], mistake.name, verdict.status, how]
            record_property("mistake", row)
        assert verdict.status in ("failed", "error", "not_deterministic")
        assert verdict.points < check.points
        assert verdict.hint == mistake.hint
        raised = "" if "ruled out" in verdict.faults else evidence.runs["float32"].error or ""
        kind = re.split(r"\W", raised)[0]  # of a bare `assert` nothing follows but the line
        assert kind == (mistake.raises.__name__ if mistake.raises else "")


def test_every_exercise_has_a_mistake_and_a_variant(assignment):
    exercises = {check.exercise for check in assignment.checks if check.target is None}
    assert exercises <= {mistake.exercise for mistake in assignment.mistakes}
    assert exercises <= {variant.exercise for variant in assignment.variants}


def test_hints_are_short_and_differ(assignment):
    for mistake in assignment.mistakes:
        name, hint = mistake.name, mistake.hint
        assert 20 < len(hint) <= 160, f"the hint of {name} has {len(hint)} characters: 21 to 160 are due"
        assert len(re.findall(r"[.!?] +[A-Z`]", hint)) <= 1, f"the hint of {name} has more than two sentences"
    named = [(mistake.check, mistake.hint) for mistake in assignment.mistakes]
    assert len(set(named)) == len(named)


@pytest.mark.vouched
def test_every_mistake_can_be_handed_in(assignment):
    """Written into the module of its exercise with all that it needs, the module can be imported."""
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in assignment.editable}
    for mistake in assignment.mistakes:
        changed = {*with_mistake(texts, mistake).items()} - texts.items()
        assert changed, mistake.name
        for file, text in changed:
            name = file.removesuffix(".py").replace("/", ".")
            exec(compile(text, file, "exec"), {"__name__": name, "__package__": name.rpartition(".")[0]})
