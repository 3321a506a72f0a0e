"""A slider over figures that were drawn once: it works in a notebook, and in a page made from it."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from io import BytesIO

from matplotlib.figure import Figure
from PIL import Image

from exercise_code.support.notebook.cards import KEYS
from exercise_code.support.notebook.plotting import PAD, PAPER

COLOURS = 128
"""Of a frame: few enough that a dozen frames are small, enough for smooth edges of letters."""
SHARPNESS = 1.5
"""Pixels of a frame for each pixel of the page."""
MOVE = (
    "const figure = this.closest('figure'), frames = [...figure.querySelectorAll('img')], "
    "now = frames[this.value]; for (const frame of frames) frame.hidden = frame !== now; "
    "figure.querySelector('output').value = now.dataset.at; "
    "this.setAttribute('aria-valuetext', now.dataset.at + '. ' + now.alt)"
)
STYLE = """
<style>
.workbook-slider {font: 13px/1.6 system-ui, sans-serif; margin: .4em 0; max-width: 100%}
.workbook-slider label {display: flex; align-items: center; gap: .8em; max-width: 44em}
.workbook-slider input {flex: 1; min-width: 8em; accent-color: #0072b2}
.workbook-slider output {min-width: 9em; font-weight: 600; font-variant-numeric: tabular-nums}
.workbook-slider img[hidden] {display: none}
</style>
"""


def slide(name: str, frames: Mapping[object, tuple[Figure, str]], start: int = 0) -> None:
    """Display figures of which a slider shows one; the arrow keys move it.

    Args:
        name: what the slider changes, such as `k`.
        frames: for each of its values a figure and its alternative text; all figures have one size.
        start: place of the frame that is shown first.

    Raises:
        ValueError: there is no such frame.
    """
    from IPython.display import display

    if not 0 <= start < len(frames):
        raise ValueError(f"there are {len(frames)} frames, from 0 on: the slider cannot start at {start}")
    told = {f"{name} = {value}": alt for value, (_, alt) in frames.items()}
    text = "\n".join(f"{at}. {alt}" for at, alt in told.items())
    display({"text/html": as_html(name, frames, start), "text/plain": text}, raw=True)


def as_html(name: str, frames: Mapping[object, tuple[Figure, str]], start: int) -> str:
    """The slider as a part of a page that needs nothing else."""
    images = "".join(
        _image(figure, f"{name} = {value}", alt, place == start)
        for place, (value, (figure, alt)) in enumerate(frames.items())
    )
    at, alt = list(frames)[start], list(frames.values())[start][1]
    first = f"{name} = {at}"
    knob = (
        f'<input type="range" onfocus="{KEYS}" min="0" max="{len(frames) - 1}" value="{start}" '
        f'autocomplete="off" aria-label="{escape(name)}" '
        f'aria-valuetext="{escape(f"{first}. {alt}")}" oninput="{escape(MOVE)}">'
    )
    return (
        f'{STYLE}<figure class="workbook-slider"><label>{knob}<output>{escape(first)}</output></label>'
        f"{images}</figure>"
    )


def _image(figure: Figure, at: str, alt: str, shown: bool) -> str:
    drawn, packed = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=SHARPNESS * figure.dpi)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(packed, "png", optimize=True)
    width = round(figure.get_figwidth() * figure.dpi) + 2 * PAD
    style = f"max-width: 100%; height: auto; padding: {PAD}px; border-radius: {PAD}px"
    style += f"; box-sizing: border-box; background: {PAPER}"
    source = f"data:image/png;base64,{b64encode(packed.getvalue()).decode()}"
    return (
        f'<img src="{source}" alt="{escape(alt)}" data-at="{escape(at)}" width="{width}" style="{style}"'
        f"{'' if shown else ' hidden'}>"
    )
