"""Hooks, boards and processes, against what torch's own tools find."""

import copy
import itertools
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
from torch.utils.tensorboard import SummaryWriter

from assignments.a05_training import figures, processes
from exercise_code.pytorch_autograd_and_nn import train_part345
from exercise_code.support import data
from exercise_code.training import boards, hooks, parallel

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])


def drawn(*shape, dtype=torch.float32, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


# Hooks
@DTYPES
@pytest.mark.parametrize("name, layers", [("0", 1), ("4.0", 5), ("4", 5), ("6", 7)])
def test_features_are_the_outputs_of_the_first_layers(dtype, tolerance, name, layers):
    model = nn.Sequential(
        *figures.small_net(0)[:4], nn.Sequential(nn.Tanh()), nn.Flatten(), nn.Linear(256, 3)
    )
    model = model.to(dtype).eval()
    features, handle = hooks.register_feature_hook(model, name)
    for seed in (0, 1):
        x = drawn(3, 3, 16, 16, dtype=dtype, seed=seed)
        due = copy.deepcopy(model[:layers])(x)
        model(x)
        torch.testing.assert_close(features[name], due.detach(), rtol=tolerance, atol=tolerance)
    handle.remove()
    assert not model.get_submodule(name)._forward_hooks


def test_a_feature_keeps_no_graph_alive():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    features, _ = hooks.register_feature_hook(model, "1")
    model(drawn(2, 3))
    assert features["1"].grad_fn is None and not features["1"].requires_grad


@DTYPES
@settings(max_examples=10)
@given(frozen=st.sets(st.integers(0, 3)), seed=st.integers(0, 9))
def test_norms_are_those_of_autograd(dtype, tolerance, frozen, seed):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(dtype)
    for place, param in enumerate(model.parameters()):
        param.requires_grad_(place not in frozen)
    trained = {name: param for name, param in model.named_parameters() if param.requires_grad}
    norms, handles = hooks.record_gradient_norms(model)
    assert [*norms] == [*trained] and len(handles) == len(trained)
    for place in range(2 if trained else 0):
        loss = F.cross_entropy(model(drawn(5, 3, dtype=dtype, seed=seed + place)), torch.arange(5) % 2)
        due = torch.autograd.grad(loss, [*trained.values()], retain_graph=True)
        for kept in norms.values():
            del kept[place:]  # `grad` calls hooks too
        loss.backward()
        found = [kept[place] for kept in norms.values()]
        assert found == pytest.approx([grad.norm().item() for grad in due], rel=tolerance)


# Boards
def test_the_convolution_of_the_lecture_has_456_parameters():
    assert boards.count_parameters(nn.Conv2d(3, 6, 5)) == (456, 456)


@settings(max_examples=10)
@given(widths=st.lists(st.integers(1, 9), min_size=2, max_size=5), frozen=st.booleans())
def test_parameters_are_as_many_as_the_vector_of_torch_has(widths, frozen):
    model = nn.Sequential(*[nn.Linear(a, b) for a, b in itertools.pairwise(widths)])
    model[0].requires_grad_(not frozen)
    trained = (
        nn.utils.parameters_to_vector(model[int(frozen) :].parameters()).numel()
        if model[int(frozen) :]
        else 0
    )
    total = nn.utils.parameters_to_vector(model.parameters()).numel()
    assert boards.count_parameters(model) == (trained, total)


def test_what_is_written_can_be_read_back(tmp_path):
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    model(drawn(5, 3)).square().sum().backward()
    pixels = torch.zeros(2, 4, 6, 3)
    pixels[:, :2, :, 0] = 1.0  # the upper half is red
    with SummaryWriter(tmp_path) as writer:
        for step in (3, 7):
            boards.log_scalars(writer, {"loss/train": 1 / step, "loss/val": 2 / step}, step)
        boards.log_histograms(writer, model, 7)
        boards.log_images(writer, "test", pixels, 9)
    found = figures.read_board(tmp_path)
    scalars = {
        tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]
    }
    assert scalars == {
        "loss/train": [(3, pytest.approx(1 / 3)), (7, pytest.approx(1 / 7))],
        "loss/val": [(3, pytest.approx(2 / 3)), (7, pytest.approx(2 / 7))],
    }
    sizes = {
        tag: (found.Histograms(tag)[0].step, found.Histograms(tag)[0].histogram_value.num)
        for tag in found.Tags()["histograms"]
    }
    assert sizes == {
        "weights/0.weight": (7, 12),
        "weights/0.bias": (7, 4),
        "weights/1.weight": (7, 8),
        "weights/1.bias": (7, 2),
        "gradients/1.weight": (7, 8),
        "gradients/1.bias": (7, 2),
    }
    (event,) = found.Images("test")
    image = figures.decoded(event.encoded_image_string)  # both side by side
    assert (event.step, event.height, event.width) == (9, 4, 12)
    assert image.shape == (4, 12, 3)
    assert image[:2].eq(torch.tensor([255, 0, 0])).all() and image[2:].eq(0).all()


