"""Sentences about scenes: true of their own scene, false of most others, and read by the grammar alone."""

import pytest
import torch

from exercise_code.support.data.captions import VOCABULARY, Thing, captions, is_true, parse, things
from exercise_code.support.data.shapes import Scenes

SCENE = [
    Thing("circle", "striped", size=0.4, hue=0.0, centre=(-0.5, 0.0)),
    Thing("square", "dotted", size=0.7, hue=0.65, centre=(0.5, 0.1)),
]


@pytest.mark.parametrize("num_objects", [1, 2, 3])
def test_captions_are_true_of_their_own_scene_alone(num_objects):
    scenes = Scenes.draw("test", torch.arange(60), num_objects)
    said, seen = captions(scenes), things(scenes)
    assert all(
        is_true(sentence, scene)
        for sentences, scene in zip(said, seen, strict=True)
        for sentence in sentences
    )
    longest = [max(sentences, key=len) for sentences in said]
    others = [is_true(sentence, scene) for sentence, scene in zip(longest, seen[1:] + seen[:1], strict=True)]
    assert sum(others) < 6


def test_captions_are_several_and_of_the_vocabulary():
    said = captions(Scenes.draw("train", torch.arange(100), 2))
    assert all(len(sentences) == len({*sentences}) for sentences in said)
    assert sum(map(len, said)) > 450
    words = {word for sentences in said for sentence in sentences for word in sentence.split()}
    assert words == {*VOCABULARY}


def test_a_scene_has_its_captions_whatever_else_is_asked_for():
    scenes = Scenes.draw("val", torch.arange(20), 2)
    assert captions(scenes)[7:9] == captions(scenes[7:9])


@pytest.mark.parametrize(
    "sentence, verdict",
    [
        ("a circle", True),
        ("a small red striped circle left of a large blue dotted square", True),
        ("a square right of a circle", True),
        ("a square left of a circle", False),
        ("a circle above a square", True),
        ("a large circle", False),
        ("a blue circle", False),
        ("a dotted circle", False),
        ("a ring", False),
        ("a circle left of a circle", False),
        ("an circle", False),
        ("a red small circle", False),
        ("a circle a square", False),
        ("circle", False),
        ("a", False),
        ("", False),
        ("a circle left of", False),
        ("a circle left of a square left of a circle", False),
    ],
)
def test_every_word_counts(sentence, verdict):
    assert is_true(sentence, SCENE) == verdict


def test_at_a_border_both_words_are_right():
    (between,) = ([Thing("ring", "wavy", size=0.53, hue=0.045, centre=(0, 0))],)
    assert all(is_true(f"a {word} ring", between) for word in ("small", "large", "red"))
    assert is_true("an orange ring", between)
    assert not is_true("a yellow ring", between)


def test_what_is_read_is_what_was_said():
    descriptions, relation = parse("an orange checked ring below a small heart")
    assert [str(each) for each in descriptions] == ["an orange checked ring", "a small heart"]
    assert relation == "below"
