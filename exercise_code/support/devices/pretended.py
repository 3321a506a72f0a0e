"""A pretend accelerator: finds device mistakes on machines without a GPU.

Within `PretendDevice()`, a tensor on `DEVICE` keeps its data in a CPU tensor. Its values are real, so code
that depends on them runs; an operation that mixes it with a CPU tensor raises `DeviceMismatch` where CUDA
would raise. Which mixes CUDA allows is read off ATen: TensorIterator.cpp, TensorCompare.cpp and
TensorAdvancedIndexing.cpp.

`DEVICE` is of type "lazy", for which torch has a name but no kernels. So there is no backend to register
that would become the `torch.accelerator` of the session, and a backward pass runs in the calling thread, so
a process that has run one can fork. A PrivateUse1 backend has an autograd thread of its own.
"""

import contextlib
import functools
import linecache
import operator
import sys
import sysconfig
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, SupportsIndex, cast

import torch
from torch import Tensor, nn
from torch._C import DispatchKey
from torch._ops import OpOverload
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from exercise_code.support.paths import ROOT

DEVICE = torch.device("lazy", 0)
_SEQUENCES = (list, tuple)
_NOTHING = contextlib.nullcontext()


class Place(NamedTuple):
    """A line of a source file."""

    filename: str
    line: int

    def __str__(self) -> str:
        return f"{Path(self.filename).name}, line {self.line}"


class DeviceMismatch(RuntimeError):
    """Something on the CPU meets something on the accelerator, where CUDA would raise.

    Attributes:
        operation: in which they meet, as it is written: add, cat, indexed assignment.
        filename: the student's file that calls it, None where no frame is the student's.
        line: the line in that file.
    """

    def __init__(self, operation: str, on_cpu: str, on_accelerator: str, place: Place | None) -> None:
        """The message is "on_cpu meets on_accelerator in operation"."""
        super().__init__(operation, on_cpu, on_accelerator, place)
        self.operation = operation
        self.filename: str | None = place and place.filename
        self.line: int | None = place and place.line
        self._meeting = f"{on_cpu} meets {on_accelerator}"

    def __str__(self) -> str:
        return f"{self._meeting} in {self.operation}"


