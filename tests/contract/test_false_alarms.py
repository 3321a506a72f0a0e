"""Every assignment: its checks pass the reference, and right solutions that are written otherwise."""

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import EXERCISES, gather
from exercise_code.support.devices import pretended


def test_no_false_alarm(assignment, seeds, depth, monkeypatch):
    """The reference, and right solutions that are written otherwise, pass for every seed.

    Where a tensor lies does not depend on the seed, so the pretended accelerator is tried with the first one.
    """
    for seed in seeds:
        first = seed == seeds[0]
        if not first and depth != "all":
            monkeypatch.setattr(pretended, "available", lambda: False)
        answers = make_answers(assignment.checks, [], seed)
        for check in (check for check in assignment.checks if check.target is None):
            reference = answers.reference[check.id]
            function = exercise_source.read_exercise(check.exercise, EXERCISES)
            evidence = gather(check, seed) if first else reference
            assert not judge(check, evidence, reference, function).faults
            for variant in (variant for variant in assignment.variants if variant.exercise == check.exercise):
                tree = exercise_source.find_function(variant.source, variant.name)
                with replaced(variant.exercise, variant.function):
                    faults = judge(check, gather(check, seed), reference, tree).faults
                assert not faults, (variant.name, seed)
