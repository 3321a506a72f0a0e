"""Where things lie, whether in the repository, a student's copy or an nbgrader folder."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = ROOT / "assignments"
DATASETS = ROOT / "datasets"
