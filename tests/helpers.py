"""What tests of several folders share."""

from pathlib import Path


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
