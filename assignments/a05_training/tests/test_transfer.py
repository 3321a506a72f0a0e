"""Gradients in parts, checkpoints, fine-tuning and the fastest run, against torch and plain formulas."""

import copy
import io
from statistics import fmean

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

from assignments.a05_training import figures
from exercise_code.support import data
from exercise_code.support.vision import torchvision
from exercise_code.training import checkpoints, fastest, finetuning, gradients

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])


def drawn(*shape, dtype=torch.float32, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def close(ours, theirs, tolerance):
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


# Gradients
@DTYPES
@settings(max_examples=10)
@given(num=st.integers(1, 9), part_size=st.integers(1, 10), before=st.booleans())
def test_parts_give_the_gradients_of_the_whole(dtype, tolerance, num, part_size, before):
    x, y = drawn(num, 3, dtype=dtype), torch.arange(num) % 4
    ours = nn.Linear(3, 4).to(dtype)
    theirs = copy.deepcopy(ours)
    for model in (ours, theirs):
        if before:
            model(x).square().sum().backward()
    found = gradients.accumulate_gradients(ours, x, y, part_size)
    loss = F.cross_entropy(theirs(x), y)
    loss.backward()
    assert found == pytest.approx(loss.item(), rel=1e-5)
    close([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()], tolerance)


@DTYPES
@settings(max_examples=10)
@given(limit=st.sampled_from([0.01, 1.0, 100.0]), seed=st.integers(0, 99))
def test_clipping_is_that_of_torch(dtype, tolerance, limit, seed):
    ours = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(1, 1)).to(dtype)
    theirs = copy.deepcopy(ours)
    for model in (ours, theirs):
        model[:2](drawn(5, 3, dtype=dtype, seed=seed)).square().sum().backward()
    before = [param.grad for param in ours[:2].parameters()]
    due = nn.utils.clip_grad_norm_(theirs.parameters(), limit)
    assert gradients.clip_grad_norm(ours.parameters(), limit).item() == pytest.approx(due.item(), rel=1e-5)
    pairs = zip(before, theirs[:2].parameters(), strict=True)
    for scaled_in_place, param in pairs:  # torch adds 1e-6 to the norm
        torch.testing.assert_close(scaled_in_place, param.grad, rtol=1e-4, atol=1e-5)


# Checkpoints
def test_names_are_those_before_data_parallel():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    wrapped = nn.DataParallel(model).state_dict()
    stripped = checkpoints.strip_module_prefix(wrapped)
    assert [*stripped] == [*model.state_dict()]
    assert [*checkpoints.strip_module_prefix(stripped)] == [*stripped]


