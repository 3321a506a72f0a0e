"""Patches, Vision Transformers and fast attention against torch's layers and operations."""

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch import nn
from torch.nn import functional

from exercise_code.attention import fast, rotary
from exercise_code.attention.layers import position_encoding_sinusoid
from exercise_code.vit import model, patch

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-9)])
SIZE = st.integers(1, 4)
GRID = {"N": SIZE, "C": SIZE, "rows": SIZE, "columns": SIZE, "p": SIZE, "seed": st.integers(0, 99)}
typed = jaxtyped(typechecker=beartype)


def draw(*shape, seed, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@settings(max_examples=40)
@given(**GRID)
def test_patches_are_unfolds(N, C, rows, columns, p, seed):
    x = draw(N, C, rows * p, columns * p, seed=seed)
    patches = typed(patch.patchify)(x, p)
    assert patches.equal(functional.unfold(x, p, stride=p).mT)
    assert typed(patch.unpatchify)(patches, p, rows * p, columns * p).equal(x)


@settings(max_examples=20)
@given(**GRID)
def test_joined_patches_are_folds(N, C, rows, columns, p, seed):
    patches = draw(N, rows * columns, C * p * p, seed=seed)
    expected = functional.fold(patches.mT, (rows * p, columns * p), p, stride=p)
    assert patch.unpatchify(patches, p, rows * p, columns * p).equal(expected)


@pytest.mark.parametrize("size", [(6, 5), (5, 6)])
def test_pictures_that_cannot_be_cut_are_refused(size):
    with pytest.raises(ValueError, match=f"{size[0]} x {size[1]} pixels cannot be cut"):
        patch.patchify(torch.zeros(1, 1, *size), 3)


@DTYPES
@settings(max_examples=20)
@given(**GRID)
def test_an_embedding_is_a_convolution(dtype, tolerance, N, C, rows, columns, p, seed):
    torch.manual_seed(seed)
    embedding = patch.PatchEmbedding((rows * p, columns * p), p, C, 5).to(dtype)
    x = draw(N, C, rows * p, columns * p, seed=seed, dtype=dtype)
    kernels = embedding.proj.weight.view(5, C, p, p)
    expected = functional.conv2d(x, kernels, embedding.proj.bias, stride=p)
    vectors, convolution = typed(embedding.forward)(x), patch.as_convolution(embedding, C)
    assert vectors.shape[1] == embedding.num_patches
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(vectors, expected.flatten(2).mT, **close)
    torch.testing.assert_close(convolution(x), expected, **close)
    assert convolution.weight.data_ptr() != embedding.proj.weight.data_ptr()


def as_torchs(layers, norm=None):
    """torch's encoder with the same weights."""
    first, E = layers[0], layers[0].self_attn.proj.in_features
    settings = {"batch_first": True, "norm_first": first.norm_first, "dtype": torch.float64}
    made = nn.TransformerEncoderLayer(
        E, first.self_attn.num_heads, first.ffn.fc1.out_features, first.dropout.p, **settings
    )
    encoder = nn.TransformerEncoder(made, len(layers), norm, enable_nested_tensor=False).eval()
    with torch.no_grad():
        for ours, theirs in zip(layers, encoder.layers, strict=True):
            parts = (ours.self_attn.query, ours.self_attn.key, ours.self_attn.value)
            theirs.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
            theirs.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
            theirs.self_attn.out_proj.load_state_dict(ours.self_attn.proj.state_dict())
            theirs.linear1.load_state_dict(ours.ffn.fc1.state_dict())
            theirs.linear2.load_state_dict(ours.ffn.fc2.state_dict())
            for norm_of_ours, norm_of_theirs in (
                (ours.norm_self, theirs.norm1),
                (ours.norm_ffn, theirs.norm2),
            ):
                norm_of_theirs.weight.copy_(norm_of_ours.gamma)
                norm_of_theirs.bias.copy_(norm_of_ours.beta)
    return encoder


def shaken(module, seed):
    """In float64, not training, with no parameter as it was made."""
    module.double().eval()
    with torch.no_grad():
        for i, param in enumerate(module.parameters()):
            param.copy_(draw(*param.shape, seed=seed + i) / param.shape[-1] ** 0.5)
    return module


SIZES = ((4, 6), 2, 3, 8, 2, 4, 5, 7)


@pytest.mark.parametrize("seed", range(3))
def test_a_vision_transformer_is_torchs(seed):
    net, x = shaken(model.VisionTransformer(*SIZES), seed), draw(3, 3, 4, 6, seed=seed)
    vectors = functional.unfold(x, 2, stride=2).mT @ net.patch_embed.proj.weight.T
    tokens = vectors + net.patch_embed.proj.bias + position_encoding_sinusoid(6, 8)
    expected = net.head(as_torchs(net.layers)(tokens).mean(dim=1))
    torch.testing.assert_close(typed(net.forward)(x), expected)


@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize("seed", range(3))
def test_a_vit_is_torchs(seed, pool):
    net, x = shaken(model.ViT(*SIZES, pool=pool), seed), draw(3, 3, 4, 6, seed=seed)
    assert net.cls.shape == (1, 1, 8) and net.pos.shape == (1, 7, 8)
    vectors = functional.unfold(x, 2, stride=2).mT @ net.patch_embed.proj.weight.T
    patches = vectors + net.patch_embed.proj.bias
    tokens = torch.cat([net.cls + net.pos[:, :1] + torch.zeros(3, 1, 8), patches + net.pos[:, 1:]], dim=1)
    norm = nn.LayerNorm(8, dtype=torch.float64)
    with torch.no_grad():
        norm.weight.copy_(net.norm.gamma)
        norm.bias.copy_(net.norm.beta)
    out = as_torchs(net.layers, norm)(tokens)
    expected = net.head(out[:, 0] if pool == "cls" else out[:, 1:].mean(dim=1))
    torch.testing.assert_close(typed(net.forward)(x), expected)


def test_a_pool_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="pool='max' is neither"):
        model.ViT(pool="max")


