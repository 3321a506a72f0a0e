"""What each line of a function does to tensors: operations, sizes with their axes' names, shared memory."""

import html
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from exercise_code.support.checking import annotations

STYLE = """
<style>
.workbook-trace {font: 13px/1.6 system-ui, sans-serif; max-width: 60em; margin: .4em 0; overflow-x: auto}
.workbook-trace pre.code {margin: .5em 0 0; padding: .1em .6em; background: #8882; border-radius: 4px;
  font: 12px/1.6 ui-monospace, monospace; white-space: pre; color: inherit}
.workbook-trace p {margin: .1em 0 .1em 2em; line-height: inherit}
.workbook-trace b.mark {padding: 0 .5em; border-radius: .3em; font-weight: 600; color: #fff;
  white-space: nowrap}
.workbook-trace .shares {background: #0072b2} .workbook-trace .grows {background: #a14600}
.workbook-trace .place {background: #5b5b5b}
.workbook-trace .error {border-left: 3px solid #c4400a; padding-left: .6em; font-weight: 600}
.workbook-trace .size {font-family: ui-monospace, monospace; white-space: nowrap}
</style>
"""


@dataclass(frozen=True)
class Step:
    """One operation: its name, the shapes that went in, the one that came out, and what is worth a mark."""

    name: str
    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    marks: tuple[str, ...]


@dataclass
class Trace:
    """The lines of a function that did something to tensors, each with its operations.

    Attributes:
        name: of the function.
        file: where it is written.
        axes: sizes of the axes that the annotations of its arguments name.
        lines: for each line its operations, and how often each was done.
        error: what ended it, and in which line.
    """

    name: str
    file: str
    axes: dict[str, int]
    lines: dict[int, dict[Step, int]] = field(default_factory=dict)
    error: tuple[int, str] | None = None

    def __repr__(self) -> str:
        return "\n".join(text for line in self._rows() for text in line)

    def _repr_html_(self) -> str:
        rows = [
            f'<pre class="code">{html.escape(head)}</pre>'
            + "".join(f"<p>{each}</p>" for each in self._steps(number))
            for number, (head, *_) in zip(self._numbers(), self._rows(), strict=True)
        ]
        return f'{STYLE}<div class="workbook-trace">{"".join(rows)}</div>'

    def _numbers(self) -> list[int]:
        return sorted({*self.lines, *([self.error[0]] if self.error else [])})

    def _rows(self) -> Iterator[list[str]]:
        for number in self._numbers():
            steps = [
                f"      {self._words(step)}{f'  x {times}' if times > 1 else ''}"
                + "".join(f"  [{mark}]" for mark in step.marks)
                for step, times in self.lines.get(number, {}).items()
            ]
            ends = [f"      {self.error[1]}"] if self.error and self.error[0] == number else []
            yield [f"{number:>4}  {linecache.getline(self.file, number).strip()}", *steps, *ends]

    def _steps(self, number: int) -> Iterator[str]:
        looks = {"s": "shares", "e": "grows", "b": "grows"}
        for step, times in self.lines.get(number, {}).items():
            marks = "".join(
                f' <b class="mark {looks.get(mark[0], "place")}">{html.escape(mark)}</b>'
                for mark in step.marks
            )
            often = f" × {times}" if times > 1 else ""
            yield f'<span class="size">{html.escape(self._words(step))}</span>{often}{marks}'
        if self.error and self.error[0] == number:
            yield f'<span class="error">{html.escape(self.error[1])}</span>'

    def _words(self, step: Step) -> str:
        inputs = ", ".join(map(self._shape, step.inputs))
        return f"{step.name}: {inputs} → {self._shape(step.output)}" if inputs else self._made(step)

    def _made(self, step: Step) -> str:
        return f"{step.name} → {self._shape(step.output)}"

    def _shape(self, shape: tuple[int, ...]) -> str:
        """Sizes, each with the name of the only axis that has it."""
        parts = []
        for size in shape:
            names = [name for name, known in self.axes.items() if known == size and size != 1]
            parts.append(f"{names[0]}={size}" if len(names) == 1 else f"{size}")
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def trace(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Trace:
    """Run a function and show what each of its lines does to tensors; an error ends it and is shown.

    Give it small tensors of unequal sizes: then each size names its axis.

    Args:
        function: yours, or a method.
        *args: its arguments.
        **kwargs: likewise.
    """
    own = inspect.unwrap(function)
    code: CodeType = getattr(own, "__func__", own).__code__
    try:
        axes = annotations.bind(getattr(own, "__func__", own), _with_self(own, args), kwargs)
    except TypeError:  # the call itself says what is wrong with the arguments
        axes = {}
    found = Trace(own.__qualname__, code.co_filename, axes)
    try:
        with _Watch(code, found):
            function(*args, **kwargs)
    except Exception as error:
        place = error.__traceback__
        line = code.co_firstlineno
        while place:
            line = place.tb_lineno if place.tb_frame.f_code is code else line
            place = place.tb_next
        found.error = line, f"{type(error).__name__}: {error}".splitlines()[0]
    return found


class _Watch(TorchFunctionMode):
    """Notes every operation below a function, under the line that it comes from."""

    def __init__(self, code: CodeType, found: Trace) -> None:
        super().__init__()
        self.code, self.found = code, found

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name == "__get__":
            name = func.__self__.__name__
        writes = name == "__setitem__"
        output = args[0] if writes else result
        if isinstance(output, Tensor) and (line := self._line()):
            inputs = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
            step = Step(
                "write into" if writes else name.strip("_"),
                tuple(tuple(each.shape) for each in inputs),
                tuple(output.shape),
                tuple(_marks(name, inputs, output)),
            )
            steps = self.found.lines.setdefault(line, {})
            steps[step] = steps.get(step, 0) + 1
        return result

    def _line(self) -> int:
        """The line of the function that is running now; 0 outside of it."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code is not self.code:
            frame = frame.f_back
        return frame.f_lineno if frame else 0


def _marks(name: str, inputs: list[Tensor], output: Tensor) -> Iterator[str]:
    if name == "__setitem__" or (name.endswith("_") and not name.startswith("__")):
        yield "in place"
    elif any(_storage(each) == _storage(output) for each in inputs):
        yield "shares memory"
    largest = max((each.numel() for each in inputs), default=output.numel())
    if largest and _is_broadcast(inputs, output):
        if largest < output.numel():
            yield f"enlarged {output.numel() / largest:.3g} times"
        elif any(1 < each.numel() < largest for each in inputs):
            yield "broadcast"


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _is_broadcast(inputs: list[Tensor], output: Tensor) -> bool:
    if len(inputs) == 1:  # expand
        return _storage(inputs[0]) == _storage(output)
    try:
        return tuple(torch.broadcast_shapes(*(each.shape for each in inputs))) == tuple(output.shape)
    except RuntimeError:
        return False


def _with_self(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return (function.__self__, *args) if inspect.ismethod(function) else args
