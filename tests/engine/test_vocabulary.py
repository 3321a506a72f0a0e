"""Sentences as rows of numbers, and back."""

from exercise_code.support.data.vocabulary import Vocabulary


def test_sentences_come_back():
    vocabulary = Vocabulary(["a", "red", "ring", "a"])
    rows = vocabulary.encode(["a red ring", "a ring", ""], length=6)
    assert rows.shape == (3, 6)
    assert vocabulary.decode(rows) == ["a red ring", "a ring", ""]
    assert [vocabulary.words[number] for number in rows[1].tolist()] == [
        *("<START>", "a", "ring", "<END>", "<NULL>", "<NULL>")
    ]


def test_what_does_not_fit_is_cut_off_and_what_is_unknown_is_marked():
    vocabulary = Vocabulary(["a", "red", "ring"])
    assert vocabulary.decode(vocabulary.encode(["a red ring"], length=3)) == ["a red"]
    assert vocabulary.decode(vocabulary.encode(["a blue ring"], length=5)) == ["a <UNK> ring"]


def test_nothing_is_read_behind_the_end():
    vocabulary = Vocabulary(["a", "ring"])
    numbers = vocabulary.word_to_idx
    rows = vocabulary.encode(["a"], length=5)
    rows[0, 3:] = numbers["ring"]
    assert vocabulary.decode(rows) == ["a"]
