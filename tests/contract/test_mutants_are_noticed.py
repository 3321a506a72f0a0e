"""Every assignment: its checks notice changes of the solutions, and pass right rewrites."""

import pytest
from rich.console import Console
from verified import MUTANTS

from grading.mutants.examination import Settings, examine_assignment


@pytest.mark.vouched
def test_checks_notice_mutants_and_pass_rewrites(assignment, depth, tmp_path):
    settings = Settings(tmp_path, workers=1, sample=MUTANTS[depth])
    found = examine_assignment(assignment, settings, Console(quiet=True))
    assert found.flawless, found.summary()
