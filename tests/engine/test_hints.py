"""When a known mistake explains a verdict, and when it had better be silent."""

import random
from dataclasses import replace

import pytest
import torch
from torch import nn

from exercise_code.linear.linear_classifier import train_linear_classifier
from exercise_code.mlp.hyperparameter_tuning import random_search_spaces_to_config
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import gather

TIES = "knn.knn_get_best_k:ties"


@pytest.fixture(scope="module")
def last_of_equals():
    """A check, what a submission did that prefers the last of equals, and the answers."""
    (check,) = (check for check in find_assignment("a01").checks if check.id == TIES)
    mistakes = [mistake for mistake in find_assignment("a01").mistakes if mistake.name == "last_on_tie"]
    answers = make_answers([check], mistakes, 0)
    with replaced(check.exercise, mistakes[0].function):
        return check, gather(check, 0), answers


@pytest.mark.parametrize(
    ("caught_by", "hint"),
    [((TIES, "another check"), "One"), (("another check",) * 2, ""), ((TIES, TIES), ""), ((TIES,), "One")],
)
def test_mistakes_that_the_evidence_does_not_tell_apart_give_no_hint(last_of_equals, caught_by, hint):
    """But the one that the check is there to catch goes before those of others."""
    check, evidence, answers = last_of_equals
    (known,) = answers.mistakes
    alike = [
        replace(known, caught_by=place, hint=text)
        for place, text in zip(caught_by, ("One", "Another"), strict=False)
    ]
    assert judge(check, evidence, answers.reference[TIES], None, alike).hint == hint


def test_errors_are_told_apart_by_the_sizes_in_them_and_not_by_their_lines(last_of_equals):
    check, _, answers = last_of_equals

    def failing(sizes: str):
        def knn_get_best_k(k_to_accuracies):
            raise RuntimeError(f"shapes cannot be multiplied ({sizes})")

        with replaced(check.exercise, knn_get_best_k):
            return gather(check, 0)

    def moved(evidence):
        for run in evidence.runs.values():
            run.error = run.error and f"{run.error} (knn.py, line 99)"
        return evidence

    verdict = judge(check, failing("3x4 and 5x6"), answers.reference[TIES], None)
    known = [
        replace(answers.mistakes[0], hint=sizes, evidence=failing(sizes), faults=[*verdict.faults])
        for sizes in ("3x4 and 5x6", "4x3 and 5x6")
    ]
    for sizes in ("3x4 and 5x6", "4x3 and 5x6"):
        assert judge(check, moved(failing(sizes)), answers.reference[TIES], None, known).hint == sizes
    assert not judge(check, failing("4x3 and 6x5"), answers.reference[TIES], None, known).hint


@pytest.fixture(scope="module")
def hint_for():
    """From an exercise and a function in its place to the hints that its checks give."""

    def hints(assignment: str, exercise: str, function) -> set[str]:
        checks = [check for check in find_assignment(assignment).checks if check.exercise == exercise]
        mistakes = [m for m in find_assignment(assignment).mistakes if m.exercise == exercise]
        answers = make_answers(checks, mistakes, 0)
        with replaced(exercise, function):
            verdicts = [
                judge(check, gather(check, 0), answers.reference[check.id], None, answers.mistakes)
                for check in checks
            ]
        return {verdict.hint for verdict in verdicts} - {""}

    return hints


def zeros(x_train, x_test):
    return x_train.new_zeros(len(x_train), len(x_test))


def test_a_constant_matches_no_mistake(hint_for):
    assert not hint_for("a01", "knn.compute_distances_two_loops", zeros)
    assert not hint_for("a01", "knn.predict_labels", lambda dists, y, k=1: y.new_zeros(dists.shape[1]))
    assert not hint_for("a01", "knn.knn_get_best_k", lambda accuracies: 0)


def gain_of_neither(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    gain = 1.5 if relu else 1
    return (gain / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


def test_under_a_law_what_is_wrong_in_part_is_not_taken_for_what_is_wrong_throughout(hint_for):
    """Both parts of the law are told, so that one too small alone is no exchange of the two."""
    name = "mlp.initializers.kaiming_initializer"
    assert not hint_for("a03", name, gain_of_neither) & {
        "The gains are exchanged: it is 2 where a ReLU follows, 1 where none does."
    }


def xavier_of_eight(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (8 / (Din + Dout)) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


def xavier_of_one(Din, Dout, *, dtype=torch.float32, device="cpu"):
    draws = torch.Generator().manual_seed(torch.randint(2**31, ()).item())
    return ((Din + Dout) ** -0.5 * torch.randn(Dout, Din, generator=draws).T).to(device, dtype)


def test_under_a_law_what_was_measured_must_agree_as_far_as_chance_allows(hint_for):
    """Other numbers of the same mistake do; what is too small by another factor is another mistake."""
    assert not hint_for("a03", "mlp.initializers.kaiming_initializer", gain_of_neither)
    name = "mlp.initializers.xavier_initializer"
    assert not hint_for("a03", name, xavier_of_eight)
    (hint,) = hint_for("a03", name, xavier_of_one)
    assert hint.startswith("The numerator is 2")


def config_of(pick):
    """Right but for which of the values in a space comes up."""

    def random_config(random_search_spaces):
        config = random_search_spaces_to_config(random_search_spaces)
        spaces = {name: values for name, (values, kind) in random_search_spaces.items() if kind == "item"}
        return config | {name: pick(values) for name, values in spaces.items()}

    return random_config


def test_under_a_law_a_hint_says_no_more_than_the_sentence(hint_for):
    """A value that never comes up is not the last one, and one that always does is not the first."""
    name = "mlp.hyperparameter_tuning.random_search_spaces_to_config"
    assert hint_for("a03", name, config_of(lambda values: values[0])) == {
        "The first item always comes: all of them are equally likely."
    }
    assert not hint_for("a03", name, config_of(lambda values: values[-1]))
    assert not hint_for("a03", name, config_of(lambda values: random.choice(values[1:])))


def keys_of(size):
    def start(self, dim_in, dim_q, dim_v):
        nn.Module.__init__(self)
        sizes = {"q": dim_q, "k": size or dim_v, "v": dim_v}
        for name, size_out in sizes.items():
            setattr(self, name, nn.Linear(dim_in, size_out))
            nn.init.xavier_uniform_(getattr(self, name).weight)
        self.weights_softmax = None

    return start


def test_under_a_law_a_hint_is_for_the_same_shape_alone(hint_for):
    name = "attention.self_attention.SelfAttention.__init__"
    (hint,) = hint_for("a07", name, keys_of(None))
    assert hint.startswith("Keys are as long as values here")
    assert not hint_for("a07", name, keys_of(1))


def silent(loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
    return train_linear_classifier(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)


def test_who_only_forgets_to_print_is_told_so(hint_for):
    assert hint_for("a02", "linear.linear_classifier.train_linear_classifier", silent) == {
        "Nothing is printed with verbose=True: show the loss every 100 steps."
    }
