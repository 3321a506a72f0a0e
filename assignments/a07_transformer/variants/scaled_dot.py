"""Right versions of `attention.scaled_dot`, written otherwise."""

import math

import torch

from exercise_code.support.checking.declare import variant

SCALED = "attention.scaled_dot."
SINGLE = f"{SCALED}scaled_dot_product_two_loop_single"
BATCH = f"{SCALED}scaled_dot_product_two_loop_batch"
NO_LOOP = f"{SCALED}scaled_dot_product_no_loop_batch"
MODULE = f"{SCALED}ScaledDotAttention.forward"


@variant(SINGLE)
def single_by_entries(query, key, value):
    scores = query.new_empty(len(query), len(key))
    for i in range(len(query)):
        for j in range(len(key)):
            scores[i, j] = query[i].dot(key[j]) / math.sqrt(query.shape[1])
    return scores.softmax(dim=1) @ value


@variant(SINGLE)
def single_by_sums(query, key, value):
    y = value.new_zeros(len(query), value.shape[1])
    for i, q in enumerate(query):
        weights = torch.stack([torch.dot(q, k) * len(q) ** -0.5 for k in key]).exp()
        y[i] = (weights[:, None] * value).sum(dim=0) / weights.sum()
    return y


@variant(SINGLE)
def single_without_loops(query, key, value):
    return torch.softmax(query @ key.mT / math.sqrt(key.shape[-1]), -1) @ value


@variant(BATCH)
def batch_by_entries(query, key, value):
    (N, K, M), S = query.shape, key.shape[1]
    scores = query.new_empty(N, K, S)
    for i in range(K):
        for j in range(S):
            scores[:, i, j] = torch.einsum("nm,nm->n", query[:, i], key[:, j]) / M**0.5
    return scores.softmax(dim=2) @ value


@variant(BATCH)
def batch_by_bmm(query, key, value):
    rows = []
    for i in range(query.shape[1]):
        columns = []
        for j in range(key.shape[1]):
            columns.append(torch.bmm(query[:, i : i + 1], key[:, j : j + 1].transpose(1, 2)))
        weights = (torch.cat(columns, dim=2) / math.sqrt(query.shape[2])).softmax(dim=2)
        rows.append(weights.bmm(value))
    return torch.cat(rows, dim=1)


@variant(NO_LOOP)
def no_loop_by_bmm(query, key, value, mask=None):
    scores = torch.bmm(query, key.permute(0, 2, 1)) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = torch.where(mask, torch.full_like(scores, -1e9), scores)
    weights = torch.softmax(scores, dim=-1)
    return weights.bmm(value), weights


@variant(NO_LOOP)
def no_loop_by_einsum(query, key, value, mask=None):
    scores = torch.einsum("nkm,nsm->nks", query * query.shape[2] ** -0.5, key)
    if mask is not None:
        scores = scores - 1e9 * mask.to(scores.dtype)
    scores = (scores - scores.amax(dim=2, keepdim=True)).exp()
    weights = scores / scores.sum(dim=2, keepdim=True)
    return torch.einsum("nks,nsv->nkv", weights, value), weights


@variant(NO_LOOP)
def no_loop_with_infinity(query, key, value, mask=None):
    scores = query @ key.mT / key.size(-1) ** 0.5
    scores = scores if mask is None else scores.masked_fill(mask, -torch.inf)
    weights = scores.log_softmax(dim=-1).exp()
    return weights @ value, weights


@variant(MODULE)
def module_by_einsum(self, q, k, v, mask=None):
    scores = torch.einsum("...qd,...kd->...qk", q, k) / math.sqrt(self.d_k)
    if mask is not None:
        scores = torch.where(mask, scores, float("-inf"))
    return torch.matmul(self.dropout(torch.softmax(scores, -1)), v)


@variant(MODULE)
def module_with_a_low_score(self, q, k, v, mask=None):
    scores = torch.matmul(q / self.d_k**0.5, k.mT)
    if mask is not None:
        scores = scores.masked_fill(mask.logical_not(), -1e9)
    return torch.matmul(self.dropout(scores.softmax(-1)), v)
