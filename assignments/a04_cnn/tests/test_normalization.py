"""The normalisation layers against torch, autograd and finite differences."""

from functools import partial

import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch.nn import functional

from assignments.a04_cnn import figures
from exercise_code.cnn.convolutional_networks import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    NormalizedNet,
    SpatialBatchNorm,
)
from exercise_code.support.notebook.numeric_gradient import compute_numeric_gradient

typed = jaxtyped(typechecker=beartype)
dtypes = pytest.mark.parametrize(
    "dtype, tolerance", [(torch.float32, 3e-4), (torch.float64, 1e-10)], ids=["float32", "float64"]
)


def normal(seed, dtype, *shapes):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=random, dtype=dtype) for shape in shapes]


def agrees(layer, arguments, oracle, tolerance, *rest, backward="backward"):
    """Output and gradients of a layer are those of a function of torch."""
    leaves = [a.clone().requires_grad_() for a in arguments]
    expected = oracle(*leaves)
    out, cache = typed(layer.forward)(*arguments, *rest)
    assert out.dtype == arguments[0].dtype
    torch.testing.assert_close(out, expected.detach(), rtol=tolerance, atol=tolerance)
    dout = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).cos().reshape(out.shape)
    found = typed(getattr(layer, backward))(dout, cache)
    for gradient, truth in zip(found, torch.autograd.grad(expected, leaves, dout), strict=True):
        torch.testing.assert_close(gradient, truth, rtol=10 * tolerance, atol=10 * tolerance)


@given(n=st.integers(4, 9), d=st.integers(1, 7), seed=st.integers(0, 2**32))
@pytest.mark.parametrize("backward", ["backward", "backward_alt"])
@pytest.mark.parametrize("mode", ["train", "test"])
@dtypes
def test_batch_norm_agrees_with_torch(dtype, tolerance, mode, backward, n, d, seed):
    x, gamma, beta, mean, var = normal(seed, dtype, (n, d), (d,), (d,), (d,), (d,))
    running = {"running_mean": mean, "running_var": var.square() + 0.1}
    oracle = partial(torchs_batch_norm, mode=mode, **running)
    param = {"mode": mode, "eps": 1e-2, **running}
    agrees(BatchNorm, (x, gamma, beta), oracle, tolerance, param, backward=backward)


@given(
    n=st.integers(2, 4), c=st.integers(1, 5), h=st.integers(2, 4), w=st.integers(2, 5), seed=st.integers(0)
)
@pytest.mark.parametrize("mode", ["train", "test"])
@dtypes
def test_spatial_batch_norm_agrees_with_torch(dtype, tolerance, mode, n, c, h, w, seed):
    x, gamma, beta, mean, var = normal(seed % 2**32, dtype, (n, c, h, w), (c,), (c,), (c,), (c,))
    running = {"running_mean": mean, "running_var": var.square() + 0.1}
    oracle = partial(torchs_batch_norm, mode=mode, **running)
    agrees(SpatialBatchNorm, (x, gamma, beta), oracle, tolerance, {"mode": mode, "eps": 1e-2, **running})


def torchs_batch_norm(x, gamma, beta, mode, running_mean, running_var):
    running = running_mean.clone(), running_var.clone()
    return functional.batch_norm(x, *running, gamma, beta, training=mode == "train", eps=1e-2)


def test_running_averages_come_close_to_the_truth_and_testing_leaves_them():
    (x,) = normal(0, torch.float64, (200, 50, 3))
    x = 3 * x + 5
    param = {"mode": "train"}
    one, zero = torch.ones(3, dtype=x.dtype), torch.zeros(3, dtype=x.dtype)
    for batch in x:
        BatchNorm.forward(batch, one, zero, param)
    known = {name: param[name].clone() for name in ("running_mean", "running_var")}
    torch.testing.assert_close(known["running_mean"], 5 * one, rtol=0.1, atol=0)
    torch.testing.assert_close(known["running_var"], 9 * one, rtol=0.2, atol=0)
    out, _ = BatchNorm.forward(x[0], one, zero, {**param, "mode": "test"})
    torch.testing.assert_close(out, (x[0] - known["running_mean"]) / (known["running_var"] + 1e-5).sqrt())
    for name, value in known.items():
        assert torch.equal(param[name], value)


