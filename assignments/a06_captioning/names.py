"""Names of several languages: made up by rules, or real ones out of the registry."""

import random
import re
from dataclasses import dataclass

from exercise_code.support.data import registry

REAL = "names/by_language"


@dataclass(frozen=True)
class Language:
    """A language of made-up names.

        name     = syllable [syllable] ending
        syllable = onset vowel [coda]

    Attributes:
        onsets: beginnings of a syllable.
        vowels: its middle.
        codas: its end, if any.
        endings: of a name.
    """

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]
    endings: tuple[str, ...]

    def draw(self, source: random.Random) -> str:
        """A name, with a capital."""
        parts = []
        for _ in range(source.randint(1, 2)):
            parts += [source.choice(self.onsets), source.choice(self.vowels)]
            parts += [source.choice(self.codas)] if self.codas and source.random() < 0.5 else []
        return "".join([*parts, source.choice(self.endings)]).capitalize()

    def allows(self, name: str) -> bool:
        """Whether the rules can make this name."""
        onset, vowel, ending = map(_one_of, (self.onsets, self.vowels, self.endings))
        coda = f"{_one_of(self.codas)}?" if self.codas else ""
        return bool(re.fullmatch(f"({onset}{vowel}{coda}){{1,2}}{ending}", name.lower()))


def _one_of(parts: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(parts)})"


def _language(onsets: str, vowels: str, codas: str, endings: str) -> Language:
    return Language(*(tuple(parts.split()) for parts in (onsets, vowels, codas, endings)))


LANGUAGES = {
    "Brenish": _language("b br d g gr k th w", "a e o", "l n r", "a by en ton"),
    "Lumari": _language("l m n r s v", "a e i ia u", "", "a la o ra"),
    "Oskvan": _language("d k m st v vl z", "a e i o", "k n r sk v", "en ev ik ova"),
    "Quelline": _language("ch d f l qu v", "e é i o ou", "l n s", "a elle ier o"),
    "Taiko": _language("h k m n r s sh t y", "a e i o u", "n", "da ko o ra"),
    "Zarrakh": _language("gh j kh q r z", "a aa i u", "b kh m r", "a ah en id"),
}
"""Six made-up languages; each shares some of its endings with others."""


def made_up(num: int, seed: int = 0) -> dict[str, list[str]]:
    """Different made-up names of each language, the same for the same seed.

    Args:
        num: names of each language.
        seed: of the draws.
    """
    source = random.Random(seed)
    found = {}
    for name, language in LANGUAGES.items():
        drawn: dict[str, None] = {}
        while len(drawn) < num:
            drawn[language.draw(source)] = None
        found[name] = [*drawn]
    return found


def real() -> dict[str, list[str]]:
    """20,050 surnames of 18 languages, most of them Russian, in an order without meaning.

    Raises:
        DataError: the files cannot be had, or are damaged.
    """
    found = {}
    for file in registry.obtain(registry.find(REAL)):
        lines = registry.copies(file)[0].read_text(encoding="utf-8").split("\n")
        different = [*dict.fromkeys(line.strip() for line in lines if line.strip())]
        random.Random(file.name).shuffle(different)
        found[file.name.removesuffix(".txt")] = different
    return found


def split(names: dict[str, list[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The first four fifths of each language to train on, and the others."""
    cuts = {language: len(each) * 4 // 5 for language, each in names.items()}
    train = {language: each[: cuts[language]] for language, each in names.items()}
    return train, {language: each[cuts[language] :] for language, each in names.items()}
