"""Show two results side by side: what was expected and what came."""

import base64
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex
from PIL import Image
from torch import Tensor

from exercise_code.support.checking.compare import difference, wrong_entries
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence

BLUE, VERMILLION = "#0072B2", "#D55E00"
LONGEST = 500
LONGEST_STRIP = 24
LARGEST_PICTURE = 96
PICTURE_PIXELS = 128
MOST_IMAGES = 4
SHORTEST_SIDE = 8
VALUES = colormaps["viridis"]
GREYS = colormaps["gray"]
SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#f0f0f0", VERMILLION])


@dataclass(frozen=True)
class Cell:
    """One value beside the expected one; `index` is its column."""

    expected: str
    got: str
    wrong: bool
    index: int = 0


@dataclass(frozen=True)
class Picture:
    """A matrix in colours, as a PNG within a data URI; sizes in CSS pixels."""

    title: str
    alt: str
    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Scale:
    """A colour bar: the lowest, the middle and the highest value, and the CSS gradient between them."""

    title: str
    ticks: list[str]
    gradient: str


@dataclass(frozen=True)
class Panel:
    """One output that is wrong.

    It has either a table (`rows`), a `strip` of values, or `pictures` with their `scales`.
    """

    path: str
    summary: str
    rows: list[list[Cell]] = field(default_factory=list)
    strip: list[Cell] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    scales: list[Scale] = field(default_factory=list)
    axes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How much there is to look at: entries, or pixels."""
        entries = len(self.strip) + sum(map(len, self.rows))
        return entries + sum(picture.width * picture.height for picture in self.pictures)

    def to_html(self) -> str:
        """What came beside what was expected, with the axes' names; a page brings the style."""
        path, names = f"<code>{html.escape(self.path)}</code>", " × ".join(map(html.escape, self.axes))
        title = f"{path} ({names})" if names else path
        if self.rows:
            return self._table(title)
        if self.strip:
            return self._strip(title)
        figures = "".join(
            f'<figure><img src="{each.uri}" width="{each.width}" height="{each.height}" '
            f'alt="{html.escape(each.alt)}"><figcaption>{each.title}</figcaption></figure>'
            for each in self.pictures
        )
        scales = "".join(
            f'<div class="scale" role="img" aria-label="colours of {each.title}, from {each.ticks[0]} to '
            f'{each.ticks[-1]}">{each.title}<i style="background: {each.gradient}"></i><span>'
            f"{''.join(f'<b>{tick}</b>' for tick in each.ticks)}</span></div>"
            for each in self.scales
        )
        said = f'<p class="small quiet">{title}: {html.escape(self.summary)}</p>'
        return f'{said}<div class="pictures">{figures}</div>{scales}'

    def _table(self, title: str) -> str:
        corner = f"{html.escape(self.axes[0])} ↓ {html.escape(self.axes[1])} →" if len(self.axes) == 2 else ""
        head = "".join(f'<th scope="col">{cell.index}</th>' for cell in self.rows[0])
        body = "".join(
            f'<tr><th scope="row">{place}</th>{"".join(map(_beside, row))}</tr>'
            for place, row in enumerate(self.rows)
        )
        said = f"{title}: {self.summary}. Each cell holds your value; ≠ stands before the expected one."
        return self._scrolled(f"<thead><tr><td>{corner}</td>{head}</tr></thead><tbody>{body}</tbody>", said)

    def _strip(self, title: str) -> str:
        index = html.escape(self.axes[0]) if len(self.axes) == 1 else "index"
        head = "".join(f'<th scope="col">{cell.index}</th>' for cell in self.strip)
        expected = "".join(f"<td>{html.escape(cell.expected)}</td>" for cell in self.strip)
        got = "".join(
            f'<td class="wrong">≠ {html.escape(cell.got)}</td>'
            if cell.wrong
            else f"<td>{html.escape(cell.got)}</td>"
            for cell in self.strip
        )
        rows = (
            f'<thead><tr><th scope="row">{index}</th>{head}</tr></thead><tbody>'
            f'<tr><th scope="row">expected</th>{expected}</tr><tr><th scope="row">got</th>{got}</tr></tbody>'
        )
        return self._scrolled(rows, f"{title}: {self.summary}, marked ≠" if self.summary else title)

    def _scrolled(self, rows: str, caption: str) -> str:
        label = f"values of {html.escape(self.path)}"
        table = f'<table class="values"><caption><span>{caption}</span></caption>{rows}</table>'
        return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{table}</div>'


def _beside(cell: Cell) -> str:
    if not cell.wrong:
        return f"<td>{html.escape(cell.got)}</td>"
    return f'<td class="wrong">{html.escape(cell.got)} <small>≠ {html.escape(cell.expected)}</small></td>'