# Processes
@settings(max_examples=30)
@given(
    num_samples=st.integers(1, 20),
    world_size=st.integers(1, 9),
    seed=st.integers(0, 99),
    epoch=st.integers(0, 5),
)
def test_shares_are_those_of_torchs_sampler(num_samples, world_size, seed, epoch):
    for rank in range(world_size):
        sampler = DistributedSampler(range(num_samples), world_size, rank, shuffle=True, seed=seed)
        sampler.set_epoch(epoch)
        assert parallel.shard_indices(num_samples, rank, world_size, seed, epoch) == [*sampler]


@DTYPES
def test_means_of_shares_are_the_gradients_of_the_whole_batch(dtype, tolerance):
    x, y = drawn(12, 3, dtype=dtype), torch.arange(12) % 4
    whole = nn.Linear(3, 4).to(dtype)
    models = [copy.deepcopy(whole) for _ in range(3)]
    F.cross_entropy(whole(x), y).backward()
    for rank, model in enumerate(models):
        share = parallel.shard_indices(12, rank, 3, 0, 0)
        F.cross_entropy(model(x[share]), y[share]).backward()
    sums = [sum(grads) for grads in zip(*[[p.grad for p in m.parameters()] for m in models], strict=True)]
    for model in models:
        left = iter(sums)
        parallel.average_gradients(model, lambda grad, left=left: grad.copy_(next(left)), 3)
        for ours, due in zip(model.parameters(), whole.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, due.grad, rtol=tolerance, atol=tolerance)


@pytest.mark.slow
def test_two_processes_find_the_gradient_of_one_with_the_whole_batch():
    images, labels = (
        torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(0)),
        torch.arange(12) % 10,
    )
    for seed in range(3):
        model = processes.small_net(seed)
        F.cross_entropy(model(images), labels).backward()
        due = processes.gradient(model)
        shares = [parallel.shard_indices(12, rank, 2, seed, 0) for rank in range(2)]
        found = processes.gradients_of_processes(images, labels, shares, seed)
        for name in ("averaged", "DistributedDataParallel"):
            torch.testing.assert_close(found[name], due.expand(2, -1), rtol=1e-4, atol=1e-6)
        off = (found["on its own"] - due).norm(dim=1) / due.norm()
        assert off.min() > 0.1


# What the notebook says
@pytest.mark.slow
@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh])
def test_more_layers_fit_worse_with_sigmoids_and_better_with_tanh(activation):
    prepared = data.prepare("shapes", 200, 10, 10, flatten=False)
    x, y = figures.halved(prepared["X_train"]), prepared["y_train"]
    for seed in range(3):
        right = []
        for depth in (1, 2, 4, 10):
            net = figures.deep_net(activation, seed, depth)
            group = {"params": [*net.parameters()], "lr": 0.05}
            right.append(figures.accuracy(figures.fine_tuned(net, [group], x, y, net.train, steps=100), x, y))
        assert 65 <= right[0] <= 75
        assert right == sorted(right, reverse=activation is nn.Sigmoid)


