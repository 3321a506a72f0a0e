"""What the notebooks try out, and what their figures say."""

import torch

from assignments.a07_transformer import experiments, figures


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_mean_by_distance_is_nadarayas_and_watsons():
    x, y, _ = experiments.measured_curve(20, 0)
    asked = torch.tensor([1.0, 6.5])
    found, weights = experiments.by_distance(asked, x, y, 0.7)
    kernel = torch.exp(-((asked[:, None] - x) ** 2) / (2 * 0.7**2))
    torch.testing.assert_close(found, (kernel * y).sum(dim=1) / kernel.sum(dim=1))
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))


def test_wishes_name_the_symbols_of_the_largest_numbers():
    items, wanted = experiments.two_wishes(50, random())
    for sequence, symbols in zip(items, wanted, strict=True):
        for wish in (0, 1):
            best = max(range(len(sequence)), key=lambda item, wish=wish: sequence[item, wish].item())
            assert sequence[best, 2:].argmax() == symbols[wish]


def test_order_is_told_by_places():
    tokens, first = experiments.in_order(50, random())
    for row, says in zip(tokens.tolist(), first.tolist(), strict=True):
        assert sorted(row) == [*range(experiments.NUM_TOKENS)]
        assert says == (row.index(0) < row.index(1))


def test_figures_say_what_they_show():
    x, y, truth = experiments.measured_curve(30, 0)
    _, alt = figures.smoothed(x, y, truth, {"the truth itself": truth})
    assert "the truth itself is off by 0.00" in alt
    _, alt = figures.runs({"one": [20.0, 30.0], "two": [90.0, 90.0]}, chance=20)
    assert alt == "right (%): one from 20 to 30 in 2 runs; two from 90 to 90 in 2 runs; guessing 20."
    seen = torch.ones(3, 3, dtype=torch.bool)
    _, alt = figures.reach({"all": seen, "causal": seen.tril()})
    assert "all: 9 of 9 pairs, 3 before the changed token" in alt
    assert "causal: 6 of 9 pairs, 0 before the changed token" in alt
    numbers = torch.arange(8).view(2, 4)
    split = {"split": numbers.unflatten(1, (2, 2)).transpose(0, 1), "view": numbers.view(2, 2, 2)}
    _, alt = figures.split_in_heads(numbers, split)
    assert alt.endswith("split: 8 of 8; view: 4 of 8.")
    largest = {"bare": torch.tensor([[0.5, 0.5], [0.75, 0.75], [1.0, 1.0]])}
    _, alt = figures.largest_weights([4, 16, 64], largest, 4)
    assert alt.endswith("even weights being 0.25. M = 16: bare 0.75.")
    _, alt = figures.weights_of(x, y, 3, torch.full((30,), 1 / 30), 9.0)
    assert "made of about 30 values" in alt
    items, weights = torch.zeros(3, 7), torch.tensor([0.1, 0.7, 0.2])
    items[1, 0] = items[2, 1] = 1.0
    _, alt = figures.looks(items, weights, 4)
    assert alt.startswith("Head 4: weight 0.70 for the item with the largest first number, 0.20 for")
    _, alt = figures.likeness(torch.tensor([0.5, 1.0, 0.2]), 1, 8)
    assert (
        alt == "M = 8: the dot product with position 1 is 1 there, and 0.50 at position 0, the next highest."
    )


def test_a_wisher_keeps_the_weights_of_each_head():
    net = experiments.wisher(2, 0, 1)
    items, _ = experiments.two_wishes(3, random())
    assert net(items).shape == (3, 2, 5)
    assert net.weights.shape == (3, 2, experiments.NUM_ITEMS)
    torch.testing.assert_close(net.weights.sum(dim=2), torch.ones(3, 2))


def test_sums_are_right_and_differ():
    words = {"POSITIVE": "", "NEGATIVE": "-", "add": "+", "subtract": "-"}
    known = experiments.sums(100_000, 0)
    assert len({*known}) == len(known) == 59_402
    for question, answer in known[:500]:
        _, sign, n, word, other, m, _ = question.split()
        _, due, result, _ = answer.split()
        value = int(f"{words[sign]}{n}"), int(f"{words[other]}{m}")
        expected = sum(value) if word == "add" else value[0] - value[1]
        assert int(f"{words[due]}{result}") == expected
    assert len(experiments.sums(100_000, 0, easy=True)) == 5_050
    assert experiments.as_tokens(known[0][:1]).shape == (1, 9)
    assert experiments.as_text(experiments.as_tokens(["BOS NEGATIVE 07 EOS"])[0]) == "NEGATIVE 0 7"


def test_tokens_reach_later_scores_alone():
    calculator = experiments.Calculator(0)
    reach = experiments.reach_of_tokens(calculator)
    assert reach.equal(torch.ones(4, 5, dtype=torch.bool).tril())
    with experiments.nothing_hidden():
        assert experiments.reach_of_tokens(calculator)[:, :4].all()
    assert experiments.reach_of_tokens(calculator).equal(reach)


def test_figures_of_sequences_say_what_they_show():
    _, alt = figures.by_layer({"sums": torch.tensor([[1.0, 2.0], [3.0, 6.0]])})
    assert alt == "Gradient of the first layer over that of the last. sums: 0.5."
    _, alt = figures.learning({"known": [3.0, 0.25]}, "epoch", "loss", logarithmic=True)
    assert alt == "loss, by epoch: known from 3 to 0.25."
    weights = torch.tensor([[0.1, 0.9], [0.7, 0.3]])
    _, alt = figures.looked_up(weights, ["3", "EOS"], ["BOS", "7"], "head 0")
    assert alt == "head 0: most of each word's weight lies for 3 at place 1 (7), EOS at place 0 (BOS)."
    shown = experiments.pictures("train", 2)
    _, alt = figures.captioned(shown.images, shown.said, [True, False])
    assert alt == f"Said of 2 pictures: {shown.said[0]} (true); {shown.said[1]} (not true)."
    assert experiments.truth(shown.said, shown) == 100
