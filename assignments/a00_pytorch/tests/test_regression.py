"""Models, losses, optimiser and Solver against torch.nn, autograd, scipy and scikit-learn."""

import numpy as np
import pytest
import torch
from beartype import beartype
from jaxtyping import jaxtyped
from scipy.optimize import check_grad
from scipy.special import expit
from sklearn.linear_model import LinearRegression, LogisticRegression
from torch.nn import functional

from exercise_code.regression import BCE, L1, MSE, Classifier, LinearModel, Optimizer, housing
from exercise_code.regression.solver import Solver

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
LOSSES = {L1: functional.l1_loss, MSE: functional.mse_loss, BCE: functional.binary_cross_entropy}


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).to(dtype)


def pairs(loss: type, shape: tuple[int, ...], dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    out, truth = draw(*shape, dtype=dtype), draw(*shape, dtype=dtype, seed=1)
    return (out.sigmoid(), (truth > 0).to(dtype)) if loss is BCE else (out, truth)


@DTYPES
@pytest.mark.parametrize("shape", [(7, 1), (5,)])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_gradients_agree_with_torch(loss, shape, dtype):
    y_out, y_truth = pairs(loss, shape, dtype)
    y_out.requires_grad_()
    expected = LOSSES[loss](y_out, y_truth)
    (gradient,) = torch.autograd.grad(expected, y_out)
    separate = LOSSES[loss](y_out, y_truth, reduction="none")
    (own_gradients,) = torch.autograd.grad(separate.sum(), y_out)
    found, backward = loss()(y_out.detach(), y_truth)
    torch.testing.assert_close(found, expected.detach())
    torch.testing.assert_close(backward, gradient)
    torch.testing.assert_close(
        loss().forward(y_out.detach(), y_truth, individual_losses=True), separate.detach()
    )
    torch.testing.assert_close(
        loss().backward(y_out.detach(), y_truth, individual_losses=True), own_gradients
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_agree_with_finite_differences(loss):
    y_out, y_truth = pairs(loss, (6, 1), torch.float64)

    def forward(values: np.ndarray) -> float:
        return loss().forward(torch.from_numpy(values)[:, None], y_truth).item()

    def backward(values: np.ndarray) -> np.ndarray:
        return loss().backward(torch.from_numpy(values)[:, None], y_truth).numpy().ravel()

    assert check_grad(forward, backward, y_out.numpy().ravel()) < 1e-6


def test_l1_has_no_slope_where_nothing_is_wrong():
    y = draw(4, 1)
    assert L1().backward(y, y.clone()).tolist() == [[0.0]] * 4


def test_bce_takes_targets_of_any_size():
    p, y = draw(5, 1).sigmoid().requires_grad_(), torch.tensor([[2.0], [4.0], [0.5], [-1.0], [1.0]]).double()
    expected = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
    (gradient,) = torch.autograd.grad(expected, p)
    found, backward = BCE()(p.detach(), y)
    torch.testing.assert_close(found, expected.detach())
    torch.testing.assert_close(backward, gradient)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_column_and_a_row_are_refused(loss):
    with pytest.raises(ValueError, match=r"shapes \(3, 1\) and \(3,\): give both the same"):
        loss()(draw(3, 1).sigmoid(), draw(3).sigmoid())


@DTYPES
def test_the_sigmoid_is_that_of_scipy(dtype):
    x = torch.cat([draw(50, dtype=dtype), torch.tensor([0.0, 100.0, -100.0, 1000.0, -1000.0], dtype=dtype)])
    found = jaxtyped(typechecker=beartype)(Classifier.sigmoid)(Classifier(), x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.numpy(), expit(x.numpy()), rtol=1e-6, atol=1e-37)


@DTYPES
@pytest.mark.parametrize("model", [LinearModel, Classifier])
def test_models_and_their_gradients_agree_with_autograd(model, dtype):
    X, W, dout = draw(6, 3, dtype=dtype), draw(4, 1, dtype=dtype, seed=1), draw(6, 1, dtype=dtype, seed=2)
    ours = model(3)
    ours.initialize_weights(W)
    leaf = W.clone().requires_grad_()
    expected = functional.linear(X, leaf[:-1].T, leaf[-1])
    if model is Classifier:
        expected = torch.sigmoid(expected)
    (gradient,) = torch.autograd.grad(expected, leaf, dout)
    forward, backward = (jaxtyped(typechecker=beartype)(f) for f in (model.forward, model.backward))
    torch.testing.assert_close(forward(ours, X), expected.detach())
    torch.testing.assert_close(backward(ours, dout), gradient)


@pytest.mark.parametrize("model", [LinearModel, Classifier])
def test_initial_weights_are_small(model):
    torch.manual_seed(0)
    W = model(4000).W
    assert W.shape == (4001, 1)
    assert W.dtype == torch.float64
    assert W.std().item() == pytest.approx(0.001, rel=0.1)


def test_steps_are_those_of_torch():
    model, W = LinearModel(3), draw(4, 1)
    model.initialize_weights(W.clone())
    leaf = W.clone().requires_grad_()
    ours, theirs = Optimizer(model, 0.3), torch.optim.SGD([leaf], lr=0.3)
    for seed in (1, 2):
        leaf.grad = draw(4, 1, seed=seed)
        theirs.step()
        ours.step(draw(4, 1, seed=seed))
    torch.testing.assert_close(model.W, leaf.detach())
    assert Optimizer(model).learning_rate == 5e-5


def problem(num_features: int = 3) -> dict[str, torch.Tensor]:
    """Rows with a price that a plane explains up to some noise."""
    truth, data = draw(num_features + 1, 1, seed=3), {}
    for place, (split, rows) in enumerate((("train", 60), ("val", 40))):
        X = draw(rows, num_features, seed=place)
        data[f"X_{split}"] = X
        data[f"y_{split}"] = X @ truth[:-1] + truth[-1] + 0.5 * draw(rows, 1, seed=10 + place)
    return data


@pytest.mark.parametrize(
    "model, loss, reference", [(LinearModel, MSE, "mse_loss"), (LinearModel, L1, "l1_loss")]
)
def test_training_goes_where_autograd_goes(model, loss, reference):
    data, ours = problem(), model(3)
    leaf = ours.W.clone().requires_grad_()
    solver = Solver(ours, data, loss(), 0.05, verbose=False)
    solver.train(20)
    for _ in range(20):
        value = getattr(functional, reference)(
            functional.linear(data["X_train"], leaf[:-1].T, leaf[-1]), data["y_train"]
        )
        (gradient,) = torch.autograd.grad(value, leaf)
        leaf = (leaf - 0.05 * gradient).detach().requires_grad_()
    torch.testing.assert_close(ours.W, leaf.detach())
    assert len(solver.train_loss_history) == len(solver.val_loss_history) == 21


def test_a_line_ends_where_least_squares_ends():
    data, model = problem(), LinearModel(3)
    Solver(model, data, MSE(), 0.2, verbose=False).train(500)
    exact = LinearRegression().fit(data["X_train"], data["y_train"])
    np.testing.assert_allclose(model.W[:-1].T, exact.coef_, atol=1e-6)
    np.testing.assert_allclose(model.W[-1], exact.intercept_, atol=1e-6)


def test_a_classifier_ends_where_scikit_learn_ends(capsys):
    data = problem()
    data |= {key: (values > 0).double() for key, values in data.items() if key.startswith("y_")}
    model = Classifier(3)
    solver = Solver(model, data, BCE(), 3.0, is_regression=False, print_every=2000)
    solver.train(4000)
    exact = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    exact.fit(data["X_train"], data["y_train"].ravel())
    np.testing.assert_allclose(model.W[:-1].T, exact.coef_, rtol=1e-3)
    np.testing.assert_allclose(model.W[-1], exact.intercept_, rtol=1e-3, atol=1e-3)
    assert solver.train_acc_history[-1] == exact.score(data["X_train"], data["y_train"].ravel())
    assert solver.val_acc_history[-1] == exact.score(data["X_val"], data["y_val"].ravel())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].split() for line in lines] == [["epoch", e] for e in ("0", "2000", "4000")]
    best = int(np.argmin(solver.val_loss_history))
    again = Classifier(3)
    again.initialize_weights(solver.best_W)
    loss = BCE().forward(again.forward(data["X_val"]), data["y_val"])
    assert loss.item() == pytest.approx(solver.val_loss_history[best])