@given(n=st.integers(1, 5), d=st.integers(2, 9), seed=st.integers(0, 2**32))
@dtypes
def test_layer_norm_agrees_with_torch(dtype, tolerance, n, d, seed):
    x, gamma, beta = normal(seed, dtype, (n, d), (d,), (d,))
    agrees(
        LayerNorm,
        (x, gamma, beta),
        lambda x, gamma, beta: functional.layer_norm(x, (d,), gamma, beta, 1e-2),
        tolerance,
        {"eps": 1e-2},
    )


@given(n=st.integers(1, 4), G=st.integers(1, 3), each=st.integers(1, 3), seed=st.integers(0, 2**32))
@dtypes
def test_group_and_instance_norm_agree_with_torch(dtype, tolerance, n, G, each, seed):
    C = G * each
    x, gamma, beta = normal(seed, dtype, (n, C, 3, 4), (1, C, 1, 1), (1, C, 1, 1))
    for layer, groups, rest in ((GroupNorm, G, (G,)), (InstanceNorm, C, ())):

        def oracle(x, gamma, beta, groups=groups):
            return functional.group_norm(x, groups, gamma.flatten(), beta.flatten(), 1e-2)

        agrees(layer, (x, gamma, beta), oracle, tolerance, *rest, {"eps": 1e-2})


def test_groups_must_divide_the_channels():
    x, gamma, beta = normal(0, torch.float32, (2, 5, 3, 4), (1, 5, 1, 1), (1, 5, 1, 1))
    with pytest.raises(ValueError, match="5 channels"):
        GroupNorm.forward(x, gamma, beta, 2, {})


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_the_net_is_right_by_finite_differences(normalization):
    torch.manual_seed(0)
    settings = {"weight_scale": 0.4, "seed": 3, "dtype": torch.float64, "normalization": normalization}
    net = NormalizedNet((5, 6), 8, 4, dropout=0.3, reg=0.1, **settings)
    X, y = torch.randn(7, 2, 4, dtype=torch.float64), torch.arange(7) % 4
    net.params = {name: p + 0.1 * torch.randn_like(p) for name, p in net.params.items()}  # off the kinks
    _, grads = net.loss(X, y)
    assert grads.keys() == net.params.keys()
    for name, p in net.params.items():
        numeric = compute_numeric_gradient(lambda _: net.loss(X, y)[0], p, h=1e-6)
        torch.testing.assert_close(grads[name], numeric, rtol=1e-6, atol=1e-8, msg=name)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_a_saved_net_gives_the_same_scores(normalization, tmp_path):
    nets = [NormalizedNet((5, 6), 8, 4, weight_scale=0.4, normalization=n) for n in (normalization, None)]
    X, y = torch.randn(7, 8), torch.arange(7) % 4
    nets[0].loss(X, y)
    nets[0].save(tmp_path / "net.pt")
    nets[1].load(tmp_path / "net.pt")
    torch.testing.assert_close(nets[0].loss(X), nets[1].loss(X))


@pytest.mark.parametrize("num, channels, places", [(3, 4, 5), (2, 4, 3)])
def test_the_picture_of_the_axes_counts_what_shares_a_mean(num, channels, places):
    fig, alt = figures.norm_axes(num, channels, places)
    counts = [num * places, channels * places, channels // 2 * places, places]
    hatched = [sum(bool(patch.get_hatch()) for patch in ax.patches) for ax in fig.axes]
    assert hatched == counts
    assert all(f"{count} in" in alt for count in counts)


def test_the_picture_of_the_graph_has_every_way_to_the_output():
    fig, alt = figures.batch_norm_graph()
    written = {text.get_text().partition("\n")[0] for text in fig.axes[0].texts}
    assert {"x", "mean", "centred", "var", "std", "x_hat", "out"} <= written
    assert "3 ways" in alt
