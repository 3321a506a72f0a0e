"""One submission from its files to its results: what a worker does."""

import ast
import functools
import io
import json
import logging
import platform
import tarfile
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import torch

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import Assignment, Limits, find_assignment
from exercise_code.support.checking.compare import unlike
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence, dumps
from exercise_code.support.checking.follow_through import Rerun, block, follow_through
from exercise_code.support.checking.judge import Verdict, judge
from exercise_code.support.isolation.check_server import STAND_INS
from grading.editions.student_files import single_stand_ins, write_student_files
from grading.notebooks.cleaned import given_texts
from grading.notebooks.rerun import executed
from grading.notebooks.with_verdicts import exercises_by_cell, with_verdicts
from grading.pages.feedback import feedback_page
from grading.pages.mistake_drafts import portable
from grading.running.check_process import CheckProcess
from grading.running.dependencies import hash_of, hash_of_probes, page_files
from grading.scratch import scratch_folder
from grading.submissions.records import Gathered, Graded, Part, Result, Submission

LOG = logging.getLogger(__name__)
DOUBTFUL = {"failed", "error", "timeout", "crashed"}


@dataclass(frozen=True)
class Job:
    """All that a worker needs to grade submissions of one assignment, wherever it runs.

    `stand_ins` are files of one stand-in each, by exercise: they lie apart from the other files, so that no
    submission meets one but where a check is run with it. `stubs` are hashes of what stands where a student
    has no file, by path; `probes` and `pages` name what evidence and pages depend on beside; `level` is the
    isolation that the run promises; `given` is the markdown of the course.
    """

    assignment: str
    notebooks: list[str]
    limits: Limits
    gpu: bool
    files: bytes
    answers: bytes
    cells: dict[str, str]
    given: list[str]
    stand_ins: dict[str, str]
    stubs: dict[str, str]
    probes: str
    pages: str
    execute: bool = False
    level: str = "L1"

    @classmethod
    def make(
        cls, assignment: Assignment, answers: Answers, *, execute: bool = False, level: str = "L1"
    ) -> "Job":
        """Pack the checks, the support code and the answers; `execute` has notebooks run once more."""
        with scratch_folder() as scratch:
            folder = scratch / "files"
            write_student_files(assignment, folder)
            (folder / "assignments" / assignment.name / "stand_ins.py").unlink(missing_ok=True)
            stubs = _hashes({name: (folder / name).read_bytes() for name in assignment.editable})
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                archive.add(folder, ".", filter=_anonymous)
        held_out = sha256(dumps(answers.held_out)).hexdigest()
        return cls(
            assignment.name,
            assignment.notebooks,
            assignment.limits,
            assignment.gpu,
            packed.getvalue(),
            answers.to_bytes(),
            exercises_by_cell(assignment),
            given_texts(assignment),
            single_stand_ins(assignment),
            stubs,
            f"{hash_of_probes(assignment)} {held_out}",
            hash_of(page_files()),
            execute,
            level,
        )

    @functools.cached_property
    def name(self) -> str:
        """Names the job; equal jobs have equal names."""
        return sha256(self.files + self.verdicts_hash.encode()).hexdigest()

    @functools.cached_property
    def verdicts_hash(self) -> str:
        """Names all that verdicts and pages depend on beside the submission and its evidence."""
        rest = json.dumps([self.cells, self.given, self.pages, self.execute, self.stand_ins])
        return sha256(self.answers + rest.encode()).hexdigest()

    def key(self, submission: Submission, environment: str) -> str:
        """Names the evidence of a submission; equal keys have equal evidence."""
        code = {name: content for name, content in submission.files.items() if not name.endswith(".ipynb")}
        return _hash_of(self.probes, environment, self.stubs | _hashes(code))

    def state(self, submission: Submission, key: str) -> str:
        """Names the results of a submission; equal states have equal results."""
        about = submission.id, submission.notes, submission.name, str(submission.submitted), submission.group
        return _hash_of(key, self.verdicts_hash, _hashes(submission.files), about)


def environment(seed: int, level: str) -> str:
    """What evidence depends on beside code: the seed, versions, and how far submissions are kept apart."""
    return " ".join(
        [
            f"seed {seed}",
            f"Python {platform.python_version()}",
            f"torch {torch.__version__}",
            f"numpy {np.__version__}",
            f"{platform.system()} {platform.machine()}",
            level,
        ]
    )


