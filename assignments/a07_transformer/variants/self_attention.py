"""Right versions of `attention.self_attention`, written otherwise."""

import torch
from torch import nn

from exercise_code.attention.scaled_dot import scaled_dot_product_no_loop_batch
from exercise_code.attention.self_attention import SelfAttention
from exercise_code.support.checking.declare import variant

SELF = "attention.self_attention."


@variant(f"{SELF}SelfAttention.__init__")
def by_bounds(self, dim_in, dim_q, dim_v):
    nn.Module.__init__(self)
    self.weights_softmax = None
    for name, width in (("v", dim_v), ("k", dim_q), ("q", dim_q)):
        layer = nn.Linear(dim_in, width)
        c = (6 / (dim_in + width)) ** 0.5
        nn.init.uniform_(layer.weight, -c, c)
        setattr(self, name, layer)


@variant(f"{SELF}SelfAttention.__init__")
def by_hand(self, dim_in, dim_q, dim_v):
    nn.Module.__init__(self)
    self.q, self.k, self.v = nn.Linear(dim_in, dim_q), nn.Linear(dim_in, dim_q), nn.Linear(dim_in, dim_v)
    with torch.no_grad():
        for layer in self.children():
            c = (6 / sum(layer.weight.shape)) ** 0.5
            layer.weight.copy_((2 * torch.rand_like(layer.weight) - 1) * c)
    self.weights_softmax = None


@variant(f"{SELF}SelfAttention.forward")
def step_by_step(self, query, key, value, mask=None):
    q, k, v = self.q(query), self.k(key), self.v(value)
    y, weights = scaled_dot_product_no_loop_batch(q, k, v, mask=mask)
    self.weights_softmax = weights
    return y


@variant(f"{SELF}SelfAttention.forward")
def written_out(self, query, key, value, mask=None):
    scores = self.q(query) @ self.k(key).mT / self.q.out_features**0.5
    scores = scores if mask is None else scores.masked_fill(mask, -1e9)
    self.weights_softmax = scores.softmax(dim=-1)
    return self.weights_softmax @ self.v(value)


@variant(f"{SELF}MultiHeadAttention.__init__")
def one_by_one(self, num_heads, dim_in, dim_out):
    nn.Module.__init__(self)
    self.proj = nn.Linear(in_features=dim_out * num_heads, out_features=dim_in)
    self.heads = nn.ModuleList()
    for _ in range(num_heads):
        self.heads.append(SelfAttention(dim_in, dim_q=dim_out, dim_v=dim_out))


@variant(f"{SELF}MultiHeadAttention.forward")
def into_an_empty_tensor(self, query, key, value, mask=None):
    width = self.proj.in_features // len(self.heads)
    answers = query.new_empty(*query.shape[:2], self.proj.in_features)
    for number, head in enumerate(self.heads):
        answers[..., number * width : (number + 1) * width] = head(query, key, value, mask)
    return self.proj(answers)


@variant(f"{SELF}MultiHeadAttention.forward")
def in_one_stack(self, query, key, value, mask=None):
    answers = torch.stack([head(query, key, value, mask=mask) for head in self.heads], dim=2)
    return self.proj(answers.flatten(start_dim=2))
