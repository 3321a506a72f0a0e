"""Sentences about scenes of `shapes`: made, read, and held against what is to be seen.

    caption      = description [relation description]
    description  = ("a" | "an") [size] [colour] [texture] shape
    relation     = "left of" | "right of" | "above" | "below"

A word is true of an object over a range of its property, and neighbouring ranges overlap a little. Captions
are made of words that are true beyond doubt, and are judged by the wider ranges: at a border both are right.
"""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exercise_code.support.data.shapes import CLASSES, TEXTURES, Scenes

COLOURS = {
    "red": (-0.05, 0.04),
    "orange": (0.04, 0.12),
    "yellow": (0.12, 0.22),
    "green": (0.22, 0.43),
    "turquoise": (0.43, 0.56),
    "blue": (0.56, 0.72),
    "purple": (0.72, 0.85),
    "pink": (0.85, 0.95),
}
"""Ranges of hue, in turns."""
OVERLAP = 0.02
SIZES = ("small", "large")
MIDDLE = 0.53
"""Size of an object that is alone, in which small ends and large begins; several are smaller by the root."""
TEXTURE_WORDS = dict(zip(TEXTURES, ("shaded", "striped", "checked", "dotted", "wavy"), strict=True))
RELATIONS = {"left of": (0, 1), "right of": (0, -1), "above": (1, 1), "below": (1, -1)}
"""Axis (x, y), and the sign of second minus first along it."""
CLEAR = 0.25
"""Distance between two centres along an axis from which a relation is worth saying."""
LEAST_VISIBLE = 0.5
"""Share of an object that is not behind others, from which it is worth mentioning."""

VOCABULARY = (
    *("a", "an", *SIZES, *COLOURS, *TEXTURE_WORDS.values(), *CLASSES),
    *dict.fromkeys(word for relation in RELATIONS for word in relation.split()),
)


@dataclass(frozen=True)
class Thing:
    """An object of a scene in plain numbers; `size` is that of an object that is alone."""

    shape: str
    texture: str
    size: float
    hue: float
    centre: tuple[float, float]

    def has_size(self, word: str, slack: float) -> bool:
        """Whether it is small or large; a negative slack asks for more than the bare range."""
        beyond = self.size - MIDDLE
        return (beyond if word == "large" else -beyond) > -slack

    def has_colour(self, word: str, slack: float) -> bool:
        """Whether its hue lies in the range of a colour, which the slack widens."""
        low, high = COLOURS[word]
        away = (self.hue - (low + high) / 2 + 0.5) % 1 - 0.5
        return abs(away) < (high - low) / 2 + slack


@dataclass(frozen=True)
class Description:
    """What a sentence says of one object; an attribute that it leaves out is empty."""

    shape: str
    size: str = ""
    colour: str = ""
    texture: str = ""

    def __str__(self) -> str:
        words = [word for word in (self.size, self.colour, self.texture, self.shape) if word]
        return " ".join(["an" if words[0][0] in "aeiou" else "a", *words])


def things(scenes: Scenes) -> list[list[Thing]]:
    """The objects of each scene, in the order of `scenes.shape`."""
    words = [*TEXTURE_WORDS.values()]
    alone = math.sqrt(scenes.shape.shape[1])
    columns = (
        scenes.shape.tolist(),
        scenes.texture[:, 1:].tolist(),
        (scenes.size * alone).tolist(),
        scenes.hue[:, 1:].tolist(),
        scenes.centre.tolist(),
    )
    return [
        [
            Thing(CLASSES[shape], words[texture], size, hue, (x, y))
            for shape, texture, size, hue, (x, y) in rows
        ]
        for rows in (zip(*scene, strict=True) for scene in zip(*columns, strict=True))
    ]


def captions(scenes: Scenes, num: int = 5) -> list[list[str]]:
    """True sentences about each scene, the same for the same scene.

    Args:
        scenes: what is to be seen; an object that others hide by more than half is not mentioned.
        num: sentences for each scene; fewer where there is less to say.
    """
    visible = (scenes.visible_shares() >= LEAST_VISIBLE).tolist()
    found = []
    for number, (seen, shown) in enumerate(zip(things(scenes), visible, strict=True)):
        clear = [thing for thing, is_clear in zip(seen, shown, strict=True) if is_clear]
        sentences = [*dict.fromkeys(_sentences(clear))]
        random.Random(repr(scenes.hue[number, 0].item())).shuffle(sentences)
        found.append(sentences[:num])
    return found


def is_true(caption: str, scene: Sequence[Thing]) -> bool:
    """Whether a sentence follows the grammar and every word of it is true of a scene.

    A sentence with a relation is about two different objects.

    Args:
        caption: words with blanks between them.
        scene: one of `things(scenes)`.
    """
    parsed = parse(caption)
    if parsed is None:
        return False
    descriptions, relation = parsed
    return any(
        all(_fits(description, thing) for description, thing in zip(descriptions, chosen, strict=True))
        and (not relation or _gap(relation, *chosen) > 0)
        for chosen in itertools.permutations(scene, len(descriptions))
    )


def parse(caption: str) -> tuple[list[Description], str] | None:
    """The descriptions and the relation in a sentence; None where it does not follow the grammar."""
    for relation in RELATIONS:
        first, between, second = f" {caption} ".partition(f" {relation} ")
        if between:
            described = [found for part in (first, second) if (found := _description(part.split()))]
            return (described, relation) if len(described) == 2 else None
    alone = _description(caption.split())
    return ([alone], "") if alone else None


def _description(words: Sequence[str]) -> Description | None:
    if len(words) < 2 or words[-1] not in CLASSES:
        return None
    attributes, said = [*words[1:-1]], {}
    for kind, known in (("size", SIZES), ("colour", COLOURS), ("texture", TEXTURE_WORDS.values())):
        if attributes and attributes[0] in known:
            said[kind] = attributes.pop(0)
    description = Description(words[-1], **said)
    return description if str(description) == " ".join(words) else None  # the article, and nothing left over


def _sentences(scene: Sequence[Thing]) -> Iterator[str]:
    for thing in scene:
        yield from map(str, _descriptions(thing))
    for first, second in itertools.permutations(scene, 2):
        across = [abs(b - a) for a, b in zip(first.centre, second.centre, strict=True)]
        for relation, (axis, _) in RELATIONS.items():
            if _gap(relation, first, second) > max(CLEAR, across[1 - axis]):
                for one, other in zip(_descriptions(first), _descriptions(second), strict=False):
                    yield f"{one} {relation} {other}"


def _descriptions(thing: Thing) -> list[Description]:
    """All ways to describe an object by words that are true beyond doubt, the fullest first."""
    size = [word for word in SIZES if thing.has_size(word, -OVERLAP)]
    colour = [word for word in COLOURS if thing.has_colour(word, -OVERLAP)]
    choices = itertools.product([*size, ""], [*colour, ""], [thing.texture, ""])
    return [Description(thing.shape, *words) for words in choices]


def _fits(description: Description, thing: Thing) -> bool:
    return (
        thing.shape == description.shape
        and description.texture in ("", thing.texture)
        and (not description.size or thing.has_size(description.size, OVERLAP))
        and (not description.colour or thing.has_colour(description.colour, OVERLAP))
    )


def _gap(relation: str, first: Thing, second: Thing) -> float:
    axis, sign = RELATIONS[relation]
    return sign * (second.centre[axis] - first.centre[axis])
