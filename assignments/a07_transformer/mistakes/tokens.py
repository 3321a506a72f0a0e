"""How people get `attention.tokens` wrong, and the hint each mistake deserves."""

from exercise_code.support.checking.declare import mistake

NUMBERED = "attention.tokens.generate_token_dict"
READ = "attention.tokens.preprocess_input_sequence"


@mistake(NUMBERED, hint="Numbers start at 1 here; the first word is 0.")
def from_one(vocab):
    return {word: number for number, word in enumerate(vocab, start=1)}


@mistake(NUMBERED, hint="This leads from numbers to words; words are to be looked up.")
def other_way_round(vocab):
    return dict(enumerate(vocab))


@mistake(NUMBERED, hint="The words are sorted first: their numbers go by their places in the vocabulary.")
def in_alphabetical_order(vocab):
    return {word: number for number, word in enumerate(sorted(vocab))}


@mistake(NUMBERED, hint="The numbers are text here: they are int.")
def numbers_as_text(vocab):
    return {word: str(number) for number, word in enumerate(vocab)}


@mistake(READ, hint="Special words fall apart into letters: look them up whole.", raises=KeyError)
def all_in_letters(input_str, token_dict, spc_tokens):
    return [token_dict[sign] for word in input_str.split() for sign in word]


@mistake(
    READ,
    hint="Numbers are looked up whole, and are not in the vocabulary: take their characters.",
    raises=KeyError,
)
def all_in_words(input_str, token_dict, spc_tokens):
    return [token_dict[word] for word in input_str.split()]


@mistake(READ, hint="Special words get no number here: they are tokens too.")
def special_left_out(input_str, token_dict, spc_tokens):
    return [token_dict[sign] for word in input_str.split() if word not in spc_tokens for sign in word]


@mistake(READ, hint="These are the tokens themselves: return their numbers.")
def tokens_themselves(input_str, token_dict, spc_tokens):
    return [t for word in input_str.split() for t in ([word] if word in spc_tokens else word)]


@mistake(READ, hint="What comes back is a list for each word: one list of numbers is due.")
def list_of_lists(input_str, token_dict, spc_tokens):
    return [
        [token_dict[token] for token in ([word] if word in spc_tokens else word)]
        for word in input_str.split()
    ]


@mistake(READ, hint="Only the first character of a number is read.")
def first_characters(input_str, token_dict, spc_tokens):
    return [token_dict[word if word in spc_tokens else word[0]] for word in input_str.split()]


@mistake(READ, hint="A character that comes again is left out: numbers such as 33 have it twice.")
def without_repeats(input_str, token_dict, spc_tokens):
    tokens = [t for word in input_str.split() for t in ([word] if word in spc_tokens else word)]
    return [token_dict[token] for token in dict.fromkeys(tokens)]