@pytest.mark.parametrize("make", [model.VisionTransformer, model.ViT])
def test_positions_make_the_order_of_patches_count(make):
    net, x = shaken(make(*SIZES), 0), draw(2, 3, 4, 6, seed=1)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    shuffled = patch.unpatchify(patch.patchify(x, 2)[:, order], 2, 4, 6)
    assert not torch.isclose(net(x), net(shuffled)).any()
    positions = net.pos if isinstance(net, model.ViT) else net.positional_encoding.pe
    positions.data.zero_()
    torch.testing.assert_close(net(x), net(shuffled))


LENGTHS = {name: st.integers(1, 6) for name in ("N", "K", "S", "M", "V", "block")}


@DTYPES
@settings(max_examples=30)
@given(**LENGTHS, scale=st.sampled_from([1.0, 100.0]), seed=st.integers(0, 99))
def test_blocks_change_nothing(dtype, tolerance, N, K, S, M, V, block, scale, seed):
    query, key, value = (
        draw(N, *shape, seed=seed + i, dtype=dtype) for i, shape in enumerate(((K, M), (S, M), (S, V)))
    )
    expected = functional.scaled_dot_product_attention(scale * query, key, value)
    found = typed(fast.attention_in_blocks)(scale * query, key, value, block)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * scale)


@DTYPES
@settings(max_examples=30)
@given(N=SIZE, G=SIZE, each=SIZE, S=SIZE, T=SIZE, d=SIZE, seed=st.integers(0, 99))
def test_grouped_heads_are_torchs_and_heads_with_repeated_keys(dtype, tolerance, N, G, each, S, T, d, seed):
    query = draw(N, G * each, S, d, seed=seed, dtype=dtype)
    key, value = (draw(N, G, T, d, seed=seed + i, dtype=dtype) for i in (1, 2))
    found = typed(fast.grouped_query_attention)(query, key, value)
    close = {"rtol": tolerance, "atol": tolerance}
    theirs = functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
    torch.testing.assert_close(found, theirs, **close)
    repeated = (each_of.repeat_interleave(each, dim=1) for each_of in (key, value))
    torch.testing.assert_close(found, functional.scaled_dot_product_attention(query, *repeated), **close)


def test_heads_that_do_not_share_evenly_are_refused():
    with pytest.raises(ValueError, match="5 heads cannot share 2 heads of keys evenly"):
        fast.grouped_query_attention(torch.zeros(1, 5, 2, 3), *torch.zeros(2, 1, 2, 2, 3))


@DTYPES
@settings(max_examples=30)
@given(N=SIZE, S=SIZE, pairs=SIZE, seed=st.integers(0, 99))
def test_turning_is_a_product_of_complex_numbers(dtype, tolerance, N, S, pairs, seed):
    x = draw(N, S, 2 * pairs, seed=seed, dtype=dtype)
    positions = torch.randint(0, 50, (S,), generator=torch.Generator().manual_seed(seed))
    rates = torch.tensor([10_000 ** (-i / pairs) for i in range(pairs)], dtype=torch.float64)
    turns = torch.polar(torch.ones(S, pairs, dtype=torch.float64), torch.outer(positions.double(), rates))
    expected = torch.view_as_real(torch.view_as_complex(x.double().unflatten(2, (-1, 2))) * turns).flatten(2)
    found = typed(rotary.apply_rotary)(x, positions)
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)


@given(seed=st.integers(0, 99), shift=st.integers(1, 500))
def test_scores_of_turned_vectors_depend_on_the_distance_alone(seed, shift):
    query, key = draw(5, 8, seed=seed), draw(5, 8, seed=seed + 1)
    places = torch.tensor([0, 1, 4, 7, 20])
    scores = [
        rotary.apply_rotary(query, each) @ rotary.apply_rotary(key, each).T
        for each in (places, places + shift)
    ]
    torch.testing.assert_close(*scores)
    assert rotary.apply_rotary(query, 0 * places).equal(query)
    torch.testing.assert_close(rotary.apply_rotary(query, places).norm(dim=1), query.norm(dim=1))


def test_an_odd_length_cannot_be_turned():
    with pytest.raises(ValueError, match="5 entries cannot be turned in pairs"):
        rotary.apply_rotary(torch.zeros(2, 5), torch.arange(2))
