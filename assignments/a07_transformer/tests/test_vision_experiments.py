"""What the fourth notebook tries out, and what its figures say."""

import torch

from assignments.a07_transformer import vision, vision_figures


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def test_reshape_alone_cuts_no_patch():
    x = torch.rand(2, 3, 8, 12, generator=random())
    due = torch.nn.functional.unfold(x, 4, stride=4).mT
    alone = vision.reshaped(x, 4)
    assert alone.shape == due.shape
    assert alone.flatten(1).equal(x.flatten(1))
    _, alt = vision_figures.cut_up(x[0], {"right": due[0], "wrong": alone[0]}, 4)
    assert alt == (
        "right: 6 of 6 tokens are patches of the picture; wrong: 0 of 6 tokens are patches of the picture."
    )


def test_weights_of_heads_are_those_of_torchs_layer():
    net, x = vision.small_vit(8), torch.rand(2, 3, 32, 32, generator=random())
    weights = vision.weights_of_heads(net, x)
    assert weights.shape == (3, 2, 4, 17, 17)
    torch.testing.assert_close(weights.sum(dim=4), torch.ones(3, 2, 4, 17))
    assert not any(each.self_attn.attn_drop._forward_pre_hooks for each in net.layers)
    ours = net.layers[0].self_attn
    theirs = torch.nn.MultiheadAttention(48, 4, batch_first=True)
    with torch.no_grad():
        parts = (ours.query, ours.key, ours.value)
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        tokens = torch.cat([net.cls.expand(2, -1, -1), net.patch_embed(x)], dim=1) + net.pos
        normed = net.layers[0].norm_self(tokens)
        _, expected = theirs(normed, normed, normed, average_attn_weights=False)
    torch.testing.assert_close(weights[0], expected)


def test_both_networks_of_the_race_have_about_as_many_parameters():
    counts = [
        sum(param.numel() for param in make().parameters()) for make in (vision.small_cnn, vision.small_vit)
    ]
    assert max(counts) < 1.25 * min(counts)


def test_memory_is_that_of_scores_and_weights():
    three = torch.randn(3, 1, 2, 5, 4, generator=random())
    expected = torch.nn.functional.scaled_dot_product_attention(*three)
    torch.testing.assert_close(vision.own_attention(*three), expected)
    _, own = vision.costs(vision.own_attention, 256)
    assert own >= 2 * 4 * 256**2 * 4 / 2**20
    _, theirs = vision.costs(torch.nn.functional.scaled_dot_product_attention, 256)
    assert theirs < 1.1 * (4 * 256 * 32 + 4 * 256) * 4 / 2**20


def test_likeness_is_a_cosine():
    vectors = torch.randn(6, 4, generator=random())
    expected = torch.nn.functional.cosine_similarity(vectors[:, None], vectors[None], dim=2)
    likeness = vision.alike(vectors)
    torch.testing.assert_close(likeness, expected)
    near = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]
    far = [(a, b) for a in (0, 1, 2) for b in (3, 4, 5) if abs(a - b + 3) >= 1]
    for found, pairs in zip(vision_figures.near_and_far(likeness, 3), (near, far), strict=True):
        assert abs(found - sum(likeness[pair].item() for pair in pairs) / len(pairs)) < 1e-5


def test_figures_of_vision_say_what_they_show():
    found = {"own": torch.tensor([[1.0, 2.0], [4.0, 8.0]]), "theirs": torch.tensor([[1.0, 1.0], [4.0, 2.0]])}
    _, alt = vision_figures.growing([256, 512], found)
    assert alt == (
        "From 256 to 512 tokens: own 4.0 times the seconds, theirs 4.0 times the seconds, "
        "own 4.0 times the MiB, theirs 2.0 times the MiB."
    )
    weights = torch.full((2, 1, 4, 4), 1 / 16)
    _, alt = vision_figures.seen_by_heads(torch.zeros(2, 3, 8, 8), weights, "layer 2")
    assert alt == "layer 2: weight on the quarter of the patches that weighs most, head 0 25%."
    _, alt = vision_figures.alike_on_the_grid(torch.eye(16), 4, 4, (0, 5), "positions")
    assert alt == "positions: cosine of neighbours 0.00, of patches far apart 0.00, in the mean."
