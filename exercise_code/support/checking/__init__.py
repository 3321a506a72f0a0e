"""Checks: `check("knn")` says what is right, what is wrong, and where a mistake is known, a hint."""

from exercise_code.support.checking.assignment import AssignmentError
from exercise_code.support.checking.student_check import Verdicts, build_on, check
from exercise_code.support.checking.task import task

__all__ = ["AssignmentError", "Verdicts", "build_on", "check", "task"]
