"""What running a check leaves behind: plain data that can be stored, sent and judged elsewhere."""

import json
import math
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

MAX_LEAVES = 10_000
MAX_BYTES = 32 * 2**20
MAX_TEXT = 10_000
MAX_HEADER = 8 * 2**20
MAX_DIMENSIONS = 64
MAX_NUMBER = 2**63
DTYPES = {torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}
DTYPES |= {torch.uint16, torch.uint32, torch.uint64}
DTYPES |= {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64}
"""What can be written down and compared."""


class Packed:
    """A record with `to_dict` and `from_dict`, which becomes a safetensors file and comes back."""

    def to_dict(self) -> dict[str, Any]:
        """The same as nested dicts and lists."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """Undo `to_dict`."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """The same as a safetensors file."""
        return dumps(self.to_dict())

    @classmethod
    def from_bytes(cls, data: bytes, max_header: float = math.inf) -> Self:
        """Read what `to_bytes` wrote.

        Args:
            data: the file's content.
            max_header: as for `loads`.

        Raises:
            ValueError: the bytes are something else.
        """
        try:
            return cls.from_dict(loads(data, max_header))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"this is not a {cls.__name__}: {error}") from None


@dataclass
class Run:
    """One call of the probe.

    `outputs` maps a path (`accuracies[5]`) to a leaf: a tensor, a Python scalar, or a dict that
    describes a container (`{"kind": "list", "size": 3}`) or something else (`{"kind": "object", …}`).
    `unwritten` names the exercise that raised NotImplementedError, `raised_in` the functions of students that
    an error went through. `memory` is the largest total of
    live intermediates, in multiples of inputs and outputs together. `warnings` are those of the student's
    own lines, as far as they were noted.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    unwritten: str = ""
    raised_in: list[str] = field(default_factory=list)
    inputs_before: str = ""
    inputs_after: str = ""
    devices: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    operations: int = 0
    memory: float = 0.0


