"""Transformers for sequences against torch's layers and losses, and what must hold of any of them."""

import itertools

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch import nn
from torch.nn import functional

from exercise_code.attention import layers, tokens
from exercise_code.transformer import captioning, decoder, encoder, losses, seq2seq
from exercise_code.transformer.masks import get_subsequent_mask

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-10)])
SIZES = {name: st.integers(1, 5) for name in ("N", "K", "S")} | {"d": st.integers(2, 4)}
SIZES |= {"H": st.integers(1, 3), "seed": st.integers(0, 99)}
typed = jaxtyped(typechecker=beartype)


def draw(*shape, seed, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def shaken(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A module with norms that scale and shift, not training."""
    with torch.no_grad():
        for param in module.parameters():
            param.add_(0.3 * torch.randn_like(param))
    return module.to(dtype).eval()


def copy_attention(theirs: nn.MultiheadAttention, query, key, value, proj) -> None:
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in (query, key, value)]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in (query, key, value)]))
    theirs.out_proj.load_state_dict(proj.state_dict())


def copy_heads(theirs: nn.MultiheadAttention, ours: nn.Module) -> None:
    """From a list of heads to one projection."""
    with torch.no_grad():
        for name in ("weight", "bias"):
            parts = [getattr(getattr(head, p), name) for p in ("q", "k", "v") for head in ours.heads]
            getattr(theirs, f"in_proj_{name}").copy_(torch.cat(parts))
    theirs.out_proj.load_state_dict(ours.proj.state_dict())


def copy_rest(
    theirs: nn.Module, feed: layers.FeedForwardBlock, *norms: layers.LayerNormalization
) -> nn.Module:
    theirs.linear1.load_state_dict(feed.fc1.state_dict())
    theirs.linear2.load_state_dict(feed.fc2.state_dict())
    with torch.no_grad():
        for number, norm in enumerate(norms, start=1):
            getattr(theirs, f"norm{number}").weight.copy_(norm.gamma)
            getattr(theirs, f"norm{number}").bias.copy_(norm.beta)
    return theirs.eval()


@DTYPES
@pytest.mark.parametrize("norm_first", [False, True])
@settings(max_examples=10)
@given(**SIZES)
def test_the_encoder_layer_is_torchs(norm_first, dtype, tolerance, N, K, S, d, H, seed):
    torch.manual_seed(seed)
    ours = shaken(encoder.TransformerEncoderLayer(d * H, H, 7, 0.1, norm_first), dtype)
    theirs = nn.TransformerEncoderLayer(
        d * H, H, 7, 0.1, batch_first=True, norm_first=norm_first, dtype=dtype
    )
    attention = ours.self_attn
    copy_attention(theirs.self_attn, attention.query, attention.key, attention.value, attention.proj)
    copy_rest(theirs, ours.ffn, ours.norm_self, ours.norm_ffn)
    src, seen = draw(N, K, d * H, seed=seed, dtype=dtype), torch.ones(K, K, dtype=torch.bool).tril()
    for mask in (None, seen):
        expected = theirs(src, src_mask=None if mask is None else ~mask)
        found = typed(encoder.TransformerEncoderLayer.forward)(ours, src, mask)
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@DTYPES
@settings(max_examples=10)
@given(**SIZES)
def test_the_decoder_layer_is_torchs(dtype, tolerance, N, K, S, d, H, seed):
    torch.manual_seed(seed)
    ours = shaken(decoder.TransformerDecoderLayer(d * H, H, 7), dtype)
    theirs = nn.TransformerDecoderLayer(d * H, H, 7, batch_first=True, dtype=dtype)
    for name, part in (("self_attn", ours.self_attn), ("multihead_attn", ours.cross_attn)):
        copy_attention(getattr(theirs, name), part.query, part.key, part.value, part.proj)
    copy_rest(theirs, ours.ffn, ours.norm_self, ours.norm_cross, ours.norm_ffn)
    tgt, memory = draw(N, K, d * H, seed=seed, dtype=dtype), draw(N, S, d * H, seed=seed + 1, dtype=dtype)
    seen = torch.ones(K, K, dtype=torch.bool).tril()
    for mask in (None, seen):
        expected = theirs(tgt, memory, tgt_mask=None if mask is None else ~mask)
        found = typed(decoder.TransformerDecoderLayer.forward)(ours, tgt, memory, mask)
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@DTYPES
@settings(max_examples=10)
@given(**SIZES)
def test_blocks_are_torchs_but_for_the_dropout(dtype, tolerance, N, K, S, d, H, seed):
    torch.manual_seed(seed)
    M, options = d * H, {"batch_first": True, "layer_norm_eps": 1e-10, "dtype": dtype}
    x, enc = draw(N, K, M, seed=seed, dtype=dtype), draw(N, S, M, seed=seed + 1, dtype=dtype)
    block = shaken(encoder.EncoderBlock(H, M, 7, 0.2), dtype)
    theirs = nn.TransformerEncoderLayer(M, H, 7, **options)
    copy_heads(theirs.self_attn, block.MultiHeadBlock)
    copy_rest(theirs, block.feed_forward, block.norm1, block.norm2)
    found = typed(encoder.EncoderBlock.forward)(block, x)
    torch.testing.assert_close(found, theirs(x), rtol=tolerance, atol=tolerance)

    block = shaken(decoder.DecoderBlock(H, M, 7, 0.2), dtype)
    theirs = nn.TransformerDecoderLayer(M, H, 7, **options)
    copy_heads(theirs.self_attn, block.attention_self)
    copy_heads(theirs.multihead_attn, block.attention_cross)
    copy_rest(theirs, block.feed_forward, block.norm1, block.norm2, block.norm3)
    hidden = get_subsequent_mask(x[..., 0].long())
    found = typed(decoder.DecoderBlock.forward)(block, x, enc, hidden)
    torch.testing.assert_close(found, theirs(x, enc, tgt_mask=hidden[0]), rtol=tolerance, atol=tolerance)


def test_widths_that_heads_cannot_share_are_refused():
    for make in (encoder.EncoderBlock, decoder.DecoderBlock):
        with pytest.raises(ValueError, match="emb_dim=7"):
            make(2, 7, 5, 0.1)


def test_an_encoder_block_is_permutation_equivariant():
    torch.manual_seed(0)
    block, x = encoder.EncoderBlock(3, 6, 5, 0.1).double().eval(), draw(2, 4, 6, seed=0)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(block(x[:, order]), block(x)[:, order])


@DTYPES
@settings(max_examples=20)
@given(num=st.integers(1, 6), V=st.integers(1, 7), smoothing=st.floats(0, 1), seed=SIZES["seed"])
def test_losses_are_torchs(dtype, tolerance, num, V, smoothing, seed):
    pred = 30 * draw(num, V, seed=seed, dtype=dtype)
    ground = torch.arange(num) * seed % V
    close = {"rtol": tolerance, "atol": tolerance}
    expected = functional.cross_entropy(pred, ground, reduction="sum")
    torch.testing.assert_close(typed(losses.CrossEntropyLoss)(pred, ground), expected, **close)
    expected = functional.cross_entropy(pred, ground, reduction="sum", label_smoothing=smoothing)
    found = typed(losses.LabelSmoothingLoss)(pred, ground, smoothing)
    torch.testing.assert_close(found, expected, **close)


def test_text_becomes_tokens():
    words = ["BOS", "add", *"0123456789"]
    token_dict = tokens.generate_token_dict(words)
    assert [token_dict[word] for word in words] == [*range(12)]
    assert tokens.prepocess_input_sequence("BOS 33 add 07", token_dict, words[:2]) == [0, 5, 5, 1, 2, 9]


def transformer(seed: int = 0, **options) -> seq2seq.Transformer:
    torch.manual_seed(seed)
    return seq2seq.Transformer(2, 6, 10, 0.1, 2, 3, 9, **options).double().eval()


def test_scores_do_not_depend_on_the_future_and_depend_on_the_rest():
    model = transformer()
    ques, ans = torch.randint(9, (2, 5)), torch.randint(9, (2, 4))
    positions = draw(1, 5, 6, seed=0), draw(1, 4, 6, seed=1)
    score = lambda q, a: typed(seq2seq.Transformer.forward)(model, q, positions[0], a, positions[1])  # noqa: E731
    before = score(ques, ans).unflatten(0, (2, 3))
    for place in range(4):
        other = ans.clone()
        other[:, place] = (other[:, place] + 1) % 9
        after = score(ques, other).unflatten(0, (2, 3))
        assert after[:, :place].equal(before[:, :place])
        assert not torch.isclose(after[:, place:], before[:, place:]).all(dim=2).any()
    other = ques.clone()
    other[:, 2] = (other[:, 2] + 1) % 9
    assert not torch.isclose(score(other, ans).unflatten(0, (2, 3)), before).all(dim=2).any()


def test_greedy_answers_are_those_that_teacher_forcing_scores_best():
    model = transformer(1)
    ques, positions = torch.randint(9, (7, 5)), (draw(1, 5, 6, seed=0), draw(1, 4, 6, seed=1))
    said = typed(seq2seq.Transformer.predict)(model, ques, *positions, 3)
    assert said[:, 0].tolist() == [3] * 7
    scores = model(ques, positions[0], said, positions[1]).unflatten(0, (7, 3))
    assert scores.argmax(dim=2).equal(said[:, 1:])


def test_a_tied_weight_counts_once_and_learns_from_both_sides():
    counts = [sum(p.numel() for p in transformer(weight_tying=tied).parameters()) for tied in (False, True)]
    assert counts[0] - counts[1] == 9 * 6
    model = transformer(weight_tying=True)
    assert model.emb_layer.weight is model.decoder.proj_to_vocab.weight
    block = 2 * 2 * 6 + 6 * 10 + 10 + 10 * 6 + 6 + 4 * (6 * 6 + 6)
    assert counts[0] == 9 * 6 + 2 * block + 3 * (block + 2 * 6 + 4 * (6 * 6 + 6)) + 6 * 9 + 9


WORDS = {word: number for number, word in enumerate(("<NULL>", "<START>", "<END>", "a", "red", "ring"))}


@pytest.mark.parametrize("N", [1, 3])
def test_captions_are_greedy_and_do_not_see_the_future(N):
    torch.manual_seed(0)
    model = captioning.CaptioningTransformer(WORDS, 5, 8, num_heads=2).double().eval()
    features = draw(N, 5, seed=0)
    said = typed(captioning.CaptioningTransformer.sample)(model, features, 6)
    read = torch.cat([torch.full((N, 1), WORDS["<START>"]), said[:, :-1]], dim=1)
    scores = typed(captioning.CaptioningTransformer.forward)(model, features, read)
    assert scores.argmax(dim=2).equal(said)
    for place, word in itertools.product(range(6), (0, 4)):
        other = read.clone()
        other[:, place] = word
        assert model(features, other)[:, :place].equal(scores[:, :place])
    if N > 1:
        torch.testing.assert_close(model(features[1:2], read[1:2]), scores[1:2])
        assert not torch.isclose(model(features.flip(0), read), scores)[0].all(dim=1).any()
