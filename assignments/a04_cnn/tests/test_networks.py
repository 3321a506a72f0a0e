"""Networks and architectures, against torch and published counts."""

import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from scipy import stats
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from assignments.a04_cnn import figures
from exercise_code.cnn import architectures as arch
from exercise_code.cnn import convolutional_networks as cnn
from exercise_code.mlp.solver import Solver
from exercise_code.support.notebook.numeric_gradient import compute_numeric_gradient, rel_error

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 2e-4), (torch.float64, 1e-9)])


def typed(function):
    return jaxtyped(typechecker=beartype)(function)


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("K, fan_in", [(None, 30), (1, 30), (5, 750)])
@pytest.mark.parametrize("relu, gain", [(True, 2), (False, 1)])
def test_kaiming_is_normal_with_variance_gain_over_fan_in(K, fan_in, relu, gain):
    torch.manual_seed(0)
    weights = typed(cnn.kaiming_initializer)(30, 70, K, relu, "cpu", torch.float64)
    assert weights.shape == ((30, 70) if K is None else (70, 30, K, K))
    assert stats.kstest(weights.flatten(), "norm", (0, (gain / fan_in) ** 0.5)).pvalue > 1e-4


def agrees(net, scores, X, y, tolerance):
    """Loss and gradients are those of autograd through the same network made of torch's functions."""
    leaves = {name: p.clone().requires_grad_() for name, p in net.params.items()}
    penalty = sum(leaf.square().sum() for leaf in leaves.values() if leaf.dim() > 1)
    due = functional.cross_entropy(scores(leaves), y) + net.reg * penalty
    loss, grads = typed(net.loss)(X, y)
    torch.testing.assert_close(loss, due.detach(), rtol=tolerance, atol=tolerance)
    assert grads.keys() == leaves.keys()
    for name, gradient in zip(leaves, torch.autograd.grad(due, list(leaves.values())), strict=True):
        torch.testing.assert_close(grads[name], gradient, rtol=tolerance, atol=tolerance)


