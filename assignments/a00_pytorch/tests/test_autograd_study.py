"""The autograd solutions against derivatives by hand, the library, and least squares."""

import math
import tomllib

import numpy as np
import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch import nn

from assignments.a00_pytorch import figures
from exercise_code import autograd_study as study
from exercise_code.support.data import augmentation
from exercise_code.support.notebook import predictions
from exercise_code.support.paths import ASSIGNMENTS

ON_PAPER = ASSIGNMENTS / "a00_pytorch" / predictions.VALUES
SEEDS = st.integers(0, 2**32)
FLOATS = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-9)])


def typed(name: str):
    """The function, its annotations checked at every call."""
    return jaxtyped(typechecker=beartype)(getattr(study, name))


def draw(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def wave(x):
    return x**3 - 2 * x + x.sin()


def slope_of_landscape(x: float) -> float:
    return 1 / x - math.copysign(1.3, x) / x**2 + 0.02


@FLOATS
@given(n=st.integers(1, 9), seed=SEEDS)
def test_derivatives_agree_with_those_by_hand(n, seed, dtype, tolerance):
    xs = draw(seed, n, dtype=dtype)
    first, second = typed("derivative")(wave, xs), typed("second_derivative")(wave, xs)
    x = xs.double().numpy()
    np.testing.assert_allclose(first.numpy(), 3 * x**2 - 2 + np.cos(x), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(second.numpy(), 6 * x - np.sin(x), rtol=tolerance, atol=tolerance)
    assert not (first.requires_grad or second.requires_grad or xs.requires_grad)
    assert first.dtype == second.dtype == dtype


@pytest.mark.parametrize("lr", [0.1, 0.2])
@pytest.mark.parametrize("x0", [-4.0, -1.0, 1.0, 4.0])
def test_descent_agrees_with_the_derivative_by_hand(x0, lr):
    xs, losses = typed("gradient_descent")(study.landscape, x0, lr)
    assert len(xs) == len(losses) == 101
    x = x0
    for found, loss in zip(xs, losses, strict=True):
        assert found == pytest.approx(x, rel=1e-9)
        assert loss == pytest.approx(math.log(abs(x)) + 1.3 / abs(x) + 0.02 * x, rel=1e-9)
        x -= lr * slope_of_landscape(x)


def test_the_landscape_is_as_the_course_tells_it():
    """Far starts creep, near ones settle, 0 is undefined; the left valley is the deeper one."""
    ends, settled = {}, {}
    for x0 in (-4.0, -1.0, 1.0, 4.0):
        for lr in (0.1, 0.2):
            xs, losses = study.gradient_descent(study.landscape, x0, lr)
            ends[x0, lr], settled[x0, lr] = (xs[-1], losses[-1]), study.converged_at(losses, 1e-3)
    assert settled[-4.0, 0.1] is settled[4.0, 0.1] is None
    assert max(settled[-1.0, 0.1], settled[1.0, 0.1]) < 30
    assert max(settled[-1.0, 0.2], settled[1.0, 0.2]) < 15
    assert 70 < settled[4.0, 0.2] < settled[-4.0, 0.2] < 100
    assert ends[-1.0, 0.1][0] == pytest.approx(-1.336, abs=0.002)
    assert ends[1.0, 0.1][0] == pytest.approx(1.268, abs=0.002)
    assert ends[-1.0, 0.1][1] < ends[1.0, 0.1][1]
    assert math.isnan(study.gradient_descent(study.landscape, 0.0)[0][1])


@given(
    losses=st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=9), tol=st.sampled_from([0.0, 1.0])
)
def test_settling_by_trying_every_step(losses, tol):
    near = [step for step in range(len(losses)) if all(abs(x - losses[-1]) <= tol for x in losses[step:])]
    assert typed("converged_at")(losses, tol) == (near[0] if len(near) > 1 else None)


@pytest.mark.parametrize("last", [math.nan, math.inf, -math.inf])
def test_nothing_settles_on_no_number(last):
    assert study.converged_at([1.0, last, last], 0.1) is None


@FLOATS
@given(rows=st.integers(1, 4), columns=st.integers(1, 4), seed=SEEDS)
def test_gradients_agree_with_those_by_hand(rows, columns, seed, dtype, tolerance):
    a, b = (draw(seed + k, rows, columns, dtype=dtype).requires_grad_() for k in (0, 1))
    unused = torch.ones(2, requires_grad=True)
    da, db, nothing = study.grad_of(a**2 * b, [a, b, unused], create_graph=True)
    torch.testing.assert_close(da, 2 * a * b)
    torch.testing.assert_close(db, a**2)
    assert nothing.tolist() == [0, 0]
    (twice,) = study.grad_of(da, [a])
    torch.testing.assert_close(twice, 2 * b)
    assert not twice.requires_grad
    assert a.grad is b.grad is None


@FLOATS
@given(m=st.integers(1, 5), n=st.integers(1, 5), seed=SEEDS)
def test_jacobian_agrees_with_the_librarys(m, n, seed, dtype, tolerance):
    mix, x = draw(seed, m, n, dtype=dtype), draw(seed + 1, n, dtype=dtype)

    def outputs(x):
        return (mix @ x.sin()).exp()

    leaf = x.clone().requires_grad_()
    found = typed("jacobian")(outputs(leaf), leaf)
    torch.testing.assert_close(found, torch.func.jacfwd(outputs)(x))
    assert leaf.grad is None


@FLOATS
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=SEEDS)
def test_accumulated_gradient_agrees_with_the_one_by_hand(sizes, seed, dtype, tolerance):
    w = draw(seed, 3, dtype=dtype).requires_grad_()
    w.grad = torch.full_like(w, 7)
    batches = [draw(seed + k, size, 3, dtype=dtype) for k, size in enumerate(sizes)]
    found = study.accumulate_gradients(lambda w, x: (x @ w).square().mean(), w, batches)
    arrays, weights = [x.double().numpy() for x in batches], w.detach().double().numpy()
    expected = np.mean([2 * x.T @ (x @ weights) / len(x) for x in arrays], axis=0)
    np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=100 * tolerance)
    assert torch.equal(found, w.grad)


