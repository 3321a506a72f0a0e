"""What a seed's inputs should give, and what the known mistakes make of them."""

import contextlib
import functools
import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from exercise_code.support.checking import annotations, exercise_source
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.declare import Check, Mistake
from exercise_code.support.checking.evidence import Evidence, Packed, Run, leaves
from exercise_code.support.checking.judge import UNCOMPARED, KnownMistake, judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import Code, gather
from exercise_code.support.data import held_out as unseen


@dataclass
class Answers(Packed):
    """The reference's evidence for every check, and that of every known mistake, for one seed.

    `held_out` are images on which saved models are tried, uint8 (num, 3, height, width), by the key of a
    check's `held_out`; the evidence of a check with a target holds the truth about them.
    """

    seed: int
    reference: dict[str, Evidence]
    mistakes: list[KnownMistake]
    held_out: dict[str, Tensor] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The same as nested dicts and lists."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Answers":
        """Undo `to_dict`.

        Raises:
            ValueError: it has another form.
        """
        reference = {id: Evidence.from_dict(evidence) for id, evidence in content["reference"].items()}
        mistakes = [
            KnownMistake(**{**mistake, "evidence": Evidence.from_dict(mistake["evidence"])})
            for mistake in content["mistakes"]
        ]
        return cls(content["seed"], reference, mistakes, content["held_out"])

    def save(self, path: Path) -> None:
        """Write them as a compressed safetensors file, the same bytes for the same answers."""
        path.write_bytes(gzip.compress(self.to_bytes(), mtime=0))

    @classmethod
    def load(cls, path: Path) -> "Answers":
        """Read what `save` wrote.

        Raises:
            ValueError: the file holds something else.
        """
        try:
            return cls.from_bytes(gzip.decompress(path.read_bytes()))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"this is not a file of answers: {error}") from None


def make_answers(
    checks: Iterable[Check], mistakes: Iterable[Mistake], seed: int, secret: int | None = None
) -> Answers:
    """Run the functions of `exercise_code`, which must be the reference, and each mistake in their place.

    Args:
        checks: to be answered.
        mistakes: to be recognised.
        seed: draws the inputs; submissions may know it.
        secret: chooses the images that saved models are tried on, whose labels a submission must not know;
            the seed if not given.
    """
    checks = list(checks)
    reference = {check.id: _described(check, seed) for check in checks if check.target is None}
    held_out: dict[str, Tensor] = {}
    for check in (check for check in checks if check.target is not None):
        images, truth = unseen.draw(check.held_out, seed if secret is None else secret)
        held_out[check.held_out.key] = images
        case = Case(seed, check.id, held_out=images)
        case.held_out()
        run = Run(leaves(truth), inputs_before=case.drawn, inputs_after=case.now)
        reference[check.id] = Evidence(check.id, {"float32": run})
    return Answers(seed, reference, known_mistakes(checks, mistakes, seed, reference), held_out)


def known_mistakes(
    checks: Iterable[Check], mistakes: Iterable[Mistake], seed: int, reference: dict[str, Evidence]
) -> list[KnownMistake]:
    """Run each mistake in the place of its exercise; what it prints is nobody's business.

    Args:
        checks: among which are those of the mistakes' exercises.
        mistakes: to be recognised.
        seed: draws the inputs.
        reference: the reference's evidence for each check with this seed.
    """
    checks, known = list(checks), []
    for mistake in mistakes:
        function = exercise_source.find_function(mistake.source, mistake.name)
        with replaced(mistake.exercise, mistake.function), contextlib.redirect_stdout(io.StringIO()):
            for check in checks:
                if check.exercise == mistake.exercise and check.target is None:
                    evidence = gather(check, seed)
                    evidence.seconds = 0.0
                    faults = judge(check, evidence, reference[check.id], function).faults
                    for name, run in evidence.runs.items():
                        if check.law or name in UNCOMPARED:
                            run.outputs = {}  # what chance gave is compared with nothing
                    known.append(
                        KnownMistake(
                            check.id,
                            mistake.check,
                            mistake.name,
                            mistake.hint,
                            sorted(faults),
                            evidence,
                            faults.get("answer", ""),
                        )
                    )
    return [mistake for mistake in known if mistake.faults]


def _described(check: Check, seed: int) -> Evidence:
    """The reference's evidence, with the axes of its arguments by name."""
    symbols: dict[str, int] = {}
    original: Any = functools.reduce(getattr, check.exercise.split("."), Code())

    @functools.wraps(original)
    def listening(*args: Any, **kwargs: Any) -> Any:
        symbols.update({**annotations.bind(original, args, kwargs), **symbols})
        return original(*args, **kwargs)

    with replaced(check.exercise, listening):
        evidence = gather(check, seed)
    evidence.seconds = 0.0  # equal answers are equal bytes
    evidence.symbols, evidence.returns = symbols, annotations.returned_axes(original)
    return evidence
