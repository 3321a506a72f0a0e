"""What is asked of `attention.tokens`."""

from exercise_code.support.checking.declare import check

TOKENS = "attention.tokens."
WORDS = ["open", "close", "left", "right"]
SIGNS = [*"0123456789abc"]


@check(f"{TOKENS}generate_token_dict", points=1)
def numbered(code, case):
    """Every word has its place in the vocabulary."""
    number = code.attention.tokens.generate_token_dict
    vocabularies = {"in some order": case.shuffled([*WORDS, *SIGNS]), "one word": ["only"]}
    return {name: number(words) for name, words in vocabularies.items()}


@check(f"{TOKENS}preprocess_input_sequence", points=2)
def taken_apart(code, case):
    """Special words alone, numbers alone, both; words of one and of several characters."""
    read = code.attention.tokens.preprocess_input_sequence
    token_dict = {word: number for number, word in enumerate(case.shuffled([*WORDS, *SIGNS]))}
    pieces = [*WORDS, *(f"{case.integer(0, 99):02d}" for _ in range(3)), "c", "0ab7"]
    texts = {
        "mixed": " ".join(case.shuffled(pieces)),
        "special words alone": "left open right",
        "characters alone": "0a1 2",
        "nothing special begins like one": "cab open abc",
    }
    return {name: list(read(text, token_dict, WORDS)) for name, text in texts.items()}