@FLOATS
def test_a_step_is_that_of_the_librarys_optimiser(dtype, tolerance):
    ours, theirs = ([draw(k, 2, 3, dtype=dtype).requires_grad_() for k in range(3)] for _ in range(2))
    for params in (ours, theirs):
        (params[0] * params[1] ** 2).sum().backward()
    study.gradient_step(ours, lr=0.3)
    torch.optim.SGD(theirs, lr=0.3).step()
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other)
        assert own.is_leaf
        assert own.requires_grad
        assert own.grad is None


@FLOATS
@given(n=st.integers(1, 6), degree=st.integers(0, 4), seed=SEEDS)
def test_regressors_agree_with_numpys_polynomials(n, degree, seed, dtype, tolerance):
    x, coefficients = draw(seed, n, 1, dtype=dtype), draw(seed + 1, degree + 1, dtype=dtype)
    polynomial = study.PolynomialRegressor(degree).to(dtype)
    polynomial.load_state_dict({"coefficients": coefficients})
    found = polynomial(x).detach()
    expected = np.polynomial.Polynomial(coefficients.double().numpy())(x.double().numpy())
    assert (found.dtype, found.shape) == (dtype, x.shape)
    np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=100 * tolerance)
    line = study.LinearRegressor().to(dtype)
    line.load_state_dict({"weight": coefficients[:1], "bias": coefficients[-1:]})
    expected = np.polyval([coefficients[0].item(), coefficients[-1].item()], x.double().numpy())
    np.testing.assert_allclose(line(x).detach().numpy(), expected, rtol=tolerance, atol=100 * tolerance)


def test_fits_end_at_least_squares():
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)[:, None]
    y = 1 + 2 * x - 3 * x**2 + 0.1 * draw(0, 21, 1)
    for model, degree in ((study.LinearRegressor(), 1), (study.PolynomialRegressor(2), 2)):
        losses = study.fit(model.double(), x, y, lr=0.3, num_iters=400)
        assert len(losses) == 400
        assert losses[0] == pytest.approx(y.square().mean().item())
        (rest, *_) = np.polyfit(x[:, 0], y[:, 0], degree, full=True)[1]
        assert losses[-1] == pytest.approx(rest / len(x), rel=1e-6)