class Grader:
    """Grades submissions one after another; to be used in a `with` statement."""

    def __init__(self, job: Job) -> None:
        """Unpack a job and get ready to run code."""
        with ExitStack() as stack:
            scratch = stack.enter_context(scratch_folder())
            self._pristine = scratch / "pristine"
            with tarfile.open(fileobj=io.BytesIO(job.files)) as archive:
                archive.extractall(self._pristine, filter="tar")  # the modes are ours, whatever the umask
            found = find_assignment(job.assignment, self._pristine / "assignments")
            self._assignment = replace(found, limits=job.limits)
            self._answers = Answers.from_bytes(job.answers)
            self._cells, self._given, self._execute, self._stand_ins = (
                job.cells,
                job.given,
                job.execute,
                job.stand_ins,
            )
            self._turn = threading.Lock()
            self._worker = stack.enter_context(CheckProcess(self._pristine, self._assignment))
            self._open = stack.pop_all()

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker and remove what was unpacked."""
        self._open.close()

    def grade(self, submission: Submission, parts: list[Part] | None = None) -> Result:
        """Run a submission, unless its evidence is known, and judge it."""
        return self.finish(submission, self.gather(submission, parts), new=parts is None)

    def gather(self, submission: Submission, parts: list[Part] | None = None) -> Gathered:
        """Run all checks, unless their evidence is known; a missing module stays a stub."""
        if parts:
            return Gathered.from_parts(parts)
        if not any(name in submission.files for name in self._assignment.editable):
            problem = "not_written", f"{self._assignment.editable[0]} is not in the submission"
            return Gathered([Evidence(check.id, problem=problem) for check in self._assignment.checks])
        return Gathered(self._run(submission, [check.id for check in self._assignment.checks]))

    def finish(self, submission: Submission, gathered: Gathered, *, new: bool) -> Result:
        """Judge what has been gathered; may be called while another thread gathers."""
        graded = self._judge(submission, gathered)
        if new and self._gather_again(submission, gathered, graded.verdicts):
            graded = self._judge(submission, gathered)
        followed, gathered.counts = len(gathered.followed), {}
        if any(verdict.status == "blocked" for verdict in graded.verdicts):
            graded = self._judge(submission, gathered, with_stand_ins=True)
        new = new or followed != len(gathered.followed)
        seconds, points = sum(graded.seconds), graded.score
        LOG.debug("%s: %.1f seconds of checks, %g points", submission.id, seconds, points)
        return self._result(submission, gathered, graded, new=new)

    def give_up(self, submission: Submission, reason: str) -> Result:
        """The result of a submission that no worker could run."""
        problem = "crashed", reason
        gathered = Gathered([Evidence(check.id, problem=problem) for check in self._assignment.checks])
        graded = self._judge(submission, gathered)
        return replace(self._result(submission, gathered, graded, new=True), ran=False)

    def _gather_again(self, submission: Submission, gathered: Gathered, verdicts: list[Verdict]) -> bool:
        """Run in a fresh process what fails in a way that nobody has foreseen; says whether anything did."""
        doubtful = [v.check for v in verdicts if v.status in DOUBTFUL and not v.hint]
        late = [v.check for v in verdicts if v.check in doubtful and v.status == "timeout"]
        for ids in ([id for id in doubtful if id not in late[1:]], late[1:]):
            if ids:
                gathered.second |= {item.check: item for item in self._run(submission, ids)}
            if late and gathered.second[late[0]].status == "timeout":
                break
        return bool(doubtful)

    def _judge(self, submission: Submission, gathered: Gathered, *, with_stand_ins: bool = False) -> Graded:
        about = submission, gathered.evidence, self._assignment, self._answers, gathered.second
        if not with_stand_ins:
            return judge_submission(*about)
        last: dict[str, str] = {}

        def rerun(replaced: dict[str, list[str]]) -> dict[str, Verdict]:
            last.update({id: _with_stand_ins(id, self._chosen(names)) for id, names in replaced.items()})
            self._follow(submission, gathered, replaced, last)
            return {
                check.id: judge(
                    check,
                    gathered.followed[last[check.id]],
                    self._answers.reference[check.id],
                    _function(submission, check.exercise),
                    self._answers.mistakes,
                )
                for check in self._assignment.checks
                if check.id in replaced
            }

        graded = judge_submission(*about, rerun=rerun, stand_ins=self._stand_ins)
        gathered.counts = {v.check: last[v.check] for v in graded.verdicts if v.followed}
        graded.evidence = gathered.that_counts
        return graded

    def _follow(
        self,
        submission: Submission,
        gathered: Gathered,
        replaced: dict[str, list[str]],
        names: dict[str, str],
    ) -> None:
        """Run checks with stand-ins, unless that is known: those with the same ones in one process."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for id, exercises in replaced.items():
            if names[id] not in gathered.followed:
                groups.setdefault(tuple(self._chosen(exercises)), []).append(id)
        for texts, ids in groups.items():
            files = {f"{STAND_INS}/{i}.py": text.encode() for i, text in enumerate(texts)}
            for found in self._run(submission, ids, files):
                gathered.followed[names[found.check]] = found

    def _chosen(self, exercises: list[str]) -> list[str]:
        return [self._stand_ins[name] for name in exercises]

    def _result(self, submission: Submission, gathered: Gathered, graded: Graded, *, new: bool) -> Result:
        """Write the page and the notebooks that the student gets back."""
        submission = replace(submission, notes=[*submission.notes])
        notebooks, untouched = with_verdicts(
            submission, graded.verdicts, self._assignment, self._cells, self._given
        )
        if self._execute:
            notebooks = {
                name: executed(
                    name, text, submission, self._assignment, self._pristine, self._cells, self._given
                )
                for name, text in notebooks.items()
            }
        graded.submission, graded.untouched = submission, untouched
        page = feedback_page(self._assignment, graded, self._answers)
        graded.counts = gathered.counts
        alone = replace(graded, submission=replace(submission, files={}), evidence=[])
        return Result(alone, gathered.to_parts() if new else None, page, notebooks)

    def _run(
        self, submission: Submission, checks: list[str], beside: dict[str, bytes] | None = None
    ) -> list[Evidence]:
        wanted = self._assignment.largest
        files = {name: content for name, content in submission.files.items() if name in wanted}
        with self._turn:
            return self._worker.run(
                files | (beside or {}), self._answers.seed, checks, self._answers.held_out
            )