def panels(
    check: Check, expected: dict[str, Any], got: dict[str, Any], largest_table: int = 8
) -> Iterator[Panel]:
    """Show every output whose values or shape are wrong; a wrong type is left to the message.

    Args:
        check: whose tolerances say what is wrong.
        expected: leaves by path, as `evidence.leaves` returns them.
        got: likewise.
        largest_table: matrices with more rows or columns are drawn; 0 draws them all.
    """
    expected, got = _with_lists(expected), _with_lists(got)
    for path, due in expected.items():
        came = got.get(path)
        if isinstance(due, list) and isinstance(came, list):
            places = [index for index in range(max(len(due), len(came))) if _differs(check, due, came, index)]
            if places:
                yield _strip(path, due, came, places)
        elif not (isinstance(due, Tensor) and isinstance(came, Tensor) and due.dtype == came.dtype):
            continue
        elif due.dim() < 2 and came.dim() < 2:
            due, came = due.reshape(-1), came.reshape(-1)
            shared = min(len(due), len(came))
            wrong = torch.ones(max(len(due), len(came)), dtype=torch.bool)
            wrong[:shared] = wrong_entries(due[:shared], came[:shared], check.rtol, check.atol)
            if wrong.any():
                yield _strip(path, due, came, wrong.nonzero().flatten().tolist())
        elif due.shape != came.shape:
            if came.numel():
                yield _drawn(path, due, came, None)
        elif (wrong := wrong_entries(due, came, check.rtol, check.atol)).any():
            small = due.dim() == 2 and max(due.shape) <= largest_table
            yield (_table if small else _drawn)(path, due, came, wrong)


def _with_lists(leaves: dict[str, Any]) -> dict[str, Any]:
    """The same leaves, in which lists of scalars are in one piece again."""
    joined = dict(leaves)
    for path, leaf in leaves.items():
        if isinstance(leaf, dict) and leaf.get("kind") == "list":
            items: list[bool | int | float | str] = []
            while isinstance(item := leaves.get(f"{path}[{len(items)}]"), bool | int | float | str):
                items.append(item)
            if items and len(items) == leaf.get("size"):
                joined[path] = items
                for index in range(len(items)):
                    del joined[f"{path}[{index}]"]
    return joined


def _differs(check: Check, due: list[Any], came: list[Any], index: int) -> bool:
    if index >= min(len(due), len(came)):
        return True
    return difference({"": due[index]}, {"": came[index]}, check.rtol, check.atol) is not None


def _strip(path: str, due: list[Any] | Tensor, came: list[Any] | Tensor, wrong: list[int]) -> Panel:
    size = max(len(due), len(came))
    summary = f"{len(wrong)} of {size} values differ" if size > 1 else ""
    shown: Sequence[int] = range(size)
    if len(due) != len(came):
        summary = f"{len(came)} values where {len(due)} are due; {len(wrong)} differ"
    if size > LONGEST_STRIP:
        shown = wrong[:LONGEST_STRIP]
        summary += f"; the first {len(shown)} of them" if len(shown) < len(wrong) else "; these are they"
    cells = [Cell(_entry(due, index), _entry(came, index), index in wrong, index) for index in shown]
    return Panel(path, summary, strip=cells)


def _entry(values: list[Any] | Tensor, index: int) -> str:
    if index >= len(values):
        return "nothing"
    value = values[index]
    return _number(value.item() if isinstance(value, Tensor) else value)


def _table(path: str, due: Tensor, came: Tensor, wrong: Tensor) -> Panel:
    rows = zip(due.tolist(), came.tolist(), wrong.tolist(), strict=True)
    cells = [
        [Cell(_number(e), _number(g), w, column) for column, (e, g, w) in enumerate(zip(*row, strict=True))]
        for row in rows
    ]
    return Panel(path, f"{int(wrong.sum())} of {wrong.numel()} values differ", rows=cells)


