"""Right versions of `attention.tokens`, written otherwise."""

from exercise_code.support.checking.declare import variant

TOKENS = "attention.tokens."


@variant(f"{TOKENS}generate_token_dict")
def by_zip(vocab):
    return dict(zip(vocab, range(len(vocab)), strict=True))


@variant(f"{TOKENS}generate_token_dict")
def one_after_the_other(vocab):
    token_dict = {}
    for word in vocab:
        token_dict[word] = len(token_dict)
    return token_dict


@variant(f"{TOKENS}preprocess_input_sequence")
def number_by_number(input_str, token_dict, spc_tokens):
    numbers = []
    for word in input_str.split(" "):
        if word in spc_tokens:
            numbers.append(token_dict[word])
        else:
            numbers.extend(token_dict[sign] for sign in word)
    return numbers


@variant(f"{TOKENS}preprocess_input_sequence")
def in_one_comprehension(input_str, token_dict, spc_tokens):
    return [token_dict[t] for word in input_str.split() for t in ((word,) if word in spc_tokens else word)]
