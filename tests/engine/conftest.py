"""A made-up module of exercises, for tests of the checking engine."""

import sys

import pytest

import exercise_code
from exercise_code.support.checking import run_check


@pytest.fixture
def exercise(tmp_path, monkeypatch):
    """Writes a module of exercises into a package `exercise_code.lab`, and forgets it afterwards."""
    folder = tmp_path / "exercise_code/lab"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.setattr(exercise_code, "__path__", [*exercise_code.__path__, str(tmp_path / "exercise_code")])
    monkeypatch.setattr(run_check, "EXERCISES", tmp_path / "exercise_code")

    def forget():
        for name in [name for name in sys.modules if name.startswith("exercise_code.lab")]:
            del sys.modules[name]
        vars(exercise_code).pop("lab", None)

    def write(text: str) -> None:
        (folder / "work.py").write_text("import numpy as np\nimport torch\n\n\n" + text)
        forget()

    yield write
    forget()