def locate(error: BaseException, is_students: Callable[[str], bool]) -> Place | None:
    """The line of the student's code that raised an error, or called what raised it.

    Args:
        error: any exception that has been caught.
        is_students: whether a file, by its name in the traceback, is the student's.

    Returns:
        The innermost line in such a file, None where the error has passed through none.
    """
    places = [Place(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return next((place for place in reversed(places) if is_students(place.filename)), None)


@functools.cache
def not_a_library(filename: str) -> bool:
    """Whether a source file belongs neither to a library nor to the support code of this course."""
    libraries = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    support = [str(Path(torch.__file__).parent), str(ROOT / "exercise_code" / "support")]
    return not filename.startswith((*libraries, *support, "<frozen"))


@functools.cache
def available() -> bool:
    """Whether this version of torch can pretend; it is tried, once. Never raises."""
    try:
        with PretendDevice():
            x = torch.tensor([[1.0, 2.0]], device=DEVICE, requires_grad=True)
            (x @ torch.ones(2, 1, device=DEVICE)).sum().backward()
            try:
                x + torch.ones(2)
            except DeviceMismatch:
                grad = cast(Tensor, x.grad)
                return grad.device == DEVICE and grad.tolist() == [[1.0, 1.0]]
    except Exception:
        pass
    return False


def device() -> torch.device:
    """The pretend accelerator."""
    return DEVICE


def to_device(tree: Any) -> Any:
    """Copies of the tensors in a tree of tuples, lists and dicts, on the pretend accelerator.

    A copy of a tensor that requires a gradient is a leaf that requires one.
    """

    def move(tensor: Tensor) -> Tensor:
        if isinstance(tensor, PretendTensor):
            return tensor
        return PretendTensor(tensor.detach().clone()).requires_grad_(tensor.requires_grad)

    return tree_map_only(Tensor, move, tree)


def to_cpu(tree: Any) -> Any:
    """The CPU tensors that hold the data of the pretend ones in a tree: not copies, and without a graph."""
    return tree_map_only(PretendTensor, lambda tensor: tensor.held, tree)


class PretendDevice(TorchDispatchMode):
    """Within it, tensors can be made on, moved to and computed on `DEVICE`."""

    def __init__(self, is_students: Callable[[str], bool] = not_a_library) -> None:
        """Make it ready to be entered, as often as wanted.

        Args:
            is_students: whether a file, by its name in a traceback, is the student's. A `DeviceMismatch`
                names lines of such files only.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self.is_students = is_students
        self._left = contextlib.ExitStack()

    def __enter__(self) -> "PretendDevice":
        if self not in _entered:
            self._left.enter_context(_adapted())
        _entered.append(self)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)  # type: ignore[no-untyped-call]
        _entered.pop()
        if self not in _entered:
            self._left.close()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # if True, the first operation imports torch._dynamo, which takes a second

    def __torch_dispatch__(self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(func, args, kwargs or {})


_entered: list[PretendDevice] = []


@contextlib.contextmanager
def _adapted() -> Iterator[None]:
    """Within it, what torch does past `__torch_dispatch__` works with pretend tensors too."""
    _register_item()
    generator, swap = torch.Generator, torch.utils.swap_tensors
    lifts, swaps = torch._C._only_lift_cpu_tensors(), torch.__future__.get_swap_module_params_on_conversion()
    torch.Generator, torch.utils.swap_tensors = _Generator, _swap  # type: ignore[misc, assignment]
    torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor() makes a CPU tensor, then moves it
    torch.__future__.set_swap_module_params_on_conversion(True)  # Module.to() keeps its Parameter objects
    try:
        yield
    finally:
        torch.Generator, torch.utils.swap_tensors = generator, swap  # type: ignore[misc]
        torch._C._set_only_lift_cpu_tensors(lifts)
        torch.__future__.set_swap_module_params_on_conversion(swaps)


def _swap(one: Tensor, other: Tensor) -> None:
    """Exchange the contents of two tensors; torch's own function refuses to where a graph refers to them."""
    one.__class__, other.__class__ = other.__class__, one.__class__
    one.__dict__, other.__dict__ = other.__dict__, one.__dict__
    torch._C._swap_tensor_impl(one, other)


@functools.cache
def _register_item() -> torch.library.Library:
    """Let torch.tensor() read the tensors in a list."""
    library = torch.library.Library("aten", "IMPL", "Lazy")
    library.impl("_local_scalar_dense", lambda tensor: tensor.held.item())
    return library


class PretendTensor(Tensor):
    """Says that it is on `DEVICE`; `held` is the CPU tensor with its data."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "PretendTensor":
        held = held.resolve_conj().resolve_neg()
        tensor = Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
            storage_size=1 << 60,  # takes no memory, and leaves room for resize_() and out=
        )
        tensor.held = held
        return tensor

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return self.held.__reduce_ex__(protocol)  # torch.save() saves the CPU tensor

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _dispatch(func, args, kwargs or {})

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _REPLACEMENTS:
            return _REPLACEMENTS[func](*args, **kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            try:
                return func(*args, **kwargs)
            except DeviceMismatch as mismatch:
                if func not in _BACKWARD:
                    mismatch.operation = _spelling(func)
                raise
            except RuntimeError as error:
                # Some functions compare devices on their own, before anything is dispatched.
                tensors = _tensors((args, kwargs))
                on_cpu = [tensor for tensor in tensors if _on_cpu(tensor)]
                if on_cpu and "device" in str(error):
                    on_device = next(tensor for tensor in tensors if not _on_cpu(tensor))
                    raise _mismatch(_spelling(func), on_cpu[0], on_device) from error
                raise


def _tolist(tensor: PretendTensor) -> Any:
    return tensor.detach().cpu().tolist()


def _format(tensor: PretendTensor, spec: str) -> str:
    return format(tensor.detach().cpu(), spec)


def _numpy(tensor: PretendTensor, *_: Any, force: bool = False, **__: Any) -> Any:
    if force:
        return tensor.detach().cpu().numpy()
    raise TypeError("can't convert a tensor on the accelerator to numpy: use .cpu() to copy it first")


def _set_data(tensor: PretendTensor, value: PretendTensor) -> None:
    with torch._C.DisableTorchFunctionSubclass():
        Tensor.data.__set__(tensor, value)  # type: ignore[attr-defined]
    tensor.held = value.held


_REPLACEMENTS: dict[Any, Callable[..., Any]] = {
    Tensor.tolist: _tolist,
    Tensor.__format__: _format,
    Tensor.numpy: _numpy,
    Tensor.__array__: _numpy,
    Tensor.data.__set__: _set_data,  # type: ignore[attr-defined]
}
"""What torch does differently with a tensor subclass than with a CUDA tensor."""

_BACKWARD = {Tensor.backward, torch.autograd.backward, torch.autograd.grad}
"""What runs other operations, one of which is the one to name."""


_generators: set[int] = set()


class _GeneratorType(type(torch.Generator)):  # type: ignore[misc]
    def __call__(cls, device: torch.device | str | int = "cpu") -> torch.Generator:
        return super().__call__() if torch.device(device).type == DEVICE.type else torch._C.Generator(device)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, torch._C.Generator)


class _Generator(torch.Generator, metaclass=_GeneratorType):
    """Stands in for `torch.Generator`, to make generators on `DEVICE` too."""

    _cdata: int

    def __init__(self) -> None:
        # An operation gets it as a new Python object, which only this address ties to this one.
        _generators.add(self._cdata)
        weakref.finalize(self, _generators.discard, self._cdata)

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return DEVICE


def _on_cpu(tensor: Tensor) -> bool:
    return not isinstance(tensor, PretendTensor)


def _scalar(tensor: Tensor) -> bool:
    return tensor.dim() == 0


def _cpu_scalar(tensor: Tensor) -> bool:
    return _on_cpu(tensor) and _scalar(tensor)


def _any(tensor: Tensor) -> bool:
    return True


_INDEX: dict[str, Callable[[Tensor], bool]] = {"indices": _on_cpu}
_INDEX_PUT: dict[str, Callable[[Tensor], bool]] = {"indices": _any, "values": _scalar}
_VISITORS: dict[str, dict[str, Callable[[Tensor], bool]]] = {
    "copy_": {"src": _any},
    "fill": {"value": _any},
    "fill_": {"value": _any},
    "masked_fill": {"value": _cpu_scalar},
    "masked_fill_": {"value": _cpu_scalar},
    "index_fill": {"value": _any},
    "index_fill_": {"value": _any},
    "where": {"condition": _cpu_scalar, "self": _cpu_scalar, "other": _cpu_scalar},
    "index": _INDEX,
    "_unsafe_index": _INDEX,
    "index_put": _INDEX_PUT,
    "index_put_": _INDEX_PUT,
    "_index_put_impl_": _INDEX_PUT,
    "_unsafe_index_put": _INDEX_PUT,
    "_pack_padded_sequence": {"lengths": _on_cpu},
    "_pack_padded_sequence_backward": {"batch_sizes": _on_cpu},
}
"""The arguments of an operation that may be on another device than the others, and which tensors may."""

_ALSO_POINTWISE = {"rsub", "floor_divide", "floor_divide_", "mse_loss", "smooth_l1_loss", "huber_loss"}
_ALSO_POINTWISE |= {"eq_", "ne_", "lt_", "le_", "gt_", "ge_"}
_NO_CPU_SCALAR = {"clamp", "clamp_", "equal", "native_dropout_backward"}


class _Operation(NamedTuple):
    """What must be known of an ATen operation."""

    name: str
    arguments: tuple[str, ...]
    written: frozenset[str]
    composite: bool
    takes_cpu_scalar: bool  # among its inputs, one
    visitors: dict[str, Callable[[Tensor], bool]]


@functools.cache
def _operation(func: OpOverload) -> _Operation:
    name = func.overloadpacket.__name__
    arguments = func._schema.arguments
    return _Operation(
        name,
        tuple(argument.name for argument in arguments),
        frozenset(a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write),
        func.has_kernel_for_dispatch_key(DispatchKey.CompositeImplicitAutograd),
        (torch.Tag.pointwise in func.tags or name in _ALSO_POINTWISE)
        and name not in {*_NO_CPU_SCALAR, *_VISITORS},
        _VISITORS.get(name, {}),
    )


def _dispatch(func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    operation = _operation(func)
    tensors = _tensors(args)
    if kwargs:
        tensors += _tensors(kwargs.values())
    pretend = [tensor for tensor in tensors if isinstance(tensor, PretendTensor)]
    asked = kwargs.get("device")
    asks_for_it = asked is not None and asked.type == DEVICE.type

    if operation.composite and (pretend or asks_for_it):  # inference mode leaves these whole
        with _entered[-1] if _entered else contextlib.nullcontext():
            return func.decompose(*args, **kwargs)

    mixed = 0 < len(pretend) < len(tensors)
    on_device = _is_on_device(operation, args, kwargs) if mixed else bool(pretend)
    if asked is not None:
        on_device = asks_for_it
    if asks_for_it:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    _check_generator(operation, kwargs.get("generator"), on_device)

    held = [_held(value) for value in args]
    if not on_device:
        result = func(*held, **_held(kwargs))
        if _entered:
            _remember_maker(operation, tensors, result)
        return result
    # In inference mode a view of a tensor from outside it could not be wrapped.
    with torch.inference_mode(False) if torch.is_inference_mode_enabled() else _NOTHING:
        result = func(*held, **_held(kwargs))
        if operation.written:
            _follow(pretend)
        if operation.name == "_pack_padded_sequence":
            data, batch_sizes = result
            return PretendTensor(data), batch_sizes
        # An operation that writes to an argument gives that argument back.
        return _claim(result, {id(tensor.held): tensor for tensor in pretend})


def _tensors(values: Iterable[Any]) -> list[Tensor]:
    """All tensors among values and in their lists, tuples and dicts; called for every operation."""
    found = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, _SEQUENCES):
            found += _tensors(value)
        elif isinstance(value, dict):
            found += _tensors(value.values())
    return found


def _held(value: Any) -> Any:
    if isinstance(value, PretendTensor):
        return value.held
    if isinstance(value, dict):
        return {key: _held(item) for key, item in value.items()}
    return type(value)(map(_held, value)) if isinstance(value, _SEQUENCES) else value


def _claim(value: Any, owners: dict[int, PretendTensor]) -> Any:
    if isinstance(value, Tensor):
        return owners[id(value)] if id(value) in owners else PretendTensor(value)
    return type(value)(_claim(item, owners) for item in value) if isinstance(value, _SEQUENCES) else value


def _follow(tensors: list[PretendTensor]) -> None:
    """Give tensors the shape of what they hold: unsqueeze_() and the like change it."""
    for tensor in tensors:
        held = tensor.held
        if (tensor.size(), tensor.stride()) != (held.size(), held.stride()):
            before = torch._C._meta_in_tls_dispatch_include()
            with no_dispatch():
                torch._C._set_meta_in_tls_dispatch_include(True)
                torch.ops.aten.as_strided_(tensor, held.size(), held.stride(), held.storage_offset())
                torch._C._set_meta_in_tls_dispatch_include(before)


def _is_on_device(operation: _Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether an operation on tensors of both kinds takes place on the accelerator.

    Raises:
        DeviceMismatch: it can take place nowhere.
    """
    named = [*zip(operation.arguments, args, strict=False), *kwargs.items()]
    inputs = [(name, tensor) for name, value in named for tensor in _tensors((value,))]
    bound = [t for name, t in inputs if name not in operation.visitors or not operation.visitors[name](t)]
    if operation.takes_cpu_scalar:
        scalars = [t for name, t in inputs if name not in operation.written and _cpu_scalar(t)]
        if len(scalars) == 1:
            bound = [t for t in bound if t is not scalars[0]]
    on_cpu = [t for t in bound if _on_cpu(t)]
    on_device = [t for t in bound if not _on_cpu(t)]
    if on_cpu and on_device:
        raise _mismatch(_spelling(operation), on_cpu[0], on_device[0])
    return bool(on_device)


def _check_generator(operation: _Operation, generator: torch.Generator | None, on_device: bool) -> None:
    if generator is not None and (cast(_Generator, generator)._cdata in _generators) != on_device:
        on_cpu, on_accelerator = ("a generator", "a tensor") if on_device else ("a tensor", "a generator")
        meeting = f"{on_cpu} on the CPU", f"{on_accelerator} on the accelerator"
        raise DeviceMismatch(_spelling(operation), *meeting, _place(_students_frame()))


_SPELLINGS = {
    "__getitem__": "indexing",
    "index": "indexing",
    "__setitem__": "indexed assignment",
    "index_put": "indexed assignment",
    "index_put_": "indexed assignment",
}
_MAKERS = {"lift_fresh": ("tensor", "from_numpy", "as_tensor", "asarray"), "_to_copy": ("cpu", "to")}
"""How the operations that make a CPU tensor are called, where not by their own name."""


def _spelling(func: Any) -> str:
    """An operation's name as it is written: add for add_, __add__, __radd__ and __iadd__."""
    name = func.name if isinstance(func, _Operation) else func.__name__
    if name == "__set__":
        return f"assignment to .{func.__self__.__name__}"
    core = name.strip("_")
    if name.startswith("__") and hasattr(operator, f"__{core[1:]}__"):
        core = core[1:]
    return _SPELLINGS.get(name, core)


def _remember_maker(operation: _Operation, tensors: list[Tensor], result: Any) -> None:
    """Note on a CPU tensor what made it, and in which line; what is computed from it inherits the note."""
    maker = next((tensor._maker for tensor in tensors if hasattr(tensor, "_maker")), None)
    if maker is None:
        is_new = not tensors or operation.name == "lift_fresh" or not _on_cpu(tensors[0])
        place = _place(_students_frame()) if is_new else None
        if place is None:
            return
        maker = (operation.name, *place)
    for tensor in _tensors((result,)):
        if not hasattr(tensor, "_maker"):
            tensor._maker = maker  # type: ignore[attr-defined]


def _mismatch(operation: str, on_cpu: Tensor, on_device: Tensor) -> DeviceMismatch:
    frame = _students_frame()
    place = _place(frame)
    name = _name(on_cpu, frame) or ("a parameter" if isinstance(on_cpu, nn.Parameter) else "a tensor")
    cpu_side = f"{name} on the CPU"
    if hasattr(on_cpu, "_maker"):
        maker, *birth = on_cpu._maker
        source = linecache.getline(*birth)
        calls = [f"{call}()" for call in _MAKERS.get(maker, (maker,)) if f"{call}(" in source]
        where = "" if place == tuple(birth) else f" ({Place(*birth)})"
        cpu_side = f"{calls[0] if calls else name} made on the CPU{where}"
    return DeviceMismatch(
        operation, cpu_side, f"{_name(on_device, frame) or 'a tensor'} on the accelerator", place
    )


def _name(tensor: Tensor, frame: FrameType | None) -> str | None:
    """What a tensor is called in a frame, None where it has no name there."""
    if frame is None:
        return None
    attributes = getattr(frame.f_locals.get("self"), "__dict__", {})
    own = [attributes, attributes.get("_parameters", {}), attributes.get("_buffers", {})]
    scopes = [("", frame.f_locals), *(("self.", scope) for scope in own), ("", frame.f_globals)]
    return next(
        (prefix + name for prefix, scope in scopes for name, it in scope.items() if it is tensor), None
    )


def _students_frame() -> FrameType | None:
    is_students = _entered[-1].is_students if _entered else not_a_library
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_students(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _place(frame: FrameType | None) -> Place | None:
    return frame and Place(frame.f_code.co_filename, frame.f_lineno)
