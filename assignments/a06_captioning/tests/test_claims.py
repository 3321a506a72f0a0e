"""Sentences of the notebooks that a run could refute, for two or three seeds."""

import pytest
import torch
from torch import nn

from assignments.a06_captioning import experiments, figures, names, photographs, sequences
from exercise_code.rnn.bidirectional import BiRNN
from exercise_code.rnn.cells import GRUCell
from exercise_code.rnn.patch_seq import image_to_patch_sequence
from exercise_code.support import data

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


def as_said(net, features, width):
    """Sentences of beams of a width, and their mean number of words."""
    with torch.no_grad():
        found = [net.beam_search(each, width, experiments.LENGTH - 1)[0] for each in features.split(1)]
    return experiments.vocabulary.decode(experiments.padded(found)), sum(map(len, found)) / len(found)


@pytest.mark.parametrize("seed", range(2))
def test_variety_costs_truth_and_wide_beams_say_less(seed, measured):
    train, unseen, known, features = experiments.prepared()
    net = experiments.captioner("lstm", known, train, 8, seed)
    scenes = [scene for scene in unseen.seen[:100] for _ in range(8)]
    true, different = [], []
    for temperature in (0.1, 1.0, 2.0):
        drawn = experiments.drawn(net, features[:100], temperature, torch.Generator().manual_seed(seed), 8)
        true.append(experiments.truth([each for said in drawn for each in said], scenes))
        different.append(sum(len({*said}) for said in drawn) / 8)
    (said, length), (from_beams, shorter) = (as_said(net, features[:300], width) for width in (1, 5))
    gained = experiments.truth(from_beams, unseen.seen[:300]) - experiments.truth(said, unseen.seen[:300])
    measured(
        f"true {true}, different {different}; beams gain {gained:.1f}, {length:.1f} to {shorter:.1f} words"
    )
    assert true[0] > true[1] > 2 * true[2]
    assert different[0] < 70 < 95 < different[1] < different[2]
    assert gained > 3 and shorter < length - 0.5


@pytest.mark.skipif(not data.available("cifar10"), reason="no CIFAR-10")
@pytest.mark.parametrize("seed", range(2))
def test_eight_plain_layers_are_worse_than_two_and_residual_ones_better(seed, measured):
    images, labels, _, _ = data.load("cifar10", 5_000, 10)
    tokens = image_to_patch_sequence(4 * (images - images[:4_000].mean((0, 2, 3), keepdim=True)), 8)
    parts = ((tokens[:4_000], labels[:4_000]), (tokens[4_000:], labels[4_000:]))
    two, plain, residual = (
        sequences.patch_accuracy(*parts, depth, 5, seed, residual=kind == "residual")
        for depth, kind in ((2, "plain"), (8, "plain"), (8, "residual"))
    )
    measured(f"two layers {two:.1%}, eight {plain:.1%}, eight residual {residual:.1%}")
    assert plain + 0.04 < two < residual


@pytest.mark.parametrize("seed", range(2))
def test_features_as_they_come_give_few_sentences_and_standardised_ones_many(seed, measured):
    every = photographs.photographs()
    if every is None:
        pytest.skip("WORKBOOK_DATA names no folder with flickr8k_1000 and weights")
    raw = every.part(0, 800), every.part(800, 1_000)
    words, different, scores = photographs.vocabulary_of(raw[0]), [], []
    for train, unseen in (raw, photographs.standardised(*raw)):
        net = photographs.captioner("lstm", train, words, 8, seed)
        said = photographs.greedy(net, unseen, words)
        different.append(len({*said}))
        scores.append(experiments.bleu(said, unseen.said))
    borrowed = experiments.bleu(photographs.nearest(raw[1], raw[0]), raw[1].said)
    measured(f"different {different}, BLEU-4 {scores}, of neighbours {borrowed:.1f}")
    assert different[0] < 20 < 80 < different[1]
    assert borrowed < scores[0] + 2 < scores[1]
