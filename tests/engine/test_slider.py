"""A slider shows one of its figures, tells each in words, and is small."""

import re

import IPython.display
import pytest
from matplotlib.figure import Figure

from exercise_code.support.notebook.slider import as_html, slide


def frames(count):
    """Figures of one size, with a text for each."""
    found = {}
    for value in range(count):
        figure = Figure(figsize=(4, 3))
        figure.subplots().plot([0, value], [value, 1])
        found[value] = figure, f'{value} < "{value + 1}"'
    return found


@pytest.mark.parametrize("start", [0, 2])
def test_one_frame_is_seen_and_each_has_its_text(start):
    page = as_html("k", frames(3), start)
    images = re.findall("<img[^>]*>", page)
    assert [place for place, image in enumerate(images) if not image.endswith(" hidden>")] == [start]
    for value, image in enumerate(images):
        assert f'alt="{value} &lt; &quot;{value + 1}&quot;"' in image
        assert f'data-at="k = {value}"' in image
    assert f'max="2" value="{start}"' in page and f"<output>k = {start}</output>" in page
    assert f'aria-valuetext="k = {start}. {start} &lt;' in page


def test_without_a_page_all_frames_are_told(monkeypatch):
    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    slide("rate", frames(2))
    assert shown[0]["text/plain"] == 'rate = 0. 0 < "1"\nrate = 1. 1 < "2"'


def test_it_needs_nothing_from_elsewhere_and_is_small():
    page = as_html("k", frames(12), 0)
    assert not re.findall(r"https?:|<script|src=\"(?!data:)", page)
    assert len(page) < 12 * 20_000


def test_two_sliders_of_a_page_do_not_know_each_other():
    pages = [as_html("k", frames(2), 0), as_html("rate", frames(2), 0)]
    assert all(" id=" not in page and "getElementById" not in page for page in pages)


@pytest.mark.parametrize(("count", "start"), [(0, 0), (3, 3), (3, -1)])
def test_it_does_not_start_where_no_frame_is(count, start):
    with pytest.raises(ValueError, match=f"there are {count} frames"):
        slide("k", frames(count), start)
