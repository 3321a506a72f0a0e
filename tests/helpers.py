"""What tests of several folders share."""

from pathlib import Path

from exercise_code.support.checking.assignment import all_folders

ASSIGNMENT_NAMES = [folder.name for folder in all_folders()]


def grade_all(submissions, assignment, seed: int, out: Path, pool=None, **options) -> list:
    """Grade submissions as `workbook grade` does, with one worker in this process if not told otherwise."""
    from exercise_code.support.checking.answers import make_answers
    from grading.running.grader import Job
    from grading.running.incremental import grade, one_after_another
    from grading.running.journal import Journal

    submissions = list(submissions)
    job = Job.make(assignment, make_answers(assignment.checks, assignment.mistakes, seed))
    with Journal(out / "journal.sqlite") as journal:
        list(grade(submissions, job, seed, out, journal, (pool or one_after_another)(job), **options))
        records = list(journal.records(submission.id for submission in submissions))
        assert all(list(record.evidence) for record in records)
    return records


def verdict_of(exercise, check, right: str, got: str, mistakes=()):
    """What the judge says of one text of `lab.work` when another one is the reference.

    Args:
        exercise: the fixture that writes the text.
        check: one check of `lab.work`.
        right: the reference.
        got: what is judged.
        mistakes: to be recognised.
    """
    from exercise_code.support.checking.answers import make_answers
    from exercise_code.support.checking.judge import judge
    from exercise_code.support.checking.run_check import gather

    exercise(right)
    answers = make_answers([check], mistakes, seed=1)
    exercise(got)
    evidence = gather(check, 1, answers.held_out)
    return judge(check, evidence, answers.reference[check.id], None, answers.mistakes)
