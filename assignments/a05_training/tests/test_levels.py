"""The three levels and residual networks, against torch's layers and functions."""

import math

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from scipy import stats
from torch import nn
from torch.nn import functional

from assignments.a05_training import figures
from exercise_code import pytorch_autograd_and_nn as levels
from exercise_code.support import data

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 2e-4), (torch.float64, 1e-9)])
SIDES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def typed(function):
    return jaxtyped(typechecker=beartype)(function)


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def drawn(module, dtype):
    """A module with parameters and running statistics that are nowhere 0 or 1."""
    for seed, param in enumerate(module.to(dtype).parameters()):
        param.data = draw(*param.shape, dtype=dtype, seed=seed) / math.sqrt(max(1, param[0].numel()))
    for name, buffer in module.named_buffers():
        if name.endswith(("mean", "var")):
            buffer.copy_(1 + draw(*buffer.shape, dtype=dtype).abs())
    return module


@DTYPES
@settings(max_examples=20)
@given(num=st.integers(1, 4), sides=SIDES)
def test_bare_tensors_agree_with_torchs_layers(dtype, tolerance, num, sides):
    height, width = sides
    twin = drawn(
        nn.Sequential(
            nn.Conv2d(2, 4, 5, padding="same"),
            nn.ReLU(),
            nn.Conv2d(4, 3, 3, padding="same"),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(3 * height * width, 5),
        ),
        dtype,
    )
    x = draw(num, 2, height, width, dtype=dtype)
    found = typed(levels.three_layer_convnet)(x, list(twin.parameters()))
    assert found.dtype == dtype
    torch.testing.assert_close(found, twin(x), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bare_parameters_are_normal_leaves(dtype):
    torch.manual_seed(0)
    params = levels.initialize_three_layer_conv_part2(dtype)
    for weights, bias, fan_in in zip(params[::2], params[1::2], (75, 288, 16 * 1024), strict=True):
        assert stats.kstest(weights.detach().flatten(), "norm", (0, (2 / fan_in) ** 0.5)).pvalue > 1e-4
        assert not bias.any()
    assert all(param.is_leaf and param.requires_grad and param.dtype == dtype for param in params)
    assert levels.three_layer_convnet(draw(2, 3, 32, 32, dtype=dtype), params).shape == (2, 10)


@DTYPES
def test_three_levels_give_the_same_scores(dtype, tolerance):
    module, _ = levels.initialize_three_layer_conv_part3()
    sequential, _ = levels.initialize_three_layer_conv_part4()
    drawn(module, dtype)
    for param, other in zip(sequential.to(dtype).parameters(), module.parameters(), strict=True):
        param.data = other.data
    x = draw(3, 3, 64, 16, dtype=dtype)
    scores = typed(module.forward)(x)
    for other in (sequential(x), levels.three_layer_convnet(x, list(module.parameters()))):
        torch.testing.assert_close(scores, other, rtol=tolerance, atol=tolerance)


def test_modules_start_as_kaiming_says():
    torch.manual_seed(0)
    net = levels.ThreeLayerConvNet(4, 11, 7, 5)
    for layer, fan_in in ((net.conv1, 100), (net.conv2, 99), (net.fc, 7 * 1024)):
        found = layer.weight.detach().flatten()
        assert stats.kstest(found, "norm", (0, (2 / fan_in) ** 0.5)).pvalue > 1e-4
        assert not layer.bias.any()


def test_optimisers_step_as_their_formulas_say():
    """Weight decay adds to the gradient; Nesterov looks one step ahead (Sutskever et al., 2013)."""
    for make, rate, momentum in (
        (levels.initialize_three_layer_conv_part3, 3e-3, 0.0),
        (levels.initialize_three_layer_conv_part4, 1e-2, 0.5),
    ):
        model, optimizer = make()
        for param in model.parameters():
            param.data, param.grad = torch.full_like(param, 2.0), torch.full_like(param, 3.0)
        velocity, w = 0.0, 2.0
        for _ in range(2):
            gradient = 3.0 + 1e-4 * w
            velocity = momentum * velocity + gradient
            w -= rate * (gradient + momentum * velocity)
            optimizer.step()
        for param in model.parameters():
            torch.testing.assert_close(param.data, torch.full_like(param, w))


def norm(maps, layer, training):
    """By `functional.batch_norm`, which leaves the layer's statistics alone."""
    running = (None, None) if training else (layer.running_mean, layer.running_var)
    return functional.batch_norm(maps, *running, layer.weight, layer.bias, training=training)


def through(layers, x, strides, training):
    """BN - ReLU - conv as often as there are strides, by torch's functions."""
    norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    for bn, conv, stride in zip(norms, convolutions, strides, strict=True):
        pad = conv.weight.shape[2] // 2
        x = functional.conv2d(norm(x, bn, training).relu(), conv.weight, conv.bias, stride, pad)
    return x


@DTYPES
@settings(max_examples=25)
@given(Cin=st.integers(1, 5), fourth=st.integers(1, 2), sides=SIDES, downsample=st.booleans())
def test_blocks_agree_with_functions(dtype, tolerance, Cin, fourth, sides, downsample):
    Cout, stride = 4 * fourth, 1 + downsample
    x = draw(3, Cin, *sides, dtype=dtype)
    for Block in (levels.PlainBlock, levels.ResidualBlock, levels.ResidualBottleneckBlock):
        block = drawn(Block(Cin, Cout, downsample), dtype)
        for training in (False, True):
            block.train(training)
            layers = [*block.modules()]
            shortcut = getattr(block, "shortcut", None)
            inside = [layer for layer in layers if layer is not shortcut]
            strides = (stride, 1, 1) if Block is levels.ResidualBottleneckBlock else (stride, 1)
            due = through(inside, x, strides, training)
            if shortcut is not None and Cin == Cout and not downsample:
                due = due + x
            elif shortcut is not None:
                due = due + functional.conv2d(x, shortcut.weight, shortcut.bias, stride)
            found = typed(block.forward)(x)
            assert found.shape[2:] == tuple(-(-side // stride) for side in sides)
            torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("Block", [levels.ResidualBlock, levels.ResidualBottleneckBlock])
def test_without_weights_a_residual_block_changes_nothing(Block):
    block, x = Block(8, 8), draw(2, 8, 5, 6, dtype=torch.float32)
    for param in block.parameters():
        nn.init.zeros_(param)
    assert block(x).equal(x)
    assert not list(block.shortcut.parameters())


@pytest.mark.parametrize(
    "block, widths, count",
    [
        (levels.ResidualBlock, (8, 16, 32), 118_074),  # as published solutions have it
        (levels.PlainBlock, (8, 16, 32), 118_074 - (8 + 1) * 16 - (16 + 1) * 32),
    ],
)
def test_parameters_of_resnet32(block, widths, count):
    first, second, third = widths
    stage_args = [(first, first, 5, False), (first, second, 5, True), (second, third, 5, True)]
    net = levels.ResNet(stage_args, block=block)
    assert sum(param.numel() for param in net.parameters()) == count


@DTYPES
@settings(max_examples=20)
@given(num=st.integers(1, 3), sides=SIDES)
def test_resnet_takes_images_of_any_size(dtype, tolerance, num, sides):
    net = drawn(levels.ResNet([(3, 3, 1, False), (3, 4, 2, True)], Cin=2, num_classes=5), dtype).eval()
    x = draw(num, 2, *sides, dtype=dtype)
    maps = functional.conv2d(x, net.cnn[0][0].weight, net.cnn[0][0].bias, padding=1).relu()
    for stage in net.cnn[1:]:
        for block in stage.net:
            maps = block(maps)
    due = functional.linear(functional.adaptive_avg_pool2d(maps, 1).flatten(1), net.fc.weight, net.fc.bias)
    torch.testing.assert_close(typed(net.forward)(x), due, rtol=tolerance, atol=tolerance)


def test_by_hand_and_by_optimiser_the_same_is_learned():
    torch.manual_seed(0)
    module, batches = (
        levels.TwoLayerFC(6, 5, 3),
        [(draw(4, 6, seed=s), torch.arange(4) % 3) for s in range(3)],
    )
    params = [param.detach().clone().requires_grad_() for param in module.double().parameters()]
    by_hand = levels.train_part2(levels.two_layer_fc, params, 0.1, batches)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    assert levels.train_part345(module, optimizer, batches) == pytest.approx(by_hand)
    for param, other in zip(params, module.parameters(), strict=True):
        torch.testing.assert_close(param, other)


def test_the_schedule_changes_the_rate_before_its_epoch():
    module, batches = levels.TwoLayerFC(6, 5, 3), [(draw(4, 6, dtype=torch.float32), torch.arange(4) % 3)]
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    levels.train_part345(module, optimizer, batches, epochs=4, learning_rate_decay=0.5, schedule=(1, 3))
    assert optimizer.param_groups[0]["lr"] == 0.25


@pytest.fixture(scope="module")
def few():
    """Thirty images of shapes, 16 x 16, and their labels."""
    prepared = data.prepare("shapes", 30, 10, 10, flatten=False)
    return figures.halved(prepared["X_train"]), prepared["y_train"]


def test_what_the_notebook_says_of_plain_and_residual_networks(few):
    nets = {
        block: [figures.learned(block, 12, *few, seed, steps=30) for seed in range(3)]
        for block in (levels.PlainBlock, levels.ResidualBlock)
    }
    plain, residual = (
        sum(figures.accuracy(net, *few, training=True) for net in row) / 3 for row in nets.values()
    )
    in_eval_mode = sum(figures.accuracy(net, *few) for net in nets[levels.ResidualBlock]) / 3
    without_last = 0.0
    for net in nets[levels.ResidualBlock]:
        with figures.without_block(net, 11):
            without_last += figures.accuracy(net, *few, training=True) / 3
    shallow = [figures.learned(levels.PlainBlock, 4, *few, seed, steps=30) for seed in range(3)]
    assert sum(figures.accuracy(net, *few, training=True) for net in shallow) / 3 > plain + 10
    for net in nets[levels.ResidualBlock]:
        before = figures.accuracy(net, *few)
        with torch.no_grad():
            for _ in range(20):
                net.train()(few[0])
        assert figures.accuracy(net, *few) > before
    assert residual > plain + 20
    assert without_last > plain + 20
    assert in_eval_mode < residual - 20


def test_gradients_explode_without_a_shortcut(few):
    plain = figures.block_gradients(levels.PlainBlock, 24, *few, seed=0)
    residual = figures.block_gradients(levels.ResidualBlock, 24, *few, seed=0)
    assert plain[1] > 300 * plain[-1]
    assert residual[1] < 30 * residual[-1]


def test_asking_for_an_accuracy_leaves_a_network_as_it_was(few):
    net = figures.learned(levels.ResidualBlock, 2, *few, seed=0, steps=2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    figures.accuracy(net, *few, training=True)
    with figures.without_block(net, 1):
        figures.accuracy(net, *few)
    assert net.training
    assert all(value.equal(before[name]) for name, value in net.state_dict().items())


def test_figures_say_what_they_show(few):
    runs = {"plain": torch.tensor([[30.0, 40.0], [50.0, 60.0]])}
    fig, alt = figures.accuracy_over("blocks", (1, 4), runs, 0.1)
    assert fig.axes[0].lines[0].get_ydata().tolist() == [35, 55]
    assert "plain: 35 ± 7 % at 1, 55 ± 7 % at 4; guessing 10 %" in alt
    fig, alt = figures.over_blocks(
        {"plain": torch.tensor([[1.0, 4.0], [1.0, 16.0]])}, "size", log=True, first=2
    )
    assert fig.axes[0].lines[-1].get_xydata().tolist() == [[2, 1], [3, 8]]
    assert alt == "size: plain from 1 at block 2 to 8 at block 3."
    _, alt = figures.blocks("bottleneck", Cin=8, Cout=12)
    assert "conv 3 x 3 to 3 channels" in alt and "shortcut (conv 1 x 1)" in alt
    _, alt = figures.map_sizes([("image", (3, 4, 5)), ("linear", (10,))])
    assert alt == "image: (3, 4, 5); linear: (10,)."
    _, alt = figures.curves({"w": [0.0, 9.0, 2.0, 3.0]}, "w")
    assert "w, it lies between 2 and 3 in the second half" in alt