def test_houses_become_tensors_between_0_and_1():
    data = housing.get_housing_data("generated", ("median_income", "total_bedrooms"))
    assert {name: tuple(values.shape) for name, values in data.items()} == {
        "X_train": (1200, 2),
        "y_train": (1200, 1),
        "X_val": (400, 2),
        "y_val": (400, 1),
        "X_test": (400, 2),
        "y_test": (400, 1),
    }
    for name in ("X_train", "y_train"):
        assert data[name].dtype == torch.float64
        assert (data[name].amin(0) == 0).all()
        assert (data[name].amax(0) == 1).all()
    assert all(values.isfinite().all() for values in data.values())


def test_cheap_and_dear_are_told_apart_and_the_middle_is_left_out():
    X, y = torch.arange(10.0)[:, None], torch.arange(10.0)[:, None] / 10
    kept, classes = housing.binarize(X, y, 0.25, 0.65)
    assert kept.ravel().tolist() == [0, 1, 2, 7, 8, 9]
    assert classes.ravel().tolist() == [0, 0, 0, 1, 1, 1]


def test_accuracy_is_a_share():
    assert (
        housing.test_accuracy(
            torch.tensor([[0.2], [0.7], [0.9], [0.4]]), torch.tensor([[0.0], [1], [0], [1]])
        )
        == 0.5
    )
