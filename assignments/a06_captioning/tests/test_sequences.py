"""Cells, both directions, patches and letters against torch's own, and names against their rules."""

import re

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch import nn
from torch.nn import functional

from assignments.a06_captioning import names
from exercise_code.rnn import bidirectional, cells, char_lm, char_rnn, patch_seq
from exercise_code.support import data

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
SIZES = {name: st.integers(1, 5) for name in "NTDH"} | {"seed": st.integers(0, 99)}


def draw(*shape, seed, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@DTYPES
@settings(max_examples=25)
@given(**SIZES)
@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell"])
def test_a_cell_is_that_of_torch_after_load_state_dict(kind, dtype, tolerance, N, T, D, H, seed):
    twin = getattr(nn, kind)(D, H, dtype=dtype)
    cell = getattr(cells, kind)(D, H).to(dtype)
    cell.load_state_dict(twin.state_dict())
    x, h, c = draw(N, D, seed=seed, dtype=dtype), *draw(2, N, H, seed=seed + 1, dtype=dtype)
    state = (h, c) if kind == "LSTMCell" else h
    found = jaxtyped(typechecker=beartype)(type(cell).forward)(cell, x, state)
    torch.testing.assert_close(found, twin(x, state), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell"])
def test_gradients_of_a_cell_are_those_of_torch(kind):
    twin, cell = getattr(nn, kind)(3, 5).double(), getattr(cells, kind)(3, 5).double()
    cell.load_state_dict(twin.state_dict())
    x, h, c = draw(2, 3, seed=0), draw(2, 5, seed=1), draw(2, 5, seed=2)
    state = (h, c) if kind == "LSTMCell" else h
    for each in (cell, twin):
        found = each(x, state)
        (found if isinstance(found, torch.Tensor) else torch.cat(found)).square().sum().backward()
    for name, param in twin.named_parameters():
        torch.testing.assert_close(cell.get_parameter(name).grad, param.grad, rtol=1e-9, atol=1e-12)


def test_weights_are_spread_as_torchs():
    weights = cells.GRUCell(50, 100).weight_hh
    assert weights.abs().max() <= 0.1
    assert weights.std().item() == pytest.approx(nn.GRUCell(50, 100).weight_hh.std().item(), rel=0.02)


@DTYPES
@settings(max_examples=25)
@given(**SIZES)
@pytest.mark.parametrize("kind", ["RNN", "GRU"])
@pytest.mark.parametrize("started", [False, True])
def test_both_directions_are_those_of_torch(started, kind, dtype, tolerance, N, T, D, H, seed):
    twin = getattr(nn, kind)(D, H, batch_first=True, bidirectional=True, dtype=dtype)
    pair = [getattr(cells, f"{kind}Cell")(D, H).to(dtype) for _ in range(2)]
    for cell, suffix in zip(pair, ("", "_reverse"), strict=True):
        cell.load_state_dict({name: twin.get_parameter(f"{name}_l0{suffix}") for name in cell.state_dict()})
    x = draw(N, T, D, seed=seed, dtype=dtype)
    given = [draw(2, N, H, seed=seed + 1, dtype=dtype)] if started else []
    found = jaxtyped(typechecker=beartype)(bidirectional.BiRNN.forward)(bidirectional.BiRNN(*pair), x, *given)
    torch.testing.assert_close(found, twin(x, *given), rtol=tolerance, atol=tolerance)


@settings(max_examples=25)
@given(N=st.integers(1, 3), C=st.integers(1, 3), rows=st.integers(1, 4), columns=st.integers(1, 4))
@pytest.mark.parametrize("patch", [1, 2, 3])
def test_patches_are_those_of_unfold_and_fold_back(patch, N, C, rows, columns):
    x = draw(N, C, rows * patch, columns * patch, seed=rows)
    tokens = jaxtyped(typechecker=beartype)(patch_seq.image_to_patch_sequence)(x, patch)
    unfolded = functional.unfold(x, patch, stride=patch)
    assert tokens.equal(unfolded.mT)
    assert functional.fold(tokens.mT, x.shape[2:], patch, stride=patch).equal(x)


def test_the_second_patch_is_the_one_on_the_right():
    x = torch.arange(24.0).view(1, 1, 4, 6)
    tokens = patch_seq.image_to_patch_sequence(x, 2)
    assert tokens[0, :2].tolist() == [[0, 1, 6, 7], [2, 3, 8, 9]]
    with pytest.raises(ValueError, match="does not divide 4 x 6"):
        patch_seq.image_to_patch_sequence(x, 4)


@DTYPES
@pytest.mark.parametrize("bidirectional", [False, True])
def test_plain_layers_are_a_gru_of_several_layers(bidirectional, dtype, tolerance):
    net = patch_seq.PatchRNNClassifier(6, 4, 3, 5, bidirectional).to(dtype)
    width = net.embed.out_features
    twin = nn.GRU(width, 4, 3, batch_first=True, bidirectional=bidirectional, dtype=dtype)
    for number, layer in enumerate(net.layers):
        for name, param in layer.named_parameters():
            twin.get_parameter(name.replace("_l0", f"_l{number}")).data = param.data
    x = draw(2, 7, 6, seed=0, dtype=dtype)
    expected = net.head(twin(net.embed(x))[0].mean(dim=1))
    torch.testing.assert_close(net(x), expected, rtol=tolerance, atol=tolerance)


def test_layers_that_say_nothing_leave_a_residual_network_linear():
    net = patch_seq.PatchRNNClassifier(6, 4, 3, 5, bidirectional=True, residual=True).double()
    for param in net.layers.parameters():
        nn.init.zeros_(param)
    x = draw(2, 7, 6, seed=0)
    torch.testing.assert_close(net(x), net.head(net.embed(x).mean(dim=1)))
    net.residual = False
    torch.testing.assert_close(net(x), net.head.bias.expand(2, -1))


def test_letters_have_the_numbers_of_their_places():
    assert len(char_rnn.LETTERS) == 57
    assert [char_rnn.letter_to_index(ch) for ch in "azAZ '"] == [0, 25, 26, 51, 52, 56]
    with pytest.raises(ValueError):
        char_rnn.letter_to_index("é")


def test_a_line_loses_its_accents_and_has_a_one_in_each_row():
    line = char_rnn.line_to_tensor("Ślusàrski")
    assert line.shape == (9, 1, 57) and line.dtype == torch.float32
    assert line.sum(dim=2).eq(1).all()
    assert "".join(char_rnn.LETTERS[int(row.argmax())] for row in line) == "Slusarski"


@DTYPES
@settings(max_examples=25)
@given(**SIZES)
def test_a_letter_is_read_as_by_torchs_cell(dtype, tolerance, N, T, D, H, seed):
    net = char_rnn.CharRNN(D, H, T + 1).to(dtype)
    twin = nn.RNNCell(D, H, dtype=dtype)
    weights = net.u.weight, net.w.weight, net.u.bias, net.w.bias
    for param, value in zip(twin.parameters(), weights, strict=True):
        param.data = value.data
    x, h = draw(N, D, seed=seed, dtype=dtype), draw(N, H, seed=seed + 1, dtype=dtype)
    log_p, hidden = jaxtyped(typechecker=beartype)(char_rnn.CharRNN.forward)(net, x, h)
    torch.testing.assert_close(hidden, twin(x, h), rtol=tolerance, atol=tolerance)
    expected = functional.log_softmax(net.v(hidden), dim=1)
    torch.testing.assert_close(log_p, expected, rtol=tolerance, atol=tolerance)
    assert net.initHidden().equal(torch.zeros(1, H, dtype=dtype))


def test_the_best_class_has_a_name_and_a_number():
    assert char_rnn.category_from_output(torch.tensor([[-3.0, -0.1, -2.0]]), ["a", "b", "c"]) == ("b", 1)


def test_a_step_follows_the_gradient_of_cross_entropy_after_the_last_letter():
    torch.manual_seed(0)
    net = char_rnn.CharRNN(4, 3, 5).double()
    before = {name: param.detach().clone() for name, param in net.named_parameters()}
    line, right = draw(6, 1, 4, seed=1), torch.tensor([2])
    hidden = torch.zeros(1, 3, dtype=torch.float64)
    for letter in line:
        hidden = torch.tanh(net.u(letter) + net.w(hidden))
    expected = functional.cross_entropy(net.v(hidden), right)
    slopes = torch.autograd.grad(expected, [*net.parameters()])
    output, loss = char_rnn.train_step(net, torch.optim.SGD(net.parameters(), lr=0.1), right, line)
    assert loss == pytest.approx(expected.item()) and not output.requires_grad
    for (name, param), slope in zip(net.named_parameters(), slopes, strict=True):
        torch.testing.assert_close(param.detach(), before[name] - 0.1 * slope)


def test_an_untrained_model_of_letters_is_unsure_of_each():
    model = char_lm.CharLM("abcd", 8)
    nn.init.zeros_(model.head.weight)
    nn.init.zeros_(model.head.bias)
    loss = model(model.encode(["abba", "d"])).item()
    assert loss == pytest.approx((5 + 2) / 2 * torch.tensor(5.0).log().item())
    assert model.encode(["abba", "d"]).tolist() == [[4, 0, 1, 1, 0, 4], [4, 3, 4, 5, 5, 5]]


def test_steps_of_a_model_of_letters_agree_with_its_loss():
    torch.manual_seed(0)
    model = char_lm.CharLM("abcd", 8).double()
    state, total = model.start_state(), 0.0
    for read, due in zip([4, 0, 1, 3], [0, 1, 3, 4], strict=True):
        scores, state = model.step(torch.tensor([read]), state)
        total -= scores.log_softmax(dim=1)[0, due].item()
    assert model(model.encode(["abd"])).item() == pytest.approx(total)


def test_a_cold_model_writes_what_it_has_learned_by_heart_and_a_hot_one_anything():
    torch.manual_seed(0)
    model = char_lm.CharLM("abn", 16)
    rows = model.encode(["banana"])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        model(rows).backward()
        optimizer.step()
    assert char_lm.sample_text(model, "", 20, 0.1) == "banana"
    assert char_lm.sample_text(model, "bana", 20, 0.1) == "banana"
    assert char_lm.sample_text(model, "", 3, 0.1) == "ban"
    random = torch.Generator().manual_seed(0)
    hot = {char_lm.sample_text(model, "", 6, 50.0, random) for _ in range(50)}
    assert len(hot) > 30 and all(re.fullmatch("[abn]{0,6}", text) for text in hot)


def test_made_up_names_follow_the_rules_of_their_language_alone():
    made = names.made_up(200)
    assert made == names.made_up(200) and made != names.made_up(200, seed=1)
    for name, each in made.items():
        assert len({*each}) == 200 and all(map(names.LANGUAGES[name].allows, each))
    assert not names.LANGUAGES["Brenish"].allows("Zaghoum")
    allowed = [
        sum(rules.allows(name) for rules in names.LANGUAGES.values())
        for each in made.values()
        for name in each
    ]
    assert sum(count > 1 for count in allowed) < 0.1 * len(allowed)


def test_a_split_shares_no_name_within_a_language():
    train, val = names.split(names.made_up(100))
    for language in names.LANGUAGES:
        assert len(train[language]) == 80 and len(val[language]) == 20
        assert not {*train[language]} & {*val[language]}


@pytest.mark.skipif(not data.available(names.REAL), reason="the real names are not here")
def test_real_names_come_in_18_languages_without_repeats():
    real = names.real()
    assert len(real) == 18 and {"Arabic", "Vietnamese"} <= real.keys()
    assert all(len({*each}) == len(each) for each in real.values())
    assert len(real["Russian"]) > 9_000 > len(real["Korean"])
    letters = {ch for each in real.values() for name in each for ch in char_rnn.to_ascii(name)}
    assert letters <= {*char_rnn.LETTERS}