@DTYPES
@settings(max_examples=20)
@given(
    num=st.integers(1, 4),
    sides=st.tuples(st.integers(2, 7), st.integers(2, 7)),
    kernel=st.sampled_from([1, 3, 5]),
    reg=st.sampled_from([0.0, 0.6]),
)
def test_three_layers_agree_with_torch(dtype, tolerance, num, sides, kernel, reg):
    torch.manual_seed(0)
    net = cnn.ThreeLayerConvNet((2, *sides), 3, kernel, 5, 4, weight_scale=0.5, reg=reg, dtype=dtype)
    X, y = draw(num, 2, *sides, dtype=dtype), torch.arange(num) % 4

    def scores(p):
        maps = functional.conv2d(X, p["W1"], p["b1"], padding=kernel // 2).relu()
        hidden = functional.max_pool2d(maps, 2).flatten(1) @ p["W2"] + p["b2"]
        return hidden.relu() @ p["W3"] + p["b3"]

    torch.testing.assert_close(net.loss(X), scores(net.params), rtol=tolerance, atol=tolerance)
    agrees(net, scores, X, y, tolerance)


@DTYPES
@settings(max_examples=20)
@given(
    filters=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    pools=st.sets(st.integers(0, 2)),
    batchnorm=st.booleans(),
)
def test_any_depth_agrees_with_torch(dtype, tolerance, filters, pools, batchnorm):
    torch.manual_seed(0)
    pools = {place for place in pools if place < len(filters)}
    net = cnn.DeepConvNet(
        (2, 9, 12), filters, pools, batchnorm, 4, weight_scale="kaiming", reg=0.2, dtype=dtype
    )
    X, y = draw(5, 2, 9, 12, dtype=dtype), torch.arange(5) % 4

    def scores(p, training=True):
        maps = X
        for layer in range(1, len(filters) + 1):
            maps = functional.conv2d(maps, p[f"W{layer}"], p[f"b{layer}"], padding=1)
            if batchnorm:
                memory = net.bn_params[layer - 1]
                running = (None, None) if training else (memory["running_mean"], memory["running_var"])
                maps = functional.batch_norm(
                    maps, *running, p[f"gamma{layer}"], p[f"beta{layer}"], training=training
                )
            maps = maps.relu()
            maps = functional.max_pool2d(maps, 2) if layer - 1 in pools else maps
        return maps.flatten(1) @ p[f"W{len(filters) + 1}"] + p[f"b{len(filters) + 1}"]

    agrees(net, scores, X, y, 10 * tolerance)
    expected = scores(net.params, training=False)
    torch.testing.assert_close(net.loss(X), expected, rtol=10 * tolerance, atol=10 * tolerance)


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(0)
    net = cnn.DeepConvNet((2, 5, 6), (3, 2), (1,), True, 3, "kaiming", reg=0.1, dtype=torch.float64)
    X, y = draw(4, 2, 5, 6), torch.arange(4) % 3
    _, grads = net.loss(X, y)
    for name in ("W1", "gamma1", "beta2", "W2", "W3", "b3"):
        numeric = compute_numeric_gradient(lambda _: net.loss(X, y)[0], net.params[name], h=1e-6)
        assert rel_error(grads[name], numeric) < 1e-6


def test_a_network_comes_back_as_it_was_saved(tmp_path):
    torch.manual_seed(0)
    net = cnn.DeepConvNet((3, 8, 10), (4, 5), (1,), True, 6, "kaiming", reg=0.3)
    net.mean = draw(3, 1, 1, dtype=torch.float32)
    X, y = draw(7, 3, 8, 10, dtype=torch.float32), torch.arange(7) % 6
    net.loss(X, y)
    net.save(tmp_path / "net.pt")
    for dtype in (torch.float32, torch.float64):
        other = cnn.DeepConvNet()
        other.load(tmp_path / "net.pt", dtype)
        torch.testing.assert_close(other.loss(X), net.loss(X).to(dtype), rtol=1e-4, atol=1e-4)
        assert (other.num_layers, other.max_pools, other.reg) == (3, [1], 0.3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_three_layers_come_back_as_they_were_saved(tmp_path, dtype):
    torch.manual_seed(0)
    nets = [
        cnn.ThreeLayerConvNet((2, 6, 9), 3, 5, 7, 4, weight_scale=scale, reg=reg)
        for scale, reg in ((0.3, 0.5), (0.0, 0.0))
    ]
    X, y = draw(5, 2, 6, 9, dtype=torch.float32), torch.arange(5) % 4
    nets[0].save(tmp_path / "net.pt")
    nets[1].load(tmp_path / "net.pt", dtype)
    torch.testing.assert_close(nets[1].loss(X, y)[0], nets[0].loss(X, y)[0].to(dtype), rtol=1e-5, atol=1e-5)


def test_an_initializer_of_ones_own_draws_every_weight():
    calls = []

    def noted(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
        calls.append((Din, Dout, K, relu, device, dtype))
        return cnn.kaiming_initializer(Din, Dout, K, relu, device, dtype)

    torch.manual_seed(0)
    own = cnn.DeepConvNet(
        (3, 8, 6), (4, 5), (1,), num_classes=7, weight_initializer=noted, dtype=torch.float64
    )
    torch.manual_seed(0)
    rule = cnn.DeepConvNet(
        (3, 8, 6), (4, 5), (1,), num_classes=7, weight_scale="kaiming", dtype=torch.float64
    )
    assert [call[:4] for call in calls] == [(3, 4, 3, True), (4, 5, 3, True), (60, 7, None, False)]
    assert all(call[4:] == ("cpu", torch.float64) for call in calls)
    assert all(own.params[name].equal(p) for name, p in rule.params.items())


def test_an_unknown_rule_is_refused_by_name():
    with pytest.raises(ValueError, match="no rule 'xavier': give a number or 'kaiming'"):
        cnn.DeepConvNet(weight_scale="xavier")


def test_fifty_images_are_learned_by_heart_with_our_own_layers():
    from exercise_code.support import data

    scale, rate = cnn.find_overfit_parameters()
    prepared = data.prepare("shapes", 50, 10, 1, flatten=False)
    torch.manual_seed(0)
    net = cnn.DeepConvNet((3, 32, 32), (8, 16, 32), (0, 1, 2), weight_scale=scale)
    config = {"update_rule": cnn.adam, "optim_config": {"learning_rate": rate}}
    solver = Solver(net, prepared, batch_size=10, num_epochs=20, **config)
    solver.train(return_best_params=False)
    assert solver.train_acc_history[-1] == 1


def module_of(layer, channels, size):
    kinds = {
        arch.Conv: lambda: nn.Conv2d(
            channels, layer.filters, layer.kernel, layer.stride, layer.pad, bias=layer.bias
        ),
        arch.Pool: lambda: nn.MaxPool2d(layer.kernel, layer.stride, layer.pad),
        arch.GlobalPool: lambda: nn.AdaptiveAvgPool2d(1),
        arch.Norm: lambda: nn.BatchNorm2d(channels),
        arch.Dense: lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(size, layer.units), nn.Unflatten(1, (layer.units, 1, 1))
        ),
    }
    return kinds[type(layer)]()


LAYERS = st.one_of(
    st.builds(
        arch.Conv, st.integers(1, 6), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.booleans()
    ),
    st.builds(arch.Pool, st.integers(2, 4), st.integers(1, 3), st.integers(0, 1)),
    st.just(arch.GlobalPool()),
    st.just(arch.Norm()),
    st.builds(arch.Dense, st.integers(1, 9)),
)


@settings(max_examples=40)
@given(layer=LAYERS, channels=st.integers(1, 5), sides=st.tuples(st.integers(4, 9), st.integers(4, 9)))
def test_costs_of_layers_agree_with_torch(layer, channels, sides):
    with torch.device("meta"):
        module = module_of(layer, channels, channels * math.prod(sides))
        with FlopCounterMode(display=False) as counter:
            out = module(torch.empty(2, channels, *sides))
    shape, cost = arch.layer_cost(layer, (channels, *sides))
    assert shape == tuple(out.shape[1:])
    assert cost.parameters == sum(p.numel() for p in module.parameters())
    assert 2 * cost.flops == counter.get_total_flops()
    assert cost.outputs == (0 if isinstance(layer, arch.Norm) else out[0].numel())


@pytest.mark.parametrize(
    "name, parameters, giga_products",
    [
        ("LeNet-5", 61_706, 0.0004),
        ("AlexNet", 61_100_840, 0.71),
        ("VGG-16", 138_357_544, 15.47),
        ("GoogLeNet", 6_624_904, 1.50),
        ("ResNet-18", 11_689_512, 1.81),
        ("ResNet-50", 25_557_032, 4.09),
    ],
)
def test_architectures_have_their_published_size(name, parameters, giga_products):
    """As torchvision's documentation has them, and LeCun's LeNet with every filter on all maps."""
    _, layers, shape = arch.ARCHITECTURES[name]
    end, cost = arch.network_cost(layers, shape)
    assert end == (10 if name == "LeNet-5" else 1000, 1, 1)
    assert cost.parameters == parameters
    assert cost.flops / 2e9 == pytest.approx(giga_products, abs=0.006)


@given(
    layers=st.lists(
        st.builds(
            arch.Conv, st.just(1), st.integers(1, 4), st.integers(1, 2), st.integers(0, 1), st.just(False)
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=30)
def test_fields_and_pixel_gradients_agree_with_autograd(layers):
    field, jump = arch.receptive_field(layers)
    image = torch.zeros(1, 1, 61, 70, dtype=torch.float64, requires_grad=True)
    out = image
    for layer in layers:
        w = torch.full((1, 1, layer.kernel, layer.kernel), layer.kernel**-2.0, dtype=torch.float64)
        out = functional.conv2d(out, w, stride=layer.stride, padding=layer.pad)
    row, column = out.shape[2] // 2, out.shape[3] // 2
    due, shifted = (
        torch.autograd.grad(out[0, 0, row + step, column], image, retain_graph=True)[0][0, 0]
        for step in (0, 1)
    )
    found = typed(arch.pixel_gradients)(layers, 61, 70, torch.float64)
    torch.testing.assert_close(found, due)
    rows, moved = due.any(dim=1).nonzero().flatten(), shifted.any(dim=1).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == field
    assert moved[0] - rows[0] == jump


def test_figures_say_what_they_show():
    bars = {"MLP": {"images": torch.tensor([20.0, 22.0])}, "CNN": {"images": torch.tensor([30.0, 34.0])}}
    fig, alt = figures.grouped_bars(bars, 0.1)
    assert [bar.get_height() for bar in fig.axes[0].patches] == [21, 32]
    assert "MLP on images 21 %, CNN on images 32 %" in alt
    plt.close(fig)
    fig, alt = figures.shape_chain({"image": (3, 6, 10), "scores": (5,)})
    assert alt == "One image: image 3 x 6 x 10, then scores 5"
    plt.close(fig)
    fig, alt = figures.cost_scatter({"a": (1998, 10, 100.0), "b": (2012, 20, 50.0)})
    assert alt == "Parameters and operations: a 10 and 1e+02, b 20 and 50."
    plt.close(fig)
    gradient = arch.pixel_gradients([arch.Conv(1, 3, 1, 1)] * 3, 11, 13)
    fig, alt = figures.field_maps({"3 layers": (gradient, 7)})
    assert "3 layers: 7 x 7 pixels" in alt
    plt.close(fig)
    fig, alt = figures.seen_by_one([(3, 2), (3, 1)])
    assert alt == "One output sees 3 of layer 1, 7 pixels."
    assert [len(line.get_xdata()) for line in fig.axes[0].lines if line.get_linestyle() == "None"] == [
        1,
        3,
        7,
    ]
    plt.close(fig)
    fig, alt = figures.field_widths([1, 2], {"stride 1": [3, 5], "pools": [3, 8]}, 6)
    assert [list(line.get_ydata()) for line in fig.axes[0].lines[:2]] == [[3, 5], [3, 8]]
    assert alt == "Receptive field in pixels after 2 convolutions: stride 1 5, pools 8."
    plt.close(fig)
    maps = [torch.rand(7, 4, 5), torch.zeros(6, 2, 3)]
    fig, alt = figures.feature_maps(torch.rand(3, 8, 9), maps)
    assert "layer 2, 2 x 3 pixels, 0% above 0" in alt
    assert all(np.isfinite(image.get_array()).all() for ax in fig.axes for image in ax.images)
    plt.close(fig)


def test_every_loss_is_on_the_page_however_large():
    runs = {
        name: SimpleNamespace(loss_history=[first, last])
        for name, first, last in (("large", 800.0, 100.0), ("small", 2.4, 2.2))
    }
    fig, alt = figures.loss_ends(runs)
    low, high = fig.axes[0].get_ylim()
    drawn = [value for line in fig.axes[0].lines for value in line.get_ydata()]
    assert low < min(drawn) < 2.3 and 800 in drawn and max(drawn) < high
    assert alt == "Loss at the end: large 100, small 2.2; guessing has 2.30."
    plt.close(fig)
