"""Figures say what they show; the notebook's set-up keeps unwritten exercises calm."""

import re
from types import SimpleNamespace

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure

from exercise_code.support.notebook import plotting, setup


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


def test_show_puts_the_alt_text_into_the_output(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    plotting.show(Figure(), 'a < b & "c"')
    assert shown[0]["text/plain"] == 'a < b & "c"'
    assert 'alt="a &lt; b &amp; &quot;c&quot;"' in shown[0]["text/html"]
    assert "padding: 6px; border-radius: 6px; box-sizing: border-box" in shown[0]["text/html"]
    assert re.search(r'src="data:image/png;base64,[\w+/=]{100,}"', shown[0]["text/html"])


@pytest.mark.parametrize("width", [1, 4, 5])
def test_a_running_mean_of_a_line_is_that_line(width):
    steps, means = plotting.running_mean([3.0 * step + 1 for step in range(12)], width)
    assert len(steps) == 13 - width
    assert means == pytest.approx(3 * steps + 1)


def test_sweep_draws_middle_spread_and_chance():
    runs = torch.tensor([[0.0, 1.0, 2.0], [4.0, 5.0, 9.0]])
    by_sd = plotting.sweep([1, 2], {"a": runs}, "x", "y", chance=0.1).axes[0]
    curve, guessing = by_sd.lines
    assert curve.get_ydata().tolist() == [1.0, 6.0]
    assert set(guessing.get_ydata()) == {10.0}
    by_quartiles = plotting.sweep([1, 2], {"a": runs}, "x", "y", spread="quartiles").axes[0]
    assert by_quartiles.lines[0].get_ydata().tolist() == [1.0, 5.0]


def test_a_vector_is_drawn_unlike_a_matrix_of_one_row():
    blocks = [("row", 1, 4, "", "N"), ("vector", None, 4, "", "N")]
    patches = plotting.shape_ribbon(blocks, ["="]).axes[0].patches
    assert [type(patch).__name__ for patch in patches] == ["Rectangle"] * 4 + ["Circle"] * 4


def test_a_product_brings_out_one_entry_and_says_which():
    fig, alt = plotting.product_shapes(("A", "B", "C"), (3, 5, 4), ("N", "M", "P"), entry=(2, 1))
    cells = fig.axes[0].patches
    marked = [cell.get_hatch() for cell in cells]
    assert len(cells) == 3 * 5 + 5 * 4 + 3 * 4
    assert marked.count("////") == 5 + 5 + 1
    assert alt == "Row 2 of A (3, 5) meets column 1 of B (5, 4) and gives entry [2, 1] of C (3, 4)."


def test_accuracy_maps_write_the_numbers_and_tell_the_best():
    maps = {"a": torch.tensor([[0.1, 0.2], [0.9, 0.3]]), "b": torch.tensor([[1.0, 0.5], [1.0, 0.5]])}
    fig, alt = plotting.accuracy_maps(maps, ("strength", [0.01, 0.1]), ("rate", [1.0, 3.0]))
    first, second, _ = fig.axes
    assert [text.get_text() for text in first.texts] == ["10", "20", "[90]", "30"]
    assert [text.get_text() for text in second.texts] == ["[100]", "50", "[100]", "50"]
    assert alt == (
        "a: 10 to 90 %, the best at strength 0.1 and rate 1. "
        "b: 50 to 100 %, the best at strength 0.01 and rate 1, and in 1 more of 4 cells."
    )


def test_learning_curves_tell_what_they_draw():
    runs = {
        name: SimpleNamespace(loss_history=losses, train_acc_history=[0.2, 0.6], val_acc_history=[0.1, 0.4])
        for name, losses in (("falls", [2.0, 1.0, 0.5]), ("rises", [1.0, 1.0, 1.5]))
    }
    fig, alt = plotting.learning_curves(runs, chance=0.1)
    left, right = fig.axes
    assert [round(line.get_ydata()[-1]) for line in right.lines] == [60, 40, 60, 40, 10]
    assert "falls, loss from 2 to 0.5, accuracy at the end 60% in training and 40% in validation" in alt
    assert "rises, loss from 1 to 1.5" in alt
    assert left.get_ylim()[1] > 2


def test_colours_are_all_different():
    assert len({mpl.colors.to_rgb(colour) for colour in plotting.PALETTE}) == len(plotting.PALETTE) == 8


def test_setup_may_run_twice_and_without_a_notebook():
    with mpl.rc_context():
        assert setup.setup() == setup.setup()
        first = torch.rand(3)
        setup.setup()
        torch.testing.assert_close(torch.rand(3), first)
        assert mpl.rcParams["figure.facecolor"] == plotting.PAPER


def test_a_map_says_in_its_legend_which_class_is_which():
    points = torch.tensor([[-1.0, -1], [1, -1], [-1, 1]]), torch.tensor([0, 1, 2])
    says = {"left": lambda X: (X[:, 0] > 0).long(), "below": lambda X: (X[:, 1] > 0).long()}
    fig, regions = plotting.class_maps(says, [points] * 2, 2.0, resolution=5)
    (legend,) = fig.legends
    assert [text.get_text() for text in legend.get_texts()] == ["class 0", "class 1", "class 2"]
    assert "ground: what the classifier says" in legend.get_title().get_text()
    assert regions[0][0].tolist() == [0, 0, 0, 1, 1]
    assert regions[1][:, 0].tolist() == [0, 0, 0, 1, 1]
    assert [ax.get_title() for ax in fig.axes] == ["left", "below"]
