"""On CUDA every check still passes what is right and catches what is wrong."""

import pytest
import torch

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import EXERCISES, gather

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")]


def test_the_reference_passes(assignment):
    answers = make_answers(assignment.checks, [], seed=0)
    for check in assignment.checks:
        evidence = gather(check, 0)
        function = exercise_source.read_exercise(check.exercise, EXERCISES)
        assert judge(check, evidence, answers.reference[check.id], function).status == "passed"
        assert evidence.runs["accelerator"].devices in (["cuda"], [])


def test_right_variants_pass(assignment):
    answers = make_answers(assignment.checks, [], seed=0)
    for check in assignment.checks:
        for variant in (variant for variant in assignment.variants if variant.exercise == check.exercise):
            with replaced(variant.exercise, variant.function):
                evidence = gather(check, 0)
            faults = judge(check, evidence, answers.reference[check.id], None).faults
            assert not faults, variant.name


def test_mistakes_are_caught(assignment):
    answers = make_answers(assignment.checks, assignment.mistakes, seed=0)
    caught = {(mistake.check, mistake.name) for mistake in answers.mistakes}
    assert caught >= {(mistake.check, mistake.name) for mistake in assignment.mistakes}
