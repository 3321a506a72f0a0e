"""Attention and the parts of a transformer against torch's layers and the published formulas."""

import math

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch import nn
from torch.nn import functional

from exercise_code.attention import layers, scaled_dot, self_attention
from exercise_code.transformer.masks import get_subsequent_mask

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-10)])
SIZES = {name: st.integers(1, 6) for name in ("N", "K", "S", "M", "V")} | {"seed": st.integers(0, 99)}
typed = jaxtyped(typechecker=beartype)


def draw(*shape, seed, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def three(N, K, S, M, V, seed, dtype):
    return tuple(
        draw(N, *shape, seed=seed + i, dtype=dtype) for i, shape in enumerate(((K, M), (S, M), (S, V)))
    )


def some_hidden(N, K, S, seed):
    """A mask in which every query sees at least one key."""
    hidden = draw(N, K, S, seed=seed) > 0
    hidden[..., 0] &= ~hidden.all(dim=-1)
    return hidden


@DTYPES
@settings(max_examples=20)
@given(**SIZES)
def test_all_three_ways_are_torchs(dtype, tolerance, N, K, S, M, V, seed):
    given = three(N, K, S, M, V, seed, dtype)
    expected = functional.scaled_dot_product_attention(*given)
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(typed(scaled_dot.scaled_dot_product_two_loop_batch)(*given), expected, **close)
    first = typed(scaled_dot.scaled_dot_product_two_loop_single)(*(each[0] for each in given))
    torch.testing.assert_close(first, expected[0], **close)
    y, weights = typed(scaled_dot.scaled_dot_product_no_loop_batch)(*given)
    torch.testing.assert_close(y, expected, **close)
    torch.testing.assert_close(weights @ given[2], expected, **close)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(N, K, dtype=dtype))