@pytest.mark.slow
def test_ten_sigmoid_layers_do_not_learn_and_ten_tanh_layers_do():
    prepared = data.prepare("shapes", 200, 10, 10, flatten=False)
    x, y = figures.halved(prepared["X_train"]), prepared["y_train"]
    for seed in range(3):
        right = {}
        for activation in (nn.Sigmoid, nn.Tanh):
            net = figures.deep_net(activation, seed)
            norms, _ = hooks.record_gradient_norms(net)
            group = {"params": [*net.parameters()], "lr": 0.05}
            figures.fine_tuned(net, [group], x, y, net.train, steps=100)
            first, last = norms["1.weight"][0], norms["19.weight"][0]
            right[activation] = first / last, figures.accuracy(net, x, y)
        assert right[nn.Sigmoid][0] < 1e-3 and right[nn.Sigmoid][1] < 20
        assert right[nn.Tanh][0] > 0.5 and right[nn.Tanh][1] > 90


def test_an_activation_in_place_changes_what_detach_has_kept():
    for inplace in (False, True):
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=inplace))
        features, _ = hooks.register_feature_hook(net, "0")
        net(drawn(2, 3, 8, 8))
        assert features["0"].lt(0).any() != inplace


def test_bfloat16_keeps_scores_to_one_per_cent():
    for seed in range(3):
        net, x = figures.backbone_net(seed, 10).eval(), drawn(16, 3, 16, 16, seed=seed)
        with torch.no_grad():
            whole = net(x)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                half = net(x)
                assert (half.dtype, F.cross_entropy(half, torch.arange(16) % 10).dtype) == (
                    torch.bfloat16,
                    torch.float32,
                )
        assert 1e-4 < (half - whole).norm() / whole.norm() < 0.01


def test_the_order_of_addition_matters_in_float32():
    large, one = torch.tensor(1e8), torch.tensor(1.0)
    assert (large + one - large, large - large + one) == (0, 1)


@pytest.mark.slow
def test_workers_that_are_there_halve_slow_reading_and_cost_more_than_fast_reading():
    found = {}
    for ms, workers in itertools.product((0, 10), (0, 2)):
        loader = DataLoader(
            processes.SlowImages(32, ms), 8, num_workers=workers, persistent_workers=workers > 0
        )
        for epoch in range(4):
            started = time.perf_counter()
            assert len([*loader]) == 4
            found[ms, workers, epoch] = time.perf_counter() - started
    best = {key: min(found[*key, epoch] for epoch in (1, 2, 3)) for key in itertools.product((0, 10), (0, 2))}
    assert best[10, 2] < 0.8 * best[10, 0]
    assert best[0, 2] > best[0, 0]
    assert found[10, 2, 0] > best[10, 2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_trainer_ends_with_the_weights_of_ones_own_loop(seed):
    lightning = figures.lightning()
    if lightning is None:
        pytest.skip("lightning is not installed")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = figures.small_net(seed)

        def training_step(self, batch, batch_idx):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)

    images, labels = drawn(60, 3, 16, 16, seed=seed), torch.arange(60) % 10
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", **dict.fromkeys(quiet, False))
    model, net = Module(), figures.small_net(seed)
    trainer.fit(model, DataLoader(TensorDataset(images, labels), 20))
    batches = [*zip(images.split(20), labels.split(20), strict=True)]
    train_part345(net, torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), batches, epochs=3)
    first, second = (nn.utils.parameters_to_vector(each.parameters()) for each in (model, net))
    assert torch.equal(first, second)
    assert not torch.equal(first, nn.utils.parameters_to_vector(figures.small_net(seed).parameters()))