def _drawn(path: str, due: Tensor, came: Tensor, wrong: Tensor | None) -> Panel:
    images = _is_images(due) and _is_images(came)
    a, b = (_montage(due), _montage(came)) if images else (_matrix(due), _matrix(came))
    finite = np.concatenate([a[np.isfinite(a)], b[np.isfinite(b)]])
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    if images and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    colours = GREYS if images else VALUES
    scales = [_scale("value of each channel" if images else "value", low, high, colours)]
    cell = max(2, PICTURE_PIXELS // max(a.shape[:2] + b.shape[:2]))
    pictures = [
        _picture("expected", due, a, low, high, colours, cell),
        _picture("got", came, b, low, high, colours, cell),
    ]
    summary = f"shape {_shape(came)} where {_shape(due)} is due"
    if wrong is not None:
        with np.errstate(invalid="ignore", over="ignore"):
            off = np.where((_montage(wrong) if images else _matrix(wrong)) > 0, b - a, 0)
        if images:
            largest = np.abs(np.nan_to_num(off)).argmax(2)[..., None]
            off = np.take_along_axis(off, largest, 2)[..., 0]
        reach = np.abs(off[np.isfinite(off)]).max(initial=0)
        pictures.append(_picture("got − expected", came, off, -reach, reach, SIGNED, cell))
        if reach:
            scales.append(_scale("got − expected", -reach, reach, SIGNED))
        summary = f"{int(wrong.sum())} of {wrong.numel()} values differ"
    if np.isnan(a).any() or np.isnan(b).any():
        summary += "; NaN is striped black and white"
    if images:
        summary += f"; of up to {MOST_IMAGES} images the first {LARGEST_PICTURE} rows and columns are drawn"
        summary += (
            ", of their differences that of the channel where it is largest" if wrong is not None else ""
        )
    elif max(a.shape + b.shape) < max(_flat(due).shape + _flat(came).shape):
        summary += f"; the first {LARGEST_PICTURE} rows and columns are drawn"
    return Panel(path, summary, pictures=pictures, scales=scales)


def _is_images(tensor: Tensor) -> bool:
    """Whether a tensor holds images, (…, channels, height, width) with one channel or three."""
    large_enough = tensor.dim() in (3, 4) and min(tensor.shape[-2:]) >= SHORTEST_SIDE
    return large_enough and tensor.shape[-3] in (1, 3) and tensor.numel() > 0 and not tensor.is_complex()


def _montage(tensor: Tensor) -> np.ndarray:
    """The first images side by side, as (height, width, channels)."""
    images = tensor.reshape(-1, *tensor.shape[-3:])[:MOST_IMAGES, :, :LARGEST_PICTURE, :LARGEST_PICTURE]
    return np.concatenate([*images.permute(0, 2, 3, 1).to(torch.float64).numpy()], axis=1)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.reshape(1, -1) if tensor.dim() < 2 else tensor.flatten(0, -2)


def _matrix(tensor: Tensor) -> np.ndarray:
    cut = _flat(tensor)[:LARGEST_PICTURE, :LARGEST_PICTURE]
    return (cut.abs() if cut.is_complex() else cut).to(torch.float64).numpy()


def _picture(
    title: str, tensor: Tensor, matrix: np.ndarray, low: float, high: float, colours: Colormap, cell: int
) -> Picture:
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (matrix - low) / (high - low) if high > low else np.full(matrix.shape, 0.5)
    small = np.nan_to_num(scaled).clip(0, 1)
    if matrix.ndim == 3 and matrix.shape[2] == 3:
        pixels = (255 * small).round().astype(np.uint8)
    else:
        pixels = colours(small.reshape(matrix.shape[:2]), bytes=True)[..., :3]
    pixels = pixels.repeat(cell, 0).repeat(cell, 1)
    undefined = np.isnan(matrix).reshape(*matrix.shape[:2], -1).any(2).repeat(cell, 0).repeat(cell, 1)
    rows, columns = np.indices(undefined.shape)
    pixels[undefined] = np.where((rows + columns) % 4 < 2, 255, 0)[undefined, None]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    height, width = undefined.shape
    return Picture(title, f"{title}: {_in_words(tensor, matrix)}", uri, width, height)


def _in_words(tensor: Tensor, matrix: np.ndarray) -> str:
    finite = matrix[np.isfinite(matrix)]
    words = [f"shape {_shape(tensor)}"]
    if finite.size:
        words.append(f"values from {_number(finite.min())} to {_number(finite.max())}")
    if strange := matrix.size - finite.size:
        words.append(f"{strange} not finite")
    return ", ".join(words)


def _scale(title: str, low: float, high: float, colours: Colormap) -> Scale:
    stops = ", ".join(to_hex(colours(position)) for position in np.linspace(0, 1, 9))
    return Scale(
        title, [_number(value) for value in (low, (low + high) / 2, high)], f"linear-gradient(90deg, {stops})"
    )


def _shape(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "()"


def _number(value: Any) -> str:
    return f"{value:.4g}".replace("-", "−") if isinstance(value, float) else plain(value)


def plain(text: object) -> str:
    """A text by a student, cut to a length that one can read."""
    text = str(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters)"


def smallest(check: Check, reference: Evidence, evidence: Evidence) -> Panel | None:
    """The smallest output that is wrong, with the names of its axes; None where a sentence says all.

    Args:
        check: what was asked.
        reference: what the solution did on the same inputs.
        evidence: what the student's function did.
    """
    if not check.compared or "float32" not in evidence.runs or evidence.runs["float32"].error:
        return None
    due = reference.runs["float32"].outputs
    found = list(panels(check, due, evidence.runs["float32"].outputs))
    if not found:
        return None
    panel = min(found, key=lambda each: each.size)
    names = tuple(reference.returns.split())
    sizes = tuple(reference.symbols.get(name) for name in names)
    shape = getattr(due.get(panel.path), "shape", None)
    return replace(panel, axes=names) if names and shape == sizes else panel
