"""The modules and the captioner against torch's layers, autograd, and all captions there are."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from assignments.a06_captioning import experiments, figures
from exercise_code.rnn import modules
from exercise_code.rnn.captioning import CELLS, CaptioningRNN, word_probabilities
from exercise_code.support.checking.evidence import leaves
from exercise_code.support.checking.metrics import METRICS
from exercise_code.support.data.captions import Thing
from exercise_code.support.data.shapes import CLASSES

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-10)])
EVERY = pytest.mark.parametrize("cell_type", CELLS)
NUMBERS = {"<START>": 0, "a": 1, "<NULL>": 2, "ring": 3, "<END>": 4, "star": 5}
SIZES = {name: st.integers(1, 5) for name in ("N", "D", "H", "height", "width")} | {
    "seed": st.integers(0, 99)
}


def draw(*shape, seed, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def model(cell_type, seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    return CaptioningRNN(NUMBERS, 4, 2, 3, cell_type).to(dtype)


def captions():
    return torch.tensor([[0, 1, 3, 4, 2, 2], [0, 1, 5, 1, 3, 4], [0, 3, 4, 2, 2, 2]])


def as_torch_has_them(weights):
    i, f, o, g = weights.chunk(4, dim=-1)
    return torch.cat([i, f, g, o], dim=-1).movedim(0, -1)


def lstm_of_torch(kind, Wx, Wh, b, **options):
    layer = kind(len(Wx), len(Wh), dtype=Wx.dtype, **options)
    weights = [as_torch_has_them(each) for each in (Wx, Wh, b)] + [torch.zeros_like(b)]
    for param, value in zip(layer.parameters(), weights, strict=True):
        param.data = value.detach().clone()
    return layer


@DTYPES
@settings(max_examples=20)
@given(**SIZES)
def test_the_lstm_is_torchs(dtype, tolerance, N, D, H, height, width, seed):
    torch.manual_seed(seed)
    lstm, T = modules.LSTM(D, H).to(dtype), width
    x, h0 = draw(N, T, D, seed=seed, dtype=dtype), draw(N, H, seed=seed, dtype=dtype)
    twin = lstm_of_torch(nn.LSTM, lstm.Wx, lstm.Wh, lstm.b, batch_first=True)
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(lstm(x, h0), twin(x, (h0[None], torch.zeros_like(h0)[None]))[0], **close)
    cell = lstm_of_torch(nn.LSTMCell, lstm.Wx, lstm.Wh, lstm.b)
    c0 = draw(N, H, seed=seed + 1, dtype=dtype)
    torch.testing.assert_close(lstm.step_forward(x[:, 0], h0, c0), cell(x[:, 0], (h0, c0)), **close)


@DTYPES
@settings(max_examples=20)
@given(**SIZES)
def test_attention_is_torchs(dtype, tolerance, N, D, H, height, width, seed):
    h, A = draw(N, H, seed=seed, dtype=dtype), draw(N, H, height, width, seed=seed + 1, dtype=dtype)
    attn, weights = modules.dot_product_attention(h, A)
    places = A.flatten(2).transpose(1, 2)
    expected = functional.scaled_dot_product_attention(h[:, None], places, places)[:, 0]
    torch.testing.assert_close(attn, expected, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(weights.sum(dim=(1, 2)), torch.ones(N, dtype=dtype))
    torch.testing.assert_close((A * weights[:, None]).sum(dim=(2, 3)), attn, rtol=tolerance, atol=tolerance)


@DTYPES
@settings(max_examples=20)
@given(**SIZES)
def test_the_attention_lstm_is_torchs_cell_with_a_wider_input(dtype, tolerance, N, D, H, height, width, seed):
    torch.manual_seed(seed)
    lstm = modules.AttentionLSTM(D, H).to(dtype)
    x, A = draw(N, 3, D, seed=seed, dtype=dtype), draw(N, H, height, width, seed=seed + 1, dtype=dtype)
    cell = lstm_of_torch(nn.LSTMCell, torch.cat([lstm.Wx, lstm.Wattn]), lstm.Wh, lstm.b)
    places = A.flatten(2).transpose(1, 2)
    h = c = places.mean(dim=1)
    states = []
    for word in x.unbind(dim=1):
        seen = functional.scaled_dot_product_attention(h[:, None], places, places)[:, 0]
        h, c = cell(torch.cat([word, seen], dim=1), (h, c))
        states.append(h)
    torch.testing.assert_close(lstm(x, A), torch.stack(states, dim=1), rtol=tolerance, atol=tolerance)


@DTYPES
def test_the_picture_is_projected_as_by_a_convolution(dtype, tolerance):
    features = draw(3, 4, 2, 5, seed=0, dtype=dtype)
    for cell_type in CELLS:
        net = model(cell_type, dtype=dtype)
        maps = functional.conv2d(features, net.W_proj.T[:, :, None, None], net.b_proj)
        expected = maps if cell_type == "attention" else maps.mean(dim=(2, 3))
        torch.testing.assert_close(net.project(features), expected, rtol=tolerance, atol=tolerance)


@DTYPES
@pytest.mark.parametrize("cell_type", ["rnn", "lstm"])
def test_gradients_by_hand_are_those_of_autograd(cell_type, dtype, tolerance):
    net, features = model(cell_type, dtype=dtype), draw(3, 4, 2, 5, seed=0, dtype=dtype)
    with torch.no_grad():
        loss, grads = net.loss(features, captions())
    by_torch = net(features, captions())
    by_torch.backward()
    torch.testing.assert_close(loss, by_torch.detach(), rtol=tolerance, atol=tolerance)
    assert grads.keys() == dict(net.named_parameters()).keys()
    for name, param in net.named_parameters():
        torch.testing.assert_close(grads[name], param.grad, rtol=tolerance, atol=tolerance)


def test_attention_has_no_gradients_by_hand():
    with pytest.raises(ValueError, match="alone"):
        model("attention").loss(draw(3, 4, 2, 5, seed=0), captions())


@EVERY
def test_the_loss_is_torchs_cross_entropy_of_words_that_count(cell_type):
    net, features = model(cell_type), draw(3, 4, 2, 5, seed=0)
    h = net.cell(net.embed(captions()[:, :-1]), net.project(features))
    scores = (h @ net.W_vocab + net.b_vocab).transpose(1, 2)
    each = functional.cross_entropy(scores, captions()[:, 1:], reduction="none", ignore_index=2)
    torch.testing.assert_close(net(features, captions()), each.sum() / 3)
    longer = functional.pad(captions(), (0, 4), value=2)
    torch.testing.assert_close(net(features, longer), net(features, captions()))


@EVERY
def test_steps_and_sequences_agree(cell_type):
    net, features = model(cell_type), draw(3, 4, 2, 5, seed=0)
    words, weights = net.sample(features, 6)
    read = torch.cat([torch.zeros(3, 1, dtype=torch.int64), words[:, :-1]], dim=1)
    scores = net.cell(net.embed(read), net.project(features)) @ net.W_vocab + net.b_vocab
    assert words.equal(scores.argmax(dim=2))
    assert net.sample(features[1:2], 6)[0].equal(words[1:2])
    if cell_type == "attention":
        torch.testing.assert_close(weights.sum(dim=(2, 3)), torch.ones(3, 6, dtype=torch.float64))
    else:
        assert weights is None


@EVERY
def test_without_a_teacher_the_model_reads_what_it_says(cell_type):
    net, features = model(cell_type), draw(3, 4, 2, 5, seed=0)
    own, _ = net.sample(features, 5)
    read = torch.cat([captions()[:, :1], own[:, :-1]], dim=1)
    scores = net.cell(net.embed(read), net.project(features)) @ net.W_vocab + net.b_vocab
    each = functional.cross_entropy(
        scores.transpose(1, 2), captions()[:, 1:], reduction="none", ignore_index=2
    )
    torch.testing.assert_close(net.unforced_loss(features, captions()), each.sum() / 3)


def log_p_of(net, features, words):
    rows = torch.tensor([[net.start, *words]])
    scores = net.cell(net.embed(rows[:, :-1]), net.project(features)) @ net.W_vocab + net.b_vocab
    return scores.log_softmax(dim=2)[0].gather(1, rows[0, 1:, None]).sum().item()


@EVERY
@pytest.mark.parametrize("seed", range(3))
def test_the_widest_beam_finds_the_best_of_all_captions(cell_type, seed):
    net, features = model(cell_type, seed), draw(1, 4, 2, 5, seed=seed)
    whole = [[net.end]]
    for first, second in itertools.product(range(6), range(6)):
        whole += [[first, second]] if first != net.end else []
    best = max(whole, key=lambda words: log_p_of(net, features, words))
    words, total = net.beam_search(features, 6, max_length=2)
    assert words == best
    assert total == pytest.approx(log_p_of(net, features, best))


@EVERY
def test_a_beam_of_one_is_greedy(cell_type):
    net, features = model(cell_type, 3), draw(1, 4, 2, 5, seed=3)
    words, total = net.beam_search(features, 1, max_length=5)
    greedy = net.sample(features, 5)[0][0].tolist()
    greedy = greedy[: greedy.index(net.end) + 1] if net.end in greedy else greedy
    assert words == greedy
    assert total == pytest.approx(log_p_of(net, features, words))


def test_temperatures_sharpen_and_flatten():
    scores = draw(4, 7, seed=0)
    torch.testing.assert_close(word_probabilities(scores), scores.softmax(dim=1))
    torch.testing.assert_close(word_probabilities(scores, 2.0), (scores / 2).softmax(dim=1))
    entropies = []
    for temperature in (0.1, 1.0, 10.0):
        p = word_probabilities(scores, temperature)
        entropies.append(-(p * p.clamp(min=1e-300).log()).sum().item())
    assert entropies == sorted(entropies)
    with pytest.raises(ValueError, match="above 0"):
        word_probabilities(scores, 0.0)


def test_drawing_is_seeded_and_cold_draws_are_greedy():
    net, features = model("lstm"), draw(3, 4, 2, 5, seed=0)
    drawn = [net.draw(features, 1.0, torch.Generator().manual_seed(4), 8) for _ in range(2)]
    assert drawn[0].equal(drawn[1])
    cold = net.draw(features, 1e-3, torch.Generator().manual_seed(4), 8)
    assert cold.equal(net.sample(features, 8)[0])


@pytest.mark.parametrize("cell_type, bar", [("rnn", 0.5), ("lstm", 0.5), ("attention", 0.5)])
def test_ten_captions_can_be_learned_by_heart(cell_type, bar):
    torch.manual_seed(0)
    net = CaptioningRNN(NUMBERS, 16, 16, 32, cell_type)
    features = draw(10, 16, 2, 3, seed=0, dtype=torch.float32)
    words = torch.randint(1, 6, (10, 5), generator=torch.Generator().manual_seed(0))
    words = functional.pad(words.where((words != 2) & (words != 4), 1), (1, 0), value=0)
    words = functional.pad(words, (0, 1), value=4)
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(150):
        loss = net(features, words)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < bar
    assert net.sample(features, 6)[0].equal(words[:, 1:])


def test_another_cell_is_refused():
    with pytest.raises(ValueError, match="rnn, lstm, attention"):
        CaptioningRNN(NUMBERS, 4, 2, 3, "gru")


def test_bleu_is_torchmetrics():
    said = ["a red ring left of a star", "a star above a large ring", "a ring below a ring"]
    references = [
        ["a ring left of a star", "a small red ring left of a yellow star"],
        ["a star above a large blue ring"],
        ["a ring below a cross", "a red ring below a cross"],
    ]
    truth = {"captions": ["\n".join(others) for others in references]}
    expected = 100 * METRICS["bleu"].measure(leaves({"captions": said}), leaves(truth))
    assert experiments.bleu(said, references) == pytest.approx(expected, rel=1e-4)
    assert experiments.bleu(["a"], [["a ring"]]) == 0


def test_pictures_have_true_captions_of_the_vocabulary_and_the_right_cells():
    shown = experiments.pictures("train", 12)
    assert shown.images.shape == (12, 3, 32, 32) and shown.cells.shape == (12, 3, 8, 8)
    which, rows = shown.rows()
    sentences = experiments.vocabulary.decode(rows)
    scenes = [shown.seen[place] for place in which.tolist()]
    assert experiments.truth(sentences, scenes) == 100
    assert rows[:, 0].eq(experiments.vocabulary.word_to_idx["<START>"]).all()
    unknown = experiments.vocabulary.word_to_idx["<UNK>"]
    assert not rows.eq(unknown).any()
    for scene, cells in zip(shown.seen, shown.cells, strict=True):
        found = {CLASSES[number - 1] for number in cells[0].unique().tolist() if number}
        assert found <= {thing.shape for thing in scene}


def test_things_and_their_relation_are_judged_apart():
    ring = Thing("ring", "dotted", 0.4, 0.0, (-0.5, 0.0))
    star = Thing("star", "dotted", 0.4, 0.0, (0.5, 0.2))
    said = ["a ring left of a star", "a ring right of a star", "a ring left of a cross", "a ring", "a a"]
    assert experiments.things_and_relation(said, [[ring, star]] * 5) == (40, 50, 50)
    assert experiments.things_and_relation(["a a"], [[ring, star]]) == (0, 0, 0)


def test_figures_say_what_they_show():
    picture, weights = torch.rand(3, 8, 8), torch.full((2, 2, 4), 0.1)
    weights[1, 1, 3] = 0.3
    _, alt = figures.attended(picture, ["a", "ring"], weights)
    assert "ring: 0.30 at row 2, column 4" in alt
    _, alt = figures.truth_bars({"rnn": [10.0, 20.0]}, 5.0, "nearest neighbour")
    assert "rnn: 15.0 % (from 10.0 to 20.0)" in alt and "5.0 %" in alt
    _, alt = figures.captioned(picture[None], ["a ring"], [False])
    assert alt == "0 of 1 sentences are true: 'a ring' is not true."
    _, alt = figures.fed(["<START>", "a", "<END>"], D=3, H=5, V=7)
    assert "2 steps" in alt