def test_the_net_agrees_with_the_librarys_functions():
    net = study.SmallConvNet(num_classes=5, channels=4, extra=1, dropout=0.5).eval()
    x = torch.rand(3, 3, 24, 20, generator=torch.Generator().manual_seed(0))
    w1, b1, w2, b2, w3, b3 = net.parameters()
    maps = nn.functional.max_pool2d(nn.functional.conv2d(x, w1, b1, padding=1).relu(), 4)
    maps = nn.functional.conv2d(maps, w2, b2, padding=1).relu()
    features = nn.functional.adaptive_avg_pool2d(maps, 4).flatten(1)
    torch.testing.assert_close(net(x), features @ w3.T + b3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_training_images_change_at_random_and_validation_images_never(dtype):
    x = torch.rand(200, 3, 8, 6, generator=torch.Generator().manual_seed(0)).to(dtype)
    torch.testing.assert_close(study.val_transform()(x), (x - 0.5) / 0.5)
    torch.manual_seed(0)
    changed = study.train_transform()(x)
    assert changed.shape == x.shape
    assert changed.dtype == dtype
    assert changed.abs().max() <= 1
    assert not torch.allclose(changed, study.train_transform()(x))


def test_random_changes_are_what_they_are_called():
    torch.manual_seed(0)
    x = torch.rand(400, 3, 7, 5)
    mirrored = (augmentation.RandomFlip()(x) == x.flip(-1)).flatten(1).all(1)
    assert 150 < mirrored.sum() < 250
    shifted = augmentation.RandomShift(pixels=2)(x)
    moves = [
        (shifted == x.roll((down, right), (2, 3))).flatten(1).all(1).sum()
        for down in range(-2, 3)
        for right in range(-2, 3)
    ]
    assert min(moves) > 0
    assert sum(moves) == 400
    brighter = augmentation.RandomBrightness(reach=0.2)(x * 0.5 + 0.25) - (x * 0.5 + 0.25)
    torch.testing.assert_close(brighter.amax((1, 2, 3)), brighter.amin((1, 2, 3)))
    assert 0.15 < brighter.max() <= 0.2 + 1e-6
    noise = augmentation.RandomNoise(sd=0.05)(torch.full_like(x, 0.5)) - 0.5
    assert noise.std().item() == pytest.approx(0.05, rel=0.05)


def test_the_table_of_three_links_agrees_with_autograd():
    table = tomllib.loads(ON_PAPER.read_text())["three links"]
    w, x, b = (torch.tensor(value, requires_grad=True) for value in (3.0, 2.0, -4.0))
    u = w * x
    v = u + b
    v.retain_grad()
    (v**2).backward()
    found = {"u": u, "v": v, "L": v**2, "dL/dv": v.grad, "dL/db": b.grad, "dL/dw": w.grad, "dL/dx": x.grad}
    found["w after a step"] = w - 0.1 * w.grad
    found["L then"] = (found["w after a step"] * x + b) ** 2
    assert {name: value.item() for name, value in found.items()} == pytest.approx(table)


def test_the_graph_shows_every_leaf_and_operation():
    w, x, b = (torch.tensor(value, requires_grad=True) for value in (3.0, 2.0, -4.0))
    loss = (w * x + b) ** 2
    loss.backward(retain_graph=True)
    (ax,) = figures.graph(loss, {"w": w, "x": x, "b": b}).axes
    texts = {text.get_text() for text in ax.texts if text.get_text()}
    leaves = {"w = 3\ngradient 8", "x = 2\ngradient 12", "b = -4\ngradient 4"}
    assert texts == leaves | {"pow", "add", "mul"}


def test_least_squares_agree_with_numpy():
    x, y = draw(0, 9, 1), draw(1, 9, 1)
    model = study.PolynomialRegressor(3).double()
    figures.least_squares(model, x, y)
    expected = np.polynomial.polynomial.polyfit(x[:, 0], y[:, 0], 3)
    np.testing.assert_allclose(model.coefficients.detach().numpy(), expected)
