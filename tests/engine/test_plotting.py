"""Figures say what they show; the notebook's set-up keeps unwritten exercises calm."""

import re

import matplotlib as mpl
import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure

from exercise_code.support.checking import run_check
from exercise_code.support.notebook import plotting, setup


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


class Nearest:
    """A classifier of the plane with one neighbour, whatever k."""

    def __init__(self, x_train, y_train):
        self.x_train, self.y_train = x_train, y_train

    def predict(self, x_test, k):
        return self.y_train[torch.cdist(x_test, self.x_train).argmin(1)]


def test_show_puts_the_alt_text_into_the_output(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    plotting.show(Figure(), 'a < b & "c"')
    assert shown[0]["text/plain"] == 'a < b & "c"'
    assert 'alt="a &lt; b &amp; &quot;c&quot;"' in shown[0]["text/html"]
    assert re.search(r'src="data:image/png;base64,[\w+/=]{100,}"', shown[0]["text/html"])


def test_damages_end_at_the_distance_of_the_shift(random):
    pictures = torch.rand(6, 3, 12, 10, generator=random)
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    others = pictures[[3, 0]] * 0.99
    fig, distances = plotting.equal_damage(pictures, labels, others, torch.tensor([1, 1]), shift=2)
    moved = plotting.shift_right(pictures, 2)
    torch.testing.assert_close(moved[..., 2:], pictures[..., :-2])
    expected = torch.dist(moved[0], pictures[0]).item()
    assert [distances[name] for name in ("itself, shifted", "patched")] == pytest.approx([expected] * 2)
    assert distances.keys() & {"darker", "brighter"}
    assert distances["another class"] == pytest.approx(torch.dist(others[1], pictures[0]).item())
    assert len(fig.axes) == 5


@pytest.mark.parametrize("width", [1, 4, 5])
def test_a_running_mean_of_a_line_is_that_line(width):
    steps, means = plotting.running_mean([3.0 * step + 1 for step in range(12)], width)
    assert len(steps) == 13 - width
    assert means == pytest.approx(3 * steps + 1)


def test_slope_is_the_power():
    n = np.array([10, 30, 100])
    assert plotting.slope(n, 7 * n**1.5) == pytest.approx(1.5)


def test_sweep_draws_middle_spread_and_chance():
    runs = torch.tensor([[0.0, 1.0, 2.0], [4.0, 5.0, 9.0]])
    by_sd = plotting.sweep([1, 2], {"a": runs}, "x", "y", chance=0.1).axes[0]
    curve, guessing = by_sd.lines
    assert curve.get_ydata().tolist() == [1.0, 6.0]
    assert set(guessing.get_ydata()) == {10.0}
    by_quartiles = plotting.sweep([1, 2], {"a": runs}, "x", "y", spread="quartiles").axes[0]
    assert by_quartiles.lines[0].get_ydata().tolist() == [1.0, 5.0]


def test_distance_matrix_keeps_rows_for_training_images():
    dists = torch.arange(12.0).view(4, 3)
    ax, side, *_ = plotting.distance_matrix(dists, "by nothing").axes
    assert ax.images[0].get_array().shape == (4, 3)
    assert "training" in ax.get_ylabel()
    assert "query" in ax.get_xlabel()
    assert side.lines[0].get_xdata().tolist() == [1.0, 4.0, 7.0, 10.0]


def test_a_decision_map_has_x1_to_the_right_and_x2_upwards():
    classifier = Nearest(torch.tensor([[-1.0, -1], [1, -1], [-1, 1]]), torch.tensor([0, 1, 2]))
    first, second = plotting.decision_map(classifier, ks=(1, 2), resolution=9).axes
    region = first.images[0].get_array()
    assert [region[0, 0], region[0, -1], region[-1, 0]] == [0, 1, 2]
    assert (first.images[0].origin, second.get_title()) == ("lower", "k = 2")


def test_right_and_wrong_neighbours_differ_in_line_style(random):
    images = torch.rand(3, 3, 4, 4, generator=random)
    fig = plotting.neighbour_rows(images[:1], ["a"], images[None, 1:], [["a", "b"]], torch.ones(1, 2))
    styles = [ax.spines["top"].get_linestyle() for ax in fig.axes]
    assert styles[1] != styles[2]


def test_colours_are_all_different():
    assert len({mpl.colors.to_rgb(colour) for colour in plotting.PALETTE}) == len(plotting.PALETTE) == 8


def test_an_unwritten_exercise_is_one_calm_sentence_and_still_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(run_check, "EXERCISES", tmp_path / "exercise_code")
    module = tmp_path / "exercise_code" / "toy.py"
    module.parent.mkdir()
    module.write_text("class Toy:\n    def play(self):\n        raise NotImplementedError('Toy.play')\n")
    shell = InteractiveShell.instance()
    try:
        shell.set_custom_exc((NotImplementedError,), setup._not_written_yet)
        shell.user_ns["toy"] = {}
        exec(compile(module.read_text(), module, "exec"), shell.user_ns["toy"])
        result = shell.run_cell("toy['Toy']().play()")
        assert isinstance(result.error_in_exec, NotImplementedError)
        out = capsys.readouterr().out
        assert out.strip() == "toy.Toy.play is not written yet: exercise_code/toy.py, line 3"
        shell.run_cell("raise NotImplementedError('mine')")
        assert "Traceback" in capsys.readouterr().out
    finally:
        InteractiveShell.clear_instance()


def test_setup_may_run_twice_and_without_a_notebook():
    with mpl.rc_context():
        assert setup.setup() == setup.setup()
        first = torch.rand(3)
        setup.setup()
        torch.testing.assert_close(torch.rand(3), first)
        assert mpl.rcParams["figure.facecolor"] == plotting.PAPER
