"""Sentences of the notebooks that a run could refute, on the housing tables, images and the landscape."""

import pytest
import torch

from assignments.a00_pytorch import figures
from exercise_code import autograd_study as study
from exercise_code import regression
from exercise_code.regression import housing
from exercise_code.support import data

pytestmark = pytest.mark.deep
SEEDS = range(3)


@pytest.fixture
def measured(record_property):
    """Notes what was measured, for the report of the run."""
    return lambda text: record_property("measured", text)


@pytest.fixture(scope="module")
def bottom():
    """Of the left valley."""
    return study.gradient_descent(study.landscape, -1.0, 0.5, 400)[0][-1]


def test_the_walk_from_the_right_never_finds_the_deeper_valley(bottom, measured):
    right = study.gradient_descent(study.landscape, 1.0, 0.1, 400)
    left = study.gradient_descent(study.landscape, -1.0, 0.1, 400)
    measured(f"losses {left[1][-1]:.3f} left, {right[1][-1]:.3f} right")
    assert right[0][-1] > 0 > left[0][-1]
    assert left[1][-1] < right[1][-1]


def test_far_out_a_small_slope_means_a_small_step_and_zero_is_no_start(measured):
    far, near = (study.gradient_descent(study.landscape, start, 0.1)[0] for start in (4.0, 1.0))
    measured(f"first steps {abs(far[1] - far[0]):.3f} and {abs(near[1] - near[0]):.3f}")
    assert abs(far[1] - far[0]) < abs(near[1] - near[0])
    assert all(place != place for place in study.gradient_descent(study.landscape, 0.0, 0.1)[0][1:])


def test_beyond_2_over_c_nothing_settles(bottom, measured):
    c = study.second_derivative(study.landscape, torch.tensor([bottom], dtype=torch.float64)).item()
    ends = {
        share: study.gradient_descent(study.landscape, bottom + 0.01, share * 2 / c, 400)[0][-1]
        for share in (0.5, 0.95, 1.05)
    }
    measured(", ".join(f"{abs(end - bottom):.0e} at {share} times 2/c" for share, end in ends.items()))
    assert abs(ends[0.5] - bottom) < 1e-6 and abs(ends[0.95] - bottom) < 0.005
    assert abs(ends[1.05] - bottom) > 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_training_error_falls_with_the_degree_fresh_error_turns(seed, measured):
    training, fresh = figures.noisy_wave(15, seed), figures.noisy_wave(500, 100 + seed)
    errors = []
    for degree in (1, 3, 12):
        model = study.PolynomialRegressor(degree).double()
        figures.least_squares(model, *training)
        model.requires_grad_(False)
        errors.append([(model(x) - y).square().mean().item() for x, y in (training, fresh)])
    measured(", ".join(f"{seen:.3f} and {new:.3g} fresh" for seen, new in errors))
    assert errors[0][0] > errors[1][0] > errors[2][0]
    assert errors[1][1] < min(errors[0][1], errors[2][1])


@pytest.fixture(
    scope="module",
    params=[
        "generated",
        pytest.param(
            "california_housing",
            marks=pytest.mark.skipif(
                not data.available("california_housing"), reason="needs California's houses"
            ),
        ),
    ],
)
def houses(request):
    """Incomes and prices, in parts and scaled as in the notebook."""
    return housing.get_housing_data(request.param)


@pytest.fixture(scope="module")
def rich(houses):
    """Cheap and expensive districts, those between left out."""
    limits = [houses["y_train"].quantile(share).item() for share in (0.3, 0.7)]
    pairs = {
        split: housing.binarize(houses[f"X_{split}"], houses[f"y_{split}"], *limits)
        for split in ("train", "val")
    }
    return {f"{name}_{split}": pair[i] for split, pair in pairs.items() for i, name in enumerate("Xy")}


@pytest.mark.parametrize("seed", SEEDS)
def test_one_wrong_price_lifts_the_line_of_mse_and_hardly_that_of_l1(houses, seed, measured):
    chosen = torch.randperm(len(houses["X_train"]), generator=torch.Generator().manual_seed(seed))[:60]
    X, times = houses["X_train"][chosen], {}
    for name, loss, rate in (("MSE", regression.MSE(), 0.5), ("L1", regression.L1(), 0.2)):
        tops = []
        for factor in (1, 50):
            y = houses["y_train"][chosen].clone()
            y[X.argmax()] *= factor
            torch.manual_seed(seed)
            model = regression.LinearModel(1)
            small = {"X_train": X, "y_train": y, "X_val": X, "y_val": y}
            regression.solver.Solver(model, small, loss, rate, verbose=False).train(400)
            tops.append(model.W.sum().item())
        times[name] = tops[1] / tops[0]
    measured(", ".join(f"{name} {value:.1f} times" for name, value in times.items()))
    assert times["MSE"] > 3 * times["L1"]
    assert times["L1"] < 2


@pytest.mark.parametrize("seed", SEEDS)
def test_sure_and_wrong_mse_hardly_moves_and_bce_does(rich, seed, measured):
    steps = {}
    for name, loss in (("BCE", regression.BCE()), ("MSE", regression.MSE())):
        for bias in (0, 8):
            torch.manual_seed(seed)
            model = regression.Classifier(1)
            model.initialize_weights(1_000 * model.W)
            model.W[-1] = -bias
            solver = regression.solver.Solver(model, rich, loss, 1.0, False, verbose=False)
            steps[name, bias] = figures.steps_until(solver, lambda accuracy: accuracy >= 0.8, 1_500)
    measured(", ".join(f"{name} {count} from -{bias}" for (name, bias), count in steps.items()))
    assert steps["MSE", 8] > 4 * steps["BCE", 8]
    assert steps["BCE", 8] < 1_500


def test_no_threshold_is_better_than_one_half_by_more_than_parts_of_the_rows_differ(rich, measured):
    for seed in SEEDS:
        torch.manual_seed(seed)
        curve = regression.Classifier(1)
        regression.solver.Solver(curve, rich, regression.BCE(), 5.0, False, verbose=False).train(1_000)
        said, dear = curve.forward(rich["X_val"]), rich["y_val"] > 0.5
        hits = torch.stack([((said > place / 20) == dear).double()[:, 0] for place in range(1, 20)])
        parts = torch.stack([100 * part.mean(1) for part in hits.chunk(5, dim=1)], 1)
        gain, spread = parts.mean(1).max() - parts[9].mean(), parts[9].std()
        measured(f"{gain:.1f} points better, parts differ by sd {spread:.1f}")
        assert gain <= spread


def test_a_line_fitted_to_classes_leaves_the_range_of_probabilities(rich, measured):
    for seed in SEEDS:
        torch.manual_seed(seed)
        line = regression.LinearModel(1)
        regression.solver.Solver(line, rich, regression.MSE(), 0.5, verbose=False).train(1_000)
        said = line.forward(rich["X_val"])
        outside = ((said < 0) | (said > 1)).double().mean().item()
        measured(f"{outside:.0%} outside")
        assert outside > 0.01
