"""Every assignment: its checks pass the reference, and right solutions that are written otherwise."""

import pytest

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import EXERCISES, gather

SEEDS = 200
STEP = 5
FIRST = [*range(0, 25, STEP)]
LATER = [pytest.param(start, marks=pytest.mark.slow) for start in range(25, SEEDS, STEP)]


@pytest.mark.parametrize("start", FIRST + LATER)
def test_no_false_alarm(assignment, start):
    """The reference, and right solutions that are written otherwise, pass for every seed."""
    for seed in range(start, start + STEP):
        answers = make_answers(assignment.checks, [], seed)
        for check in (check for check in assignment.checks if check.target is None):
            reference = answers.reference[check.id]
            function = exercise_source.read_exercise(check.exercise, EXERCISES)
            evidence = gather(check, seed) if seed == start else reference
            assert not judge(check, evidence, reference, function).faults
            for variant in (variant for variant in assignment.variants if variant.exercise == check.exercise):
                tree = exercise_source.find_function(variant.source, variant.name)
                with replaced(variant.exercise, variant.function):
                    faults = judge(check, gather(check, seed), reference, tree).faults
                assert not faults, (variant.name, seed)
