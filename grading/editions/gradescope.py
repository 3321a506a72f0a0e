"""An autograder for Gradescope that runs the same engine: a zip to upload, and what runs in its container.

The zip follows Gradescope's autograder specification: `setup.sh` and `run_autograder` at its root, results in
`results/results.json`.
"""

import dataclasses
import json
import sys
import zipfile
from pathlib import Path

from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import Assignment, Limits, find_assignment
from exercise_code.support.paths import ROOT
from grading.editions.student_files import write_student_files
from grading.running.grader import Grader, Job
from grading.scores.exports import gradescope_results
from grading.scores.results import checks_as_dicts
from grading.scratch import scratch_folder
from grading.submissions.collect import read_submission

SETUP = """\
#!/usr/bin/env bash
set -e
apt-get update && apt-get install -y python3-venv
python3 -m venv /autograder/venv
cd /autograder/source
/autograder/venv/bin/pip install -r requirements.txt -c constraints.txt '.[grading]'
"""
RUN = """\
#!/usr/bin/env bash
cd "${AUTOGRADER:-/autograder}/source"
export PYTHONPATH=.
exec "${PYTHON:-/autograder/venv/bin/python}" -m grading.editions.gradescope "${AUTOGRADER:-/autograder}"
"""
PROJECT = ["pyproject.toml", "constraints.txt", "course.toml", "README.md"]


def build(assignment: Assignment, answers: Answers, target: Path) -> None:
    """Write the zip: the engine, the checks and the hidden answers, but no solution and no mistake.

    Args:
        assignment: what is graded.
        answers: to hidden inputs; their seed is the same for all who hand in.
        target: the file.
    """
    job = Job.make(assignment, answers)
    target.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder() as scratch, zipfile.ZipFile(target, "w") as archive:
        edition = scratch / "edition"
        write_student_files(assignment, edition)
        packed = dataclasses.asdict(job)
        settings = {name: packed[name] for name in packed if name not in ("files", "answers")}
        members: list[tuple[str, str | bytes]] = [
            ("setup.sh", SETUP),
            ("run_autograder", RUN),
            ("job/settings.json", json.dumps(settings)),
            ("job/files.tar", job.files),
            ("job/answers.safetensors", job.answers),
        ]
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if "/" not in name else 0o644) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
        files = {path.relative_to(edition): path for path in sorted(edition.rglob("*")) if path.is_file()}
        files |= {Path(name): ROOT / name for name in PROJECT}
        engine = [path for path in sorted((ROOT / "grading").rglob("*")) if path.suffix != ".pyc"]
        files |= {path.relative_to(ROOT): path for path in engine if path.is_file()}
        for place, path in files.items():
            archive.write(path, place.as_posix(), zipfile.ZIP_DEFLATED)


def load_job(folder: Path) -> Job:
    """What `build` has packed."""
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    limits = Limits(**settings.pop("limits"))
    files, answers = ((folder / name).read_bytes() for name in ("files.tar", "answers.safetensors"))
    return Job(**settings, limits=limits, files=files, answers=answers)


def main(root: Path) -> None:
    """Grade `root`/submission and write `root`/results/results.json."""
    job = load_job(root / "source/job")
    assignment = find_assignment(job.assignment, root / "source/assignments")
    submission = read_submission(root / "submission", "submission", assignment)
    with Grader(job) as grader:
        graded = grader.grade(submission).graded
    (root / "results").mkdir(exist_ok=True)
    checks = checks_as_dicts(graded.verdicts, graded.seconds)
    entry = {"score": graded.score, "notes": graded.submission.notes, "checks": checks}
    content = gradescope_results(entry)
    (root / "results/results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
