"""How people get `attention.scaled_dot` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional

from exercise_code.support.checking.declare import mistake

SCALED = "attention.scaled_dot."
SINGLE = f"{SCALED}scaled_dot_product_two_loop_single"
BATCH = f"{SCALED}scaled_dot_product_two_loop_batch"
NO_LOOP = f"{SCALED}scaled_dot_product_no_loop_batch"
MODULE = f"{SCALED}ScaledDotAttention.forward"


# One sequence
def _single(query, key, value, *, scale=None, dim=1, turn=False):
    scores = torch.stack([torch.stack([q @ k for k in key]) for q in query])
    scores = scores / (key.shape[1] ** 0.5 if scale is None else scale)
    return scores.softmax(dim=dim) @ value


@mistake(SINGLE, hint="The scores are not divided: divide them by sqrt(M) before the softmax.")
def single_without_scale(query, key, value):
    return _single(query, key, value, scale=1)


@mistake(SINGLE, hint="The scores are divided by M; its square root is due.")
def single_over_m(query, key, value):
    return _single(query, key, value, scale=key.shape[1])


@mistake(SINGLE, hint="The scores are multiplied by sqrt(M); divide by it.")
def single_times_root(query, key, value):
    return _single(query, key, value, scale=key.shape[1] ** -0.5)


@mistake(SINGLE, hint="The scale is the root of the number of keys; it is sqrt(M), the length of a vector.")
def single_scaled_by_keys(query, key, value):
    return _single(query, key, value, scale=len(key) ** 0.5)


@mistake(SINGLE, hint="The scale is the root of the length of a value; it is that of a key, sqrt(M).")
def single_scaled_by_values(query, key, value):
    return _single(query, key, value, scale=value.shape[1] ** 0.5)


@mistake(SINGLE, hint="exp of the scores is not divided by its sum: the weights of a query sum to 1.")
def single_not_normalised(query, key, value):
    return (query @ key.T / key.shape[1] ** 0.5).exp() @ value


@mistake(SINGLE, hint="The softmax runs over queries: the weights of one query sum to 1 over its keys.")
def single_softmax_over_queries(query, key, value):
    return _single(query, key, value, dim=0)


@mistake(SINGLE, hint="The weights are divided by sqrt(M) after the softmax; the scores are, before it.")
def single_scaled_late(query, key, value):
    return _single(query, key, value, scale=1) / key.shape[1] ** 0.5


@mistake(SINGLE, hint="There is no softmax: the scores themselves are taken as weights.")
def single_without_softmax(query, key, value):
    return query @ key.T / key.shape[1] ** 0.5 @ value


@mistake(
    SINGLE, hint="A score is the dot product of a query with a key; this is the distance between the two."
)
def single_distances(query, key, value):
    scores = torch.stack([torch.stack([(q - k).norm() for k in key]) for q in query])
    return (scores / key.shape[1] ** 0.5).softmax(dim=1) @ value


@mistake(
    SINGLE,
    hint="The result is made as wide as the queries: values have a width of their own, V.",
    raises=RuntimeError,
)
def single_result_like_queries(query, key, value):
    result = torch.zeros_like(query)
    for i, weights in enumerate((query @ key.T / key.shape[1] ** 0.5).softmax(dim=1)):
        result[i] += weights @ value
    return result


@mistake(
    SINGLE,
    hint="The table of scores is K x K: it has a column for each of the S keys.",
    raises=RuntimeError,
)
def single_square_scores(query, key, value):
    scores = torch.stack([torch.stack([q @ k for k in key[: len(query)]]) for q in query])
    return (scores / key.shape[1] ** 0.5).softmax(dim=1).mm(value)


@mistake(
    SINGLE,
    hint="There is room for K scores of a query: it has one for each of the S keys.",
    raises=IndexError,
)
def single_room_for_queries(query, key, value):
    scores = query.new_zeros(len(query), len(query))
    for q, row in zip(query, scores, strict=True):
        for j, k in enumerate(key):
            row[j] = q @ k / len(k) ** 0.5
    return scores.softmax(dim=1) @ value


# Several sequences
def _batch(query, key, value, *, scale=None, dim=2):
    scores = torch.einsum("nkm,nsm->nks", query, key) / (key.shape[2] ** 0.5 if scale is None else scale)
    return scores.softmax(dim=dim) @ value


@mistake(BATCH, hint="The scores are not divided by sqrt(M), as they are for one sequence.")
def batch_without_scale(query, key, value):
    return _batch(query, key, value, scale=1)


@mistake(BATCH, hint="The scores are divided by M here; its square root is due.")
def batch_over_m(query, key, value):
    return _batch(query, key, value, scale=key.shape[2])


@mistake(BATCH, hint="sqrt is taken of the number of keys: axis 2 has the M numbers, axis 1 the keys.")
def batch_scaled_by_keys(query, key, value):
    return _batch(query, key, value, scale=key.shape[1] ** 0.5)


@mistake(
    BATCH, hint="The softmax runs over queries, axis 1 of (N, K, S): it is due over keys, the last axis."
)
def batch_softmax_over_queries(query, key, value):
    return _batch(query, key, value, dim=1)


@mistake(BATCH, hint="The softmax runs over sequences: they do not see each other.")
def batch_softmax_over_sequences(query, key, value):
    return _batch(query, key, value, dim=0)


@mistake(BATCH, hint="The scores of a query are summed over all sequences: each has scores of its own.")
def batch_mixes_sequences(query, key, value):
    scores = torch.einsum("nkm,nsm->ks", query, key) / key.shape[2] ** 0.5
    return scores.softmax(dim=1) @ value


@mistake(BATCH, hint="Only the first sequence's weights are used, for all of them.")
def batch_of_first(query, key, value):
    scores = query[0] @ key[0].T / key.shape[2] ** 0.5
    return scores.softmax(dim=1) @ value


@mistake(BATCH, hint="Queries come first in the result: stack along axis 1, so that it is (N, K, V).")
def batch_stacked_first(query, key, value):
    return _batch(query, key, value).transpose(0, 1)


# Without a loop
def _attended(query, key, value, mask=None, *, scale=None, dim=2, fill=-1e9):
    scores = query @ key.transpose(1, 2) / (key.shape[2] ** 0.5 if scale is None else scale)
    scores = scores if mask is None else scores.masked_fill(mask, fill)
    weights = scores.softmax(dim=dim)
    return weights @ value, weights


@mistake(
    BATCH,
    hint="The result is made like `query`: its vectors are as long as the values, V.",
    raises=RuntimeError,
)
def batch_result_like_queries(query, key, value):
    result = torch.zeros_like(query)
    for i in range(query.shape[1]):
        scores = torch.einsum("nm,nsm->ns", query[:, i], key) / key.shape[2] ** 0.5
        result[:, i] += torch.bmm(scores.softmax(dim=1).unsqueeze(1), value).view(len(query), -1)
    return result


@mistake(
    BATCH,
    hint="The scores are (N, K, K): there are S keys, which may be more or fewer than queries.",
    raises=RuntimeError,
)
def batch_square_scores(query, key, value):
    scores = query @ key[:, : query.shape[1]].mT / key.shape[2] ** 0.5
    return torch.bmm(scores.softmax(dim=2), value)


@mistake(
    BATCH,
    hint="A row of weights is written into K places: S keys have S weights.",
    raises=RuntimeError,
)
def batch_room_for_queries(query, key, value):
    weights = query.new_zeros(query.shape[1], query.shape[1])
    results = []
    for queries, keys, values in zip(query, key, value, strict=True):
        for i, q in enumerate(queries):
            weights[i] = (q @ keys.T / keys.shape[1] ** 0.5).softmax(dim=0)
        results.append(weights @ values)
    return torch.stack(results)


@mistake(NO_LOOP, hint="The scores are not divided by sqrt(M) here.")
def no_loop_without_scale(query, key, value, mask=None):
    return _attended(query, key, value, mask, scale=1)


@mistake(NO_LOOP, hint="The scores are divided by M; its square root is due.")
def no_loop_over_m(query, key, value, mask=None):
    return _attended(query, key, value, mask, scale=key.shape[2])


@mistake(NO_LOOP, hint="The scale comes from the number of keys; M is the last axis.")
def no_loop_scaled_by_keys(query, key, value, mask=None):
    return _attended(query, key, value, mask, scale=key.shape[1] ** 0.5)


@mistake(NO_LOOP, hint="Weights sum to 1 over queries, axis 1; they must over keys, axis 2.")
def no_loop_softmax_over_queries(query, key, value, mask=None):
    return _attended(query, key, value, mask, dim=1)


@mistake(
    NO_LOOP, hint="The scores come back in place of the weights: the softmax is missing in what is returned."
)
def no_loop_returns_scores(query, key, value, mask=None):
    scores = query @ key.transpose(1, 2) / key.shape[2] ** 0.5
    return _attended(query, key, value, mask)[0], scores


@mistake(NO_LOOP, hint="The two results change places: the means come first, then the weights.")
def no_loop_swapped(query, key, value, mask=None):
    return _attended(query, key, value, mask)[::-1]


@mistake(NO_LOOP, hint="Only the means come back; the weights are asked for as well.", raises=ValueError)
def no_loop_means_alone(query, key, value, mask=None):
    return _attended(query, key, value, mask)[0]


@mistake(
    f"{NO_LOOP}:mask",
    hint="A tensor has no single truth value: ask `if mask is not None`.",
    raises=RuntimeError,
)
def no_loop_asks_mask(query, key, value, mask=None):
    return _attended(query, key, value, mask if mask else None)


@mistake(f"{NO_LOOP}:mask", hint="The mask is not used: hidden keys weigh as much as the others.")
def no_loop_ignores_mask(query, key, value, mask=None):
    return _attended(query, key, value)


@mistake(f"{NO_LOOP}:mask", hint="The mask works the wrong way round: True means that a key is hidden.")
def no_loop_mask_turned(query, key, value, mask=None):
    return _attended(query, key, value, None if mask is None else ~mask)


@mistake(
    f"{NO_LOOP}:mask",
    hint="Scores become -inf where the mask is False: it is True where a key is hidden.",
)
def no_loop_false_hidden(query, key, value, mask=None):
    scores = query @ key.mT / key.shape[2] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(mask == 0, float("-inf"))
    weights = scores.softmax(dim=2)
    return weights @ value, weights


@mistake(
    f"{NO_LOOP}:mask",
    hint="The mask comes after the softmax, so the weights that are left do not sum to 1: mask the scores.",
)
def no_loop_mask_late(query, key, value, mask=None):
    _, weights = _attended(query, key, value)
    weights = weights if mask is None else weights.masked_fill(mask, 0)
    return weights @ value, weights


@mistake(
    f"{NO_LOOP}:mask",
    hint="A hidden score becomes 0, which is a score like any other: it must be very low.",
)
def no_loop_mask_zero(query, key, value, mask=None):
    return _attended(query, key, value, mask, fill=0)


@mistake(
    f"{NO_LOOP}:mask",
    hint="The means leave hidden keys out, and the weights that come back are those of all keys.",
)
def no_loop_weights_unmasked(query, key, value, mask=None):
    return _attended(query, key, value, mask)[0], _attended(query, key, value)[1]


# The module
def _module(self, q, k, v, mask=None, *, scale=None, dim=-1, drop=True):
    scores = q @ k.transpose(-2, -1) / (self.d_k**0.5 if scale is None else scale)
    scores = scores if mask is None else scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=dim)
    return (self.dropout(weights) if drop else weights) @ v


@mistake(MODULE, hint="True keeps a key in this class; here it hides it.")
def module_mask_turned(self, q, k, v, mask=None):
    return _module(self, q, k, v, None if mask is None else ~mask)


@mistake(
    MODULE,
    hint="Axes 1 and 2 are fixed: count from the end, since none or several axes may stand before.",
    raises=IndexError,
)
def module_three_axes(self, q, k, v, mask=None):
    scores = q @ k.transpose(1, 2) / self.d_k**0.5
    scores = scores if mask is None else scores.masked_fill(~mask, float("-inf"))
    return self.dropout(scores.softmax(dim=2)) @ v


@mistake(MODULE, hint="The scores are divided by d_k; its root is due.")
def module_over_d(self, q, k, v, mask=None):
    return _module(self, q, k, v, mask, scale=self.d_k)


@mistake(MODULE, hint="The scores are divided by the root of a value's length: d_k is a key's.")
def module_scaled_by_values(self, q, k, v, mask=None):
    return _module(self, q, k, v, mask, scale=v.shape[-1] ** 0.5)


@mistake(MODULE, hint="Weights are dropped outside of training too, which `functional.dropout` cannot know.")
def module_always_drops(self, q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) / self.d_k**0.5
    scores = scores if mask is None else scores.masked_fill(~mask, float("-inf"))
    return functional.dropout(scores.softmax(dim=-1), self.dropout.p) @ v


@mistake(MODULE, hint="The scores are not divided by sqrt(d_k).")
def module_without_scale(self, q, k, v, mask=None):
    return _module(self, q, k, v, mask, scale=1)


@mistake(MODULE, hint="The softmax runs over queries: keys are the last axis.")
def module_softmax_over_queries(self, q, k, v, mask=None):
    return _module(self, q, k, v, mask, dim=-2)


@mistake(MODULE, hint="The mask multiplies scores: what is hidden gets the score 0, not a weight of 0.")
def module_mask_times(self, q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) / self.d_k**0.5
    return self.dropout((scores if mask is None else scores * mask).softmax(dim=-1)) @ v


@mistake(
    MODULE, hint="The mask is added to the scores, a 1 where a key is kept: hidden keys need minus infinity."
)
def module_mask_added(self, q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) / self.d_k**0.5
    return self.dropout((scores if mask is None else scores + mask).softmax(dim=-1)) @ v


@mistake(
    MODULE, hint="The mask is used without a look whether there is one: it may be None.", raises=TypeError
)
def module_mask_never_none(self, q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) / self.d_k**0.5
    scores.masked_fill_(mask, -1e9)
    return self.dropout(scores.softmax(dim=-1)) @ v


@mistake(MODULE, hint="The factor is rounded to float32 by `torch.Tensor`: take the root of the number d_k.")
def module_factor_in_float32(self, q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) * (1 / torch.sqrt(torch.Tensor([self.d_k])).item())
    scores = scores if mask is None else scores.masked_fill(~mask, float("-inf"))
    return self.dropout(scores.softmax(dim=-1)) @ v


@mistake(MODULE, hint="The mask is not used: without it, every key is kept.")
def module_ignores_mask(self, q, k, v, mask=None):
    return _module(self, q, k, v)


@mistake(
    f"{MODULE}:dropout", hint="The weights are not dropped: `self.dropout` acts on them, behind softmax."
)
def module_without_dropout(self, q, k, v, mask=None):
    return _module(self, q, k, v, mask, drop=False)


@mistake(f"{MODULE}:dropout", hint="`self.dropout` acts on the means: let it act on the weights, before v.")
def module_drops_means(self, q, k, v, mask=None):
    return self.dropout(_module(self, q, k, v, mask, drop=False))


@mistake(
    SINGLE,
    hint="`torch.zeros` is float32 on the CPU: give it the dtype and device of the values (`new_zeros`).",
)
def single_in_a_plain_buffer(query, key, value):
    answers = torch.zeros(len(query), value.shape[1])
    for i, q in enumerate(query):
        scores = torch.stack([q @ k for k in key]) / key.shape[1] ** 0.5
        answers[i] = scores.softmax(dim=0) @ value
    return answers


@mistake(
    f"{NO_LOOP}:mask", hint="A score of 0 is taken for a hidden one: go by the mask, whatever the scores are."
)
def zeros_taken_for_hidden(query, key, value, mask=None):
    scores = query @ key.transpose(1, 2) / key.shape[2] ** 0.5
    if mask is not None:
        scores = scores * ~mask
        scores = scores.masked_fill(scores == 0, -1e9)
    weights = scores.softmax(dim=2)
    return weights @ value, weights
