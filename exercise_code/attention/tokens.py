"""Text as numbers: words that stand for themselves, and numbers digit by digit."""


def generate_token_dict(vocab: list[str]) -> dict[str, int]:
    """Number the words of a vocabulary in their order: the first is 0, the last n - 1.

    Args:
        vocab: n different words.

    Returns:
        The number of each word.
    """
    ### BEGIN SOLUTION
    return {word: number for number, word in enumerate(vocab)}
    ### END SOLUTION


def preprocess_input_sequence(input_str: str, token_dict: dict[str, int], spc_tokens: list[str]) -> list[int]:
    """The tokens of a text: special words whole, everything else character by character.

    "BOS POSITIVE 07 add" has the tokens of BOS, POSITIVE, 0, 7, add.

    Args:
        input_str: words with blanks between them.
        token_dict: the number of each special word and of each character.
        spc_tokens: the special words.

    Returns:
        The numbers of the tokens, in the order of the text; blanks have none.
    """
    ### BEGIN SOLUTION
    tokens = []
    for word in input_str.split():
        tokens += [word] if word in spc_tokens else list(word)
    return [token_dict[token] for token in tokens]
    ### END SOLUTION


prepocess_input_sequence = preprocess_input_sequence
"""The same under the name that another course misspells."""