@dataclass
class Evidence(Packed):
    """All runs of one check, by the name of the run; `problem` tells why there are none.

    `problem` is a status (`timeout`, `crashed`) and a sentence; `symbols` are the axes of the
    exercise's arguments by name, and `returns` the axes of what it returns. `random` tells of a check with a
    law whether other random numbers gave other outputs.
    """

    check: str
    runs: dict[str, Run] = field(default_factory=dict)
    problem: tuple[str, str] | None = None
    symbols: dict[str, int] = field(default_factory=dict)
    returns: str = ""
    random: bool = False
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The same as nested dicts and lists."""
        return {**vars(self), "runs": {name: dict(vars(run)) for name, run in self.runs.items()}}

    @property
    def status(self) -> str:
        """The status that its problem gives; empty where there is none."""
        return self.problem[0] if self.problem else ""

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Evidence":
        """Undo `to_dict`; it may come from a process that is not trusted.

        Raises:
            ValueError: it has another form.
        """
        try:
            runs = {name: Run(**run) for name, run in content["runs"].items()}
            if not isinstance(content["problem"], list | tuple | None):
                raise TypeError("its problem is no pair of texts")
            problem = tuple(content["problem"]) if content["problem"] else None
            evidence = cls(**{**content, "runs": runs, "problem": problem})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"this is not the evidence of a check: {error}") from None
        if not (_has_types(evidence) and all(map(_has_types, runs.values()))):
            raise ValueError("this is not the evidence of a check: a value is of another type")
        return evidence


def _has_types(record: Run | Evidence) -> bool:
    """Whether all fields hold what they should."""
    if isinstance(record, Evidence):
        texts, numbers, lists = [record.check, record.returns], [record.seconds], []
        fits = isinstance(record.symbols, dict) and all(map(_is_number, record.symbols.values()))
        fits = fits and isinstance(record.random, bool)
    else:
        texts = [record.unwritten, record.inputs_before, record.inputs_after]
        texts += [] if record.error is None else [record.error]
        numbers = [record.operations, record.memory]
        lists = [record.devices, record.forbidden, record.warnings, record.raised_in]
        fits = isinstance(record.outputs, dict) and all(map(_is_text, record.outputs))
        fits = fits and record.error != "" and all(map(_is_leaf, record.outputs.values()))
    return (
        fits
        and all(map(_is_text, texts))
        and all(map(_is_number, numbers))
        and all(isinstance(items, list) and all(map(_is_text, items)) for items in lists)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < MAX_NUMBER


def _is_leaf(leaf: Any) -> bool:
    if isinstance(leaf, Tensor):
        return leaf.dtype in DTYPES and leaf.dim() <= MAX_DIMENSIONS
    if not isinstance(leaf, dict):
        return leaf is None or isinstance(leaf, bool | int | float) or _is_text(leaf)
    if leaf.keys() == {"kind", "size"}:
        return leaf["kind"] in ("dict", "list") and isinstance(leaf["size"], int)
    return leaf.keys() == {"kind", "type"} and leaf["kind"] == "object" and _is_text(leaf["type"])


def leaves(value: Any, library: str = "torch") -> dict[str, Any]:
    """Take nested containers apart into paths and leaves; tensors come back on the CPU, detached.

    Args:
        value: dicts, lists and tuples of tensors and Python scalars.
        library: with "numpy", arrays are expected where tensors are otherwise, and become tensors.

    Raises:
        ValueError: there are more than `MAX_LEAVES` leaves, or one is too large.
    """
    found: dict[str, Any] = {}
    _collect(value, "", found, library)
    return found


def _collect(value: Any, path: str, found: dict[str, Any], library: str) -> None:
    if len(found) > MAX_LEAVES:
        raise ValueError(f"the result has more than {MAX_LEAVES} parts")
    if len(path) > MAX_TEXT or (isinstance(value, str) and len(value) > MAX_TEXT):
        raise ValueError(f"the result has a text of more than {MAX_TEXT} characters")
    if isinstance(value, dict):
        if path:
            found[path] = {"kind": "dict", "size": len(value)}
        for key, item in value.items():
            _collect(item, f"{path}[{key!r}]" if path else str(key), found, library)
    elif isinstance(value, list | tuple):
        found[path] = {"kind": "list", "size": len(value)}
        for index, item in enumerate(value):
            _collect(item, f"{path}[{index}]", found, library)
    elif isinstance(value, Tensor) and library == "torch":
        found[path] = _plain(value)
    elif isinstance(value, np.ndarray) and library == "numpy" and value.dtype.kind in "biuf":
        found[path] = _plain(torch.from_numpy(np.array(value)))
    elif isinstance(value, np.generic) and library == "numpy":
        found[path] = value.item()
    elif isinstance(value, np.float64):  # which is a float
        found[path] = float(value)
    elif value is None or type(value) in (bool, int, float, str):
        found[path] = value
    else:
        found[path] = {"kind": "object", "type": _type_name(value)}


def _type_name(value: Any) -> str:
    """`ndarray` alone would say nothing to a beginner, and `float32` less."""
    library = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    return f"{library}.{name}" if library in ("numpy", "torch") else name


def _plain(tensor: Tensor) -> Any:
    if tensor.layout is not torch.strided:
        return {"kind": "object", "type": f"Tensor of layout {tensor.layout}"}
    if tensor.dtype not in DTYPES:
        return {"kind": "object", "type": f"Tensor of {tensor.dtype}"}
    if tensor.numel() * tensor.element_size() > MAX_BYTES:
        raise ValueError(f"the result is larger than {MAX_BYTES} bytes")
    return tensor.detach().cpu().as_subclass(Tensor).clone(memory_format=torch.contiguous_format)


def dumps(tree: Any) -> bytes:
    """Write a tree of dicts, lists, scalars and tensors as a safetensors file with the rest in its header.

    Equal tensors are written once.
    """
    tensors: dict[str, Tensor] = {}
    keys: dict[bytes, str] = {}

    def strip(node: Any) -> Any:
        if isinstance(node, Tensor):
            digest = sha256(safetensors.torch.save({"": node})).digest()
            key = keys.setdefault(digest, str(len(keys)))
            tensors[key] = node
            return {"kind": "tensor", "key": key}
        if isinstance(node, dict):
            return {key: strip(item) for key, item in node.items()}
        if isinstance(node, list | tuple):
            return [strip(item) for item in node]
        return node

    return safetensors.torch.save(tensors, {"tree": json.dumps(strip(tree))})


def loads(data: bytes, max_header: float = math.inf) -> Any:
    """Undo `dumps`; tuples come back as lists.

    Args:
        data: the file's content.
        max_header: the most bytes that all but the tensors may take; in memory it takes many times as much.

    Raises:
        ValueError: the bytes are something else.
    """
    try:
        (length,) = struct.unpack_from("<Q", data)
        if length > max_header:
            raise ValueError(f"its header is larger than {max_header} bytes")
        tree = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["tree"])
        tensors = safetensors.torch.load(data)

        def fill(node: Any) -> Any:
            if isinstance(node, dict):
                if node.get("kind") == "tensor":
                    return tensors[node["key"]]
                return {key: fill(item) for key, item in node.items()}
            return [fill(item) for item in node] if isinstance(node, list) else node

        return fill(tree)
    except (
        struct.error,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,  # too deep, or a shape that torch cannot have
        safetensors.SafetensorError,
    ) as error:
        raise ValueError(f"this is not a file of evidence: {error}") from None
