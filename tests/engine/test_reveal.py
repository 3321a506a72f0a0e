"""Which versions of an exercise count as honest tries."""

import json
from types import SimpleNamespace

import pytest

from exercise_code.support import reveal
from exercise_code.support.checking.judge import Verdict

EXERCISE = "knn.predict_labels"


@pytest.mark.parametrize(
    "status, counts",
    [("failed", 1), ("error", 1), ("timeout", 1), ("passed", 0), ("not_written", 0), ("blocked", 0)],
)
def test_what_is_wrong_itself_counts_and_what_another_blocks_does_not(tmp_path, monkeypatch, status, counts):
    monkeypatch.setattr(reveal, "TRIES", tmp_path / "tries.json")
    (tmp_path / reveal.SOLUTIONS).write_bytes(b"")
    verdict = Verdict(EXERCISE, "", 1, status=status)
    reveal.note_tries(SimpleNamespace(folder=tmp_path), [verdict])
    known = json.loads(reveal.TRIES.read_text()) if reveal.TRIES.exists() else {}
    assert len(known.get(EXERCISE, {"wrong": []})["wrong"]) == counts