def judge_submission(
    submission: Submission,
    evidence: Sequence[Evidence],
    assignment: Assignment,
    answers: Answers,
    second: dict[str, Evidence] | None = None,
    rerun: Rerun | None = None,
    stand_ins: Collection[str] = (),
) -> Graded:
    """Decide on all checks of one submission; runs nothing by itself.

    Args:
        submission: whose functions ran.
        evidence: of each check, in order.
        assignment: what was asked.
        answers: to the inputs that the evidence is about.
        second: evidence of a second run of some checks, which tells unstable code from wrong code.
        rerun: runs blocked checks with stand-ins.
        stand_ins: the exercises that have one.
    """
    second = second or {}
    counted = Gathered([*evidence], second).that_counts
    verdicts: list[Verdict] = []
    for check, first, counts in zip(assignment.checks, evidence, counted, strict=True):
        function = _function(submission, check.exercise)
        again = second.get(check.id)
        reference = answers.reference[check.id]
        verdict = judge(check, first, reference, function, answers.mistakes)
        other = judge(check, again, reference, function, answers.mistakes) if again else None
        if other and counts is not first:
            verdict = replace(other, unstable=f"the first run: {verdict.message}")
        elif again and other and (note := _disagreement(check, first, verdict, again, other)):
            text = f"not deterministic: run again with the same inputs, it gives another result ({note})"
            verdict = replace(verdict, status="not_deterministic", points=0.0, faults={"state": text})
            verdict.unstable = note
        verdicts.append(verdict)
    block(verdicts, assignment.checks)
    if rerun:
        verdicts = follow_through(verdicts, assignment.checks, stand_ins, rerun)
    unexplained = {v.check for v in verdicts if v.status == "failed" and not v.hint}
    wrong = [check.id for check in assignment.checks if check.id in unexplained and check.target is None]
    root = assignment.folder.parents[1]
    code = {id: text for id in wrong if (text := portable(id, submission.files, root))}
    return Graded(submission, verdicts, counted, [item.seconds for item in evidence], code)


def _disagreement(
    check: Check, first: Evidence, verdict: Verdict, second: Evidence, other: Verdict
) -> str | None:
    """What the second run did, if not the same as the first."""
    if verdict.status != other.status or sorted(verdict.faults) != sorted(other.faults):
        return other.message or "passed"
    if first.problem or second.problem or check.law:
        return None
    outputs, others = (item.runs["float32"].outputs for item in (first, second))
    return unlike(check, outputs, others) if outputs else None


def _with_stand_ins(check: str, texts: Iterable[str]) -> str:
    """Names a run of a check with stand-ins."""
    return f"{check} {sha256(json.dumps([*texts]).encode()).hexdigest()[:16]}"


def _function(submission: Submission, exercise: str) -> ast.FunctionDef | None:
    file, name = exercise_source.place_of(exercise)
    content = submission.files.get(f"exercise_code/{file}")
    return exercise_source.read_function(content, name) if content else None


def _hashes(files: dict[str, bytes]) -> dict[str, str]:
    return {name: sha256(content).hexdigest() for name, content in files.items()}


def _hash_of(*parts: object) -> str:
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Equal folders give equal archives, whoever wrote them and when."""
    info.mtime = info.uid = info.gid = 0
    info.mode = 0o755 if info.isdir() else 0o644
    info.uname = info.gname = ""
    return info