@DTYPES
@settings(max_examples=20)
@given(**SIZES)
def test_masks_hide_as_torchs_do(dtype, tolerance, N, K, S, M, V, seed):
    given, hidden = three(N, K, S, M, V, seed, dtype), some_hidden(N, K, S, seed)
    expected = functional.scaled_dot_product_attention(*given, attn_mask=~hidden)
    y, weights = scaled_dot.scaled_dot_product_no_loop_batch(*given, hidden)
    torch.testing.assert_close(y, expected, rtol=tolerance, atol=tolerance)
    assert not weights[hidden].any()
    module = scaled_dot.ScaledDotAttention(M)
    torch.testing.assert_close(module(*given, ~hidden), expected, rtol=tolerance, atol=tolerance)
    stacked = [torch.stack([each, each.flip(0)]) for each in given]
    masks = torch.stack([~hidden, ~hidden.flip(0)])
    expected = functional.scaled_dot_product_attention(*stacked, attn_mask=masks)
    torch.testing.assert_close(module(*stacked, masks), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("N, K", [(1, 1), (3, 5)])
def test_the_future_is_hidden(N, K):
    mask = typed(get_subsequent_mask)(torch.zeros(N, K, dtype=torch.int64))
    theirs = nn.Transformer.generate_square_subsequent_mask(K) == -math.inf
    assert mask.equal(theirs.expand(N, K, K))


def test_a_changed_future_token_changes_nothing_before_it():
    torch.manual_seed(0)
    heads = self_attention.MultiHeadAttention(3, 6, 4).double()
    x = draw(2, 5, 6, seed=1)
    mask = get_subsequent_mask(x[..., 0].long())
    changed = x.clone()
    changed[:, 3] += 1
    before, after = heads(x, x, x, mask), heads(changed, changed, changed, mask)
    assert before[:, :3].equal(after[:, :3])
    assert not torch.isclose(before[:, 3:], after[:, 3:]).all(dim=2).any()


def as_torchs(layer: layers.MultiHeadAttention) -> nn.MultiheadAttention:
    """The same weights in torch's layer."""
    E = layer.proj.in_features
    twin = nn.MultiheadAttention(E, layer.num_heads, batch_first=True, dtype=layer.proj.weight.dtype).eval()
    parts = (layer.query, layer.key, layer.value)
    with torch.no_grad():
        twin.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        twin.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        twin.out_proj.load_state_dict(layer.proj.state_dict())
    return twin


@DTYPES
@settings(max_examples=20)
@given(N=SIZES["N"], S=SIZES["K"], T=SIZES["S"], d=SIZES["M"], H=st.integers(1, 4), seed=SIZES["seed"])
def test_many_heads_are_torchs(dtype, tolerance, N, S, T, d, H, seed):
    torch.manual_seed(seed)
    layer, E = layers.MultiHeadAttention(d * H, H).to(dtype).eval(), d * H
    twin = as_torchs(layer)
    query, key, value = (draw(N, n, E, seed=seed + i, dtype=dtype) for i, n in enumerate((S, T, T)))
    seen = ~some_hidden(1, S, T, seed)[0]
    for mask in (None, seen):
        expected = twin(query, key, value, attn_mask=None if mask is None else ~mask)[0]
        found = layer(query, key, value, mask)
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def test_widths_that_heads_cannot_share_are_refused():
    with pytest.raises(ValueError, match="7 numbers cannot be shared evenly among 2 heads"):
        layers.MultiHeadAttention(7, 2)


@settings(max_examples=20)
@given(H=st.integers(1, 4), dim_in=st.integers(1, 7), dim_out=st.integers(1, 7))
def test_heads_have_as_many_parameters_as_the_formula_says(H, dim_in, dim_out):
    heads = self_attention.MultiHeadAttention(H, dim_in, dim_out)
    expected = H * 3 * (dim_in * dim_out + dim_out) + H * dim_out * dim_in + dim_in
    assert sum(param.numel() for param in heads.parameters()) == expected


def test_many_heads_are_heads_side_by_side():
    """One projection that is split is the same as heads with projections of their own."""
    torch.manual_seed(3)
    heads, layer = self_attention.MultiHeadAttention(2, 6, 3), layers.MultiHeadAttention(6, 2).eval()
    with torch.no_grad():
        for whole, part in ((layer.query, "q"), (layer.key, "k"), (layer.value, "v")):
            own = [getattr(head, part) for head in heads.heads]
            whole.weight.copy_(torch.cat([each.weight for each in own]))
            whole.bias.copy_(torch.cat([each.bias for each in own]))
        layer.proj.load_state_dict(heads.proj.state_dict())
    x, y = draw(2, 4, 6, seed=0).float(), draw(2, 5, 6, seed=1).float()
    torch.testing.assert_close(layer(x, y, y), heads(x, y, y))


@pytest.mark.parametrize("K, M", [(50, 8), (7, 5), (1, 1)])
def test_waves_are_the_papers(K, M):
    expected = torch.zeros(1, K, M, dtype=torch.float64)
    for n in range(K):
        for j in range(M):
            angle = n / 10000 ** (2 * (j // 2) / M)
            expected[0, n, j] = (math.cos if j % 2 else math.sin)(angle)
    found = typed(layers.position_encoding_sinusoid)(K, M)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)


def test_simple_positions_stay_below_one():
    assert typed(layers.position_encoding_simple)(4, 2).tolist() == [
        [[0.0, 0.0], [0.25, 0.25], [0.5, 0.5], [0.75, 0.75]]
    ]


def test_positions_are_saved_and_added():
    module = layers.PositionalEncoding(6, dropout=0.0, max_len=9)
    assert [*module.state_dict()] == ["pe"]
    assert not [*module.parameters()]
    x = draw(2, 4, 6, seed=0, dtype=torch.float32)
    torch.testing.assert_close(module(x) - x, layers.position_encoding_sinusoid(4, 6).expand(2, -1, -1))


@DTYPES
@settings(max_examples=20)
@given(N=SIZES["N"], K=SIZES["K"], M=st.integers(2, 7), seed=SIZES["seed"])
def test_normalisation_is_torchs(dtype, tolerance, N, K, M, seed):
    module = layers.LayerNormalization(M, epsilon=1e-3).to(dtype)
    with torch.no_grad():
        module.gamma.copy_(draw(M, seed=seed))
        module.beta.copy_(draw(M, seed=seed + 1))
    for shape in ((N, K, M), (K, M)):
        x = draw(*shape, seed=seed, dtype=dtype)
        expected = functional.layer_norm(x, (M,), module.gamma, module.beta, eps=1e-3)
        torch.testing.assert_close(module(x), expected, rtol=tolerance, atol=tolerance)


def test_feed_forward_treats_each_position_alike():
    torch.manual_seed(0)
    feed = layers.FeedForwardBlock(4, 7).double()
    x, order = draw(2, 5, 4, seed=0), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(feed(x[:, order]), feed(x)[:, order])
    twin = nn.Sequential(feed.fc1, nn.ReLU(), feed.fc2)
    torch.testing.assert_close(feed(x), twin(x))
