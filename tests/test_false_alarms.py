"""Every assignment: its checks pass the reference, and right solutions that are written otherwise."""

import pytest
from variants import VARIANTS

from exercise_code.support.checking import source
from exercise_code.support.checking.answers import make_answers, replaced
from exercise_code.support.checking.declare import Mistake
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.probe import EXERCISES, gather

SEEDS = 200
STEP = 5
FIRST = [*range(0, 25, STEP)]
LATER = [pytest.param(start, marks=pytest.mark.slow) for start in range(25, SEEDS, STEP)]


@pytest.mark.parametrize("start", FIRST + LATER)
def test_no_false_alarm(assignment, start):
    """The reference, and right solutions that are written otherwise, pass for every seed."""
    modules = {check.exercise.partition(".")[0] for check in assignment.checks}
    variants = [
        (exercise, function) for exercise, function in VARIANTS if exercise.partition(".")[0] in modules
    ]
    for seed in range(start, start + STEP):
        answers = make_answers(assignment.checks, [], seed)
        for check in (check for check in assignment.checks if check.target is None):
            reference = answers.reference[check.id]
            function = source.read_exercise(check.exercise, EXERCISES)
            evidence = gather(check, seed) if seed == start else reference
            assert not judge(check, evidence, reference, function).faults
            for exercise, other in variants:
                if exercise == check.exercise:
                    tree = source.find_function(Mistake(exercise, other, "", "").source, other.__name__)
                    with replaced(exercise, other):
                        faults = judge(check, gather(check, seed), reference, tree).faults
                    assert not faults, (other.__name__, seed)