def training(kind, seed):
    """A network with batch norm and dropout, its optimiser, scheduler and generator."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.4), nn.Linear(8, 3))
    optimizer = kind(model.parameters(), lr=0.05)
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 6)
    return model, optimizer, scheduler, torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad])
@pytest.mark.parametrize("stops", [(6,), (1, 6), (2, 3, 5, 6), (6, 6)])
def test_an_interrupted_training_ends_bit_by_bit_where_the_whole_one_does(kind, stops, tmp_path):
    x, y = drawn(11, 4), torch.arange(11) % 3

    def run(path, stops):
        losses = []
        for place, epochs in enumerate(stops):
            parts = training(kind, seed=place)
            losses += checkpoints.train_resumable(path, *parts, x, y, epochs, 4)
        return losses, parts[0].state_dict(), torch.rand(2)

    due, found = run(tmp_path / "whole.pt", (6,)), run(tmp_path / "parts.pt", stops)
    assert found[0] == due[0] and len(due[0]) == 6
    assert all(torch.equal(found[1][name], due[1][name]) for name in due[1])
    if stops[-2:] != (6, 6):
        assert torch.equal(found[2], due[2])


def test_a_checkpoint_can_be_read_where_no_code_is_trusted():
    file = io.BytesIO()
    model, optimizer, scheduler, generator = training(torch.optim.AdamW, 0)
    checkpoints.save_checkpoint(file, model, optimizer, scheduler, 4, generator)
    file.seek(0)
    found = torch.load(file, weights_only=True)
    assert {*found} == {"model", "optimizer", "scheduler", "epoch", "rng", "generator"}
    file.seek(0)
    assert checkpoints.load_checkpoint(file, model, optimizer, scheduler, generator) == 4


# Fine-tuning
@pytest.mark.parametrize("kind", ["mobilenet_v2", "resnet18", "vgg11"])
def test_heads_of_known_networks_are_replaced(kind):
    model = getattr(torchvision.models, kind)()
    head = finetuning.replace_head(model, 3)
    finetuning.freeze_backbone(model, head)
    finetuning.set_train_mode(model)
    assert {*head.parameters()} == {param for param in model.parameters() if param.requires_grad}
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    assert all(drop.training for drop in model.modules() if isinstance(drop, nn.Dropout))
    before = copy.deepcopy(model.state_dict())
    groups = finetuning.param_groups(model, head, 0.1, 0.0)
    assert groups[0]["params"] == []
    if kind != "vgg11":
        optimizer = torch.optim.SGD(groups)
        F.cross_entropy(model(drawn(4, 3, 64, 64)), torch.arange(4) % 3).backward()
        optimizer.step()
        moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        assert {name.rpartition(".")[0] for name in moved} == {
            name for name, module in model.named_modules() if module is head
        }


@given(factor=st.sampled_from([0.0, 0.1, 1.0]), frozen=st.sets(st.integers(0, 5)))
def test_groups_are_disjoint_and_complete(factor, frozen):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    for place, param in enumerate(model.parameters()):
        param.requires_grad_(place not in frozen)
    backbone, head = finetuning.param_groups(model, model[2], 0.5, factor)
    assert (backbone["lr"], head["lr"]) == (0.5 * factor, 0.5)
    found = [*backbone["params"], *head["params"]]
    assert {*map(id, found)} == {id(param) for param in model.parameters() if param.requires_grad}
    assert len({*map(id, found)}) == len(found)


# The fastest run
@DTYPES
@settings(max_examples=10)
@given(c=st.integers(1, 3), size=st.integers(1, 3), eps=st.sampled_from([1e-3, 0.1]), seed=st.integers(0, 9))
def test_whitened_patches_are_uncorrelated(dtype, tolerance, c, size, eps, seed):
    images = 0.5 + drawn(6, c, 9, 7, dtype=dtype, seed=seed).cumsum(dim=3)
    filters = fastest.patch_whitening(images, size, eps)
    assert filters.shape == (c * size**2, c, size, size)
    out = F.conv2d(images, filters).movedim(1, 0).flatten(1).double()
    covariance = torch.cov(out, correction=0).reshape(len(out), -1)
    patches = F.unfold(images, size).movedim(1, 2).flatten(0, 1).double()
    values = torch.linalg.eigvalsh(torch.cov(patches.T, correction=0).reshape(len(out), -1)).flip(0)
    due = torch.diag(values / (values + eps))
    torch.testing.assert_close(covariance, due, rtol=0, atol=500 * tolerance)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_smooth_labels_give_the_loss_of_torch(smoothing):
    scores, y = drawn(9, 5), torch.arange(9) % 4
    ours = F.cross_entropy(scores, fastest.smooth_labels(y, 5, smoothing))
    torch.testing.assert_close(ours, F.cross_entropy(scores, y, label_smoothing=smoothing))


@DTYPES
def test_flipped_scores_see_no_difference_between_mirror_images(dtype, tolerance):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(80, 2)).to(dtype)
    x = drawn(3, 3, 6, 7, dtype=dtype)
    scores = fastest.flipped_scores(model, x)
    torch.testing.assert_close(scores, fastest.flipped_scores(model, x.flip(3)), rtol=0, atol=tolerance)
    assert model.training and not scores.requires_grad


@DTYPES
@settings(max_examples=10)
@given(num_steps=st.integers(4, 20), smoothing=st.sampled_from([0.0, 0.25]))
def test_one_cycle_is_that_of_torch(dtype, tolerance, num_steps, smoothing):
    x, y = drawn(10, 3, dtype=dtype), torch.arange(10) % 4
    ours = nn.Linear(3, 4).to(dtype)
    theirs = copy.deepcopy(ours)
    losses = fastest.train_one_cycle(
        ours, x, y, num_steps, 4, 0.2, smoothing, torch.Generator().manual_seed(3)
    )
    optimizer = torch.optim.SGD(theirs.parameters(), lr=1.0, momentum=0.9, nesterov=True, weight_decay=5e-4)
    corners = [-1, num_steps // 4 - 1, num_steps // 4, num_steps]
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda t: 0.2 * np.interp(t, corners, [0, 1, 1, 0]))
    generator, parts, due = torch.Generator().manual_seed(3), [], []
    for _ in range(num_steps):
        parts = parts or [*torch.randperm(10, generator=generator)[:8].split(4)]
        places = parts.pop(0)
        loss = F.cross_entropy(theirs(x[places]), y[places], label_smoothing=smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        due.append(loss.item())
    assert losses == pytest.approx(due, rel=1e-4)
    close(ours.parameters(), theirs.parameters(), 10 * tolerance)


def test_the_network_is_small_and_whitens_first():
    net = fastest.fast_net(7)
    assert sum(param.numel() for param in net.parameters()) < 2_000_000
    assert net(drawn(2, 3, 32, 32)).shape == (2, 7)
    assert not net[0].weight.requires_grad


# What the notebook says
def test_lost_states_move_the_weights_and_complete_ones_do_not(tmp_path):
    x, y = drawn(40, 4), torch.arange(40) % 3
    for seed in range(3):
        for lost in (None, "optimizer", "scheduler", "rng", "generator"):
            whole, parts = training(torch.optim.RMSprop, seed), training(torch.optim.RMSprop, seed)
            path = tmp_path / f"{seed} {lost}.pt"
            torch.manual_seed(seed)
            checkpoints.train_resumable(tmp_path / f"{seed} {lost} whole.pt", *whole, x, y, 4, 10)
            torch.manual_seed(seed)
            checkpoints.train_resumable(path, *parts, x, y, 2, 10)
            content, fresh = torch.load(path, weights_only=True), training(torch.optim.RMSprop, 99)
            if lost:
                checkpoints.save_checkpoint(tmp_path / "fresh.pt", *fresh[:3], 0, fresh[3])
                content[lost] = torch.load(tmp_path / "fresh.pt", weights_only=True)[lost]
            torch.save(content, path)
            checkpoints.train_resumable(path, *fresh, x, y, 4, 10)
            pairs = zip(whole[0].parameters(), fresh[0].parameters(), strict=True)
            assert all(torch.equal(a, b) for a, b in pairs) == (lost is None), lost


def test_what_the_optimiser_has_seen_moves_though_it_is_frozen():
    param = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([param], lr=0.1)
    param.square().sum().backward()
    param.requires_grad_(False)
    optimizer.step()
    assert param.item() == pytest.approx(0.8)


@pytest.mark.parametrize("seed", range(3))
def test_cutting_single_numbers_turns_a_gradient(seed):
    prepared = data.prepare("shapes", 200, 10, 10, flatten=False)
    net = figures.small_net(seed)
    loss = F.cross_entropy(net(figures.halved(prepared["X_train"])), prepared["y_train"])
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss, [*net.parameters()])])
    cosines = []
    for share in (0.01, 0.1, 0.2, 0.5, 1.0):
        limit = share * gradient.abs().max()
        cosines.append(F.cosine_similarity(gradient, gradient.clamp(-limit, limit), dim=0).item())
    assert cosines == sorted(cosines) and cosines[-1] == pytest.approx(1)
    assert 0.7 < cosines[0] < 0.82 and cosines[1] < 0.95


@pytest.mark.slow
def test_a_backbone_that_knows_other_shapes_beats_a_new_network():
    """On the mean of three draws: of eight backbones, the least lead was 7, 11 and 14 points.

    Single draws of 3 or 10 images fell behind with two of them. Where numbers are rounded otherwise, it is
    another backbone.
    """
    x, y, x_test, y_test = data.load("shapes", 3_000, 1_000)
    x, x_test = figures.halved(x), figures.halved(x_test)
    known, new, unseen = y < figures.KNOWN, y >= figures.KNOWN, y_test >= figures.KNOWN
    backbone = figures.backbone_net(0, figures.KNOWN)
    draw = torch.Generator().manual_seed(0)
    fastest.train_one_cycle(backbone, x[known], y[known], 300, 50, 0.1, 0.1, draw)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    for num in (3, 10, 30):
        right = {
            kind: [
                figures.accuracy(
                    figures.adapted(backbone, x[new], y[new] - figures.KNOWN, num, seed, kind),
                    x_test[unseen],
                    y_test[unseen] - figures.KNOWN,
                )
                for seed in range(3)
            ]
            for kind in ("new", "frozen")
        }
        assert fmean(right["frozen"]) > fmean(right["new"]) + 3, (num, right)
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())


def test_arrows_say_where_they_point():
    fig, alt = figures.arrows({"gradient": (3.0, 4.0)}, 2.0)
    assert fig.axes[0].lines[1].get_xydata().tolist() == [[0, 0], [3, 4]]
    assert alt == "Limit 2: gradient (3.00, 4.00) of norm 5.00."
