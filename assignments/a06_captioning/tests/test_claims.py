"""Sentences of the notebooks that a run could refute, for two or three seeds."""

import pytest
import torch
from torch import nn

from assignments.a06_captioning import experiments, figures, names, sequences
from exercise_code.rnn.bidirectional import BiRNN
from exercise_code.rnn.cells import GRUCell

pytestmark = pytest.mark.deep
each_seed = pytest.mark.parametrize("seed", range(3))


@pytest.fixture
def measured(record_property):
    """Notes what was measured, for the report of the run."""
    return lambda text: record_property("measured", text)


@each_seed
def test_gates_that_start_open_recall_over_16_steps_and_half_open_ones_do_not(seed, measured):
    found = {bias: figures.recall_accuracy(16, seed, 300, bias) for bias in (0.0, 3.0)}
    measured(", ".join(f"bias {bias:.0f} {accuracy:.0%}" for bias, accuracy in found.items()))
    assert found[3.0] > 0.95 > 0.6 > found[0.0]
    assert figures.recall_accuracy(4, seed, 300) > 0.95


def test_attention_describes_things_better_and_their_relation_hardly(measured):
    train, unseen, train_features, features = experiments.prepared()
    true, things, gained = {}, {}, {}
    for cell_type in ("rnn", "lstm", "attention"):
        nets = [experiments.captioner(cell_type, train_features, train, 8, seed) for seed in range(2)]
        said = [experiments.greedy(net, features) for net in nets]
        true[cell_type] = [experiments.truth(sentences, unseen.seen) for sentences in said]
        parts = [experiments.things_and_relation(sentences, unseen.seen) for sentences in said]
        things[cell_type] = [both for both, _, _ in parts]
        gained[cell_type] = [relation - by_lot for _, relation, by_lot in parts]
        seen = experiments.truth(experiments.greedy(nets[0], train_features[:500]), train.seen[:500])
        measured(f"{cell_type}: true {true[cell_type]}, both things and their relation {parts}")
        assert seen < (33 if cell_type != "attention" else 50)
    at_second, _ = experiments.looks_at_second(nets[0], unseen, features)
    measured(f"nearer to the second thing in {at_second:.0f} %")
    neighbour = experiments.truth(experiments.nearest(features, train_features, train), unseen.seen)
    assert max(map(abs, (a - b for a, b in zip(true["rnn"], true["lstm"], strict=True)))) < 3
    assert neighbour + 5 < min(true["rnn"] + true["lstm"])
    assert min(true["attention"]) > max(true["rnn"] + true["lstm"]) + 5
    assert min(things["attention"]) > max(things["rnn"] + things["lstm"]) + 10
    assert max(max(values) for values in gained.values()) < 8


@each_seed
def test_the_symbol_to_the_right_is_known_from_both_ends_alone(seed, measured):
    torch.manual_seed(seed)
    one = sequences.next_accuracy(nn.GRU(4, 16, batch_first=True), 16, 150, seed)
    both = sequences.next_accuracy(BiRNN(GRUCell(4, 16), GRUCell(4, 16)), 32, 150, seed)
    measured(f"one end {one:.1%}, both ends {both:.1%}")
    assert one < 0.3 < 0.99 < both


@each_seed
def test_a_gate_keeps_a_symbol_over_32_steps_with_and_without_a_cell_state(seed, measured):
    gru = {bias: figures.recall_accuracy(32, seed, 300, bias, nn.GRU) for bias in (0.0, 1.0)}
    lstm = figures.recall_accuracy(32, seed, 300, 3.0)
    measured(f"GRU, bias 0 {gru[0.0]:.0%}, bias 1 {gru[1.0]:.0%}, LSTM, bias 3 {lstm:.0%}")
    assert min(gru[1.0], lstm) > 0.95


@each_seed
def test_a_reader_is_better_the_more_letters_it_has_read(seed, measured):
    train, val = names.split(names.made_up(300))
    said, right = sequences.read(sequences.train_reader(train, 6_000, seed)[0], val)
    accuracy = (said == right[:, None]).float().mean(dim=0)
    measured(f"after 1, 3 and all letters: {accuracy[0]:.1%}, {accuracy[2]:.1%}, {accuracy[-1]:.1%}")
    assert accuracy[0] < accuracy[2] < accuracy[-1] - 0.3


@each_seed
def test_temperature_trades_rules_for_variety(seed, measured):
    known, rules = names.made_up(600)["Oskvan"], names.LANGUAGES["Oskvan"]
    model = sequences.train_writer(known, 20, seed)
    allowed, different, new = [], [], []
    for temperature in (0.2, 1.0, 2.0):
        written = sequences.written(model, 200, temperature, seed)
        right = [name for name in written if rules.allows(name)]
        allowed.append(len(right) / 200)
        different.append(len({*written}) / 200)
        new.append(sum(name not in known for name in right) / 200)
    measured(f"allowed {allowed}, different {different}, allowed and new {new}, at 0.2, 1 and 2")
    assert allowed == sorted(allowed, reverse=True) and different == sorted(different)
