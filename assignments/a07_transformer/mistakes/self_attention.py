"""How people get `attention.self_attention` wrong, and the hint each mistake deserves."""

import torch
from torch import nn

from exercise_code.attention.scaled_dot import scaled_dot_product_no_loop_batch
from exercise_code.attention.self_attention import SelfAttention
from exercise_code.support.checking.declare import mistake

SELF = "attention.self_attention."
INIT, FORWARD = f"{SELF}SelfAttention.__init__", f"{SELF}SelfAttention.forward"
HEADS, ASK = f"{SELF}MultiHeadAttention.__init__", f"{SELF}MultiHeadAttention.forward"


# One head
def _start(self, dim_in, dim_q, dim_v, *, dim_k=None, bias=True, start=nn.init.xavier_uniform_):
    nn.Module.__init__(self)
    self.q = nn.Linear(dim_in, dim_q, bias=bias)
    self.k = nn.Linear(dim_in, dim_k or dim_q, bias=bias)
    self.v = nn.Linear(dim_in, dim_v, bias=bias)
    for layer in (self.q, self.k, self.v):
        start(layer.weight)
    self.weights_softmax = None


@mistake(INIT, hint="The weights are as nn.Linear makes them: draw them anew between -c and c.")
def default_start(self, dim_in, dim_q, dim_v):
    _start(self, dim_in, dim_q, dim_v, start=lambda weight: None)


@mistake(
    INIT, hint="Glorot's variance is right, its shape is not: the weights are normal, even ones are due."
)
def normal_start(self, dim_in, dim_q, dim_v):
    _start(self, dim_in, dim_q, dim_v, start=nn.init.xavier_normal_)


@mistake(INIT, hint="c counts the inputs alone; inputs and outputs are both counted.")
def counts_inputs(self, dim_in, dim_q, dim_v):
    c = (6 / dim_in) ** 0.5
    _start(self, dim_in, dim_q, dim_v, start=lambda weight: nn.init.uniform_(weight, -c, c))


@mistake(INIT, hint="The biases are 0: leave them as `nn.Linear` makes them.")
def biases_of_zero(self, dim_in, dim_q, dim_v):
    _start(self, dim_in, dim_q, dim_v)
    for layer in (self.q, self.k, self.v):
        nn.init.zeros_(layer.bias)


@mistake(INIT, hint="q and k are drawn anew, v is not: all three are.")
def values_not_drawn(self, dim_in, dim_q, dim_v):
    _start(self, dim_in, dim_q, dim_v)
    self.v.reset_parameters()


@mistake(INIT, hint="c is used without its root: c = sqrt(6 / (inputs + outputs)).")
def without_root(self, dim_in, dim_q, dim_v):
    def start(weight):
        c = 6 / sum(weight.shape)
        nn.init.uniform_(weight, -c, c)

    _start(self, dim_in, dim_q, dim_v, start=start)


@mistake(INIT, hint="Weights run from 0 to c, so all are positive: they run from -c to c.")
def positive_start(self, dim_in, dim_q, dim_v):
    def start(weight):
        nn.init.uniform_(weight, 0, (6 / sum(weight.shape)) ** 0.5)

    _start(self, dim_in, dim_q, dim_v, start=start)


@mistake(INIT, hint="Keys are as long as values here; to be compared with queries they need dim_q numbers.")
def keys_as_long_as_values(self, dim_in, dim_q, dim_v):
    _start(self, dim_in, dim_q, dim_v, dim_k=dim_v)


@mistake(INIT, hint="Call `super().__init__()` first: it makes room for layers.", raises=AttributeError)
def without_super(self, dim_in, dim_q, dim_v):
    self.q = nn.Linear(dim_in, dim_q)


@mistake(INIT, hint="The layers have no biases: `nn.Linear` has them unless told otherwise.")
def without_biases(self, dim_in, dim_q, dim_v):
    _start(self, dim_in, dim_q, dim_v, bias=False)


@mistake(INIT, hint="The attribute `weights_softmax` is missing: it starts as None.", raises=AttributeError)
def without_weights(self, dim_in, dim_q, dim_v):
    _start(self, dim_in, dim_q, dim_v)
    del self.weights_softmax


@mistake(FORWARD, hint="The weights are not kept: plots read `self.weights_softmax`.")
def forgets_weights(self, query, key, value, mask=None):
    return scaled_dot_product_no_loop_batch(self.q(query), self.k(key), self.v(value), mask)[0]


@mistake(FORWARD, hint="The mask is not handed on to the function.")
def forgets_mask(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(self.q(query), self.k(key), self.v(value))
    return y


@mistake(
    FORWARD,
    hint="Queries are projected thrice: keys come from `key` and values from `value`.",
    raises=RuntimeError,
)
def asks_itself(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(
        self.q(query), self.k(query), self.v(query), mask
    )
    return y


@mistake(FORWARD, hint="`self.q` and `self.k` change places: the queries go through `self.q`.")
def projections_swapped(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(
        self.k(query), self.q(key), self.v(value), mask
    )
    return y


@mistake(FORWARD, hint="The values are those of the keys: `self.v` is given `key`, not `value`.")
def values_of_keys(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(self.q(query), self.k(key), self.v(key), mask)
    return y


@mistake(FORWARD, hint="The keys are projected from `query`: `self.k` gets `key`.", raises=RuntimeError)
def keys_of_queries(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(
        self.q(query), self.k(query), self.v(value), mask
    )
    return y


@mistake(FORWARD, hint="`self.k` and `self.v` change places.", raises=RuntimeError)
def keys_and_values_swapped(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(
        self.q(query), self.v(key), self.k(value), mask
    )
    return y


@mistake(FORWARD, hint="The values are averaged as they came: project them by `self.v` first.")
def values_as_they_are(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(self.q(query), self.k(key), value, mask)
    return y


@mistake(FORWARD, hint="A tuple with the weights comes back; keep them, and return the means alone.")
def returns_both(self, query, key, value, mask=None):
    y, self.weights_softmax = scaled_dot_product_no_loop_batch(
        self.q(query), self.k(key), self.v(value), mask
    )
    return y, self.weights_softmax


# Many heads
@mistake(HEADS, hint="`[head] * num_heads` is one head many times: make a new one for each place.")
def one_head_shared(self, num_heads, dim_in, dim_out):
    nn.Module.__init__(self)
    self.heads = nn.ModuleList([SelfAttention(dim_in, dim_out, dim_out)] * num_heads)
    self.proj = nn.Linear(num_heads * dim_out, dim_in)


@mistake(HEADS, hint="torch does not look into a list, so the heads are never trained: use nn.ModuleList.")
def in_a_list(self, num_heads, dim_in, dim_out):
    nn.Module.__init__(self)
    self.heads = [SelfAttention(dim_in, dim_out, dim_out) for _ in range(num_heads)]
    self.proj = nn.Linear(num_heads * dim_out, dim_in)


@mistake(HEADS, hint="`proj` takes the answer of one head; it gets those of all heads side by side.")
def proj_of_one(self, num_heads, dim_in, dim_out):
    nn.Module.__init__(self)
    self.heads = nn.ModuleList(SelfAttention(dim_in, dim_out, dim_out) for _ in range(num_heads))
    self.proj = nn.Linear(dim_out, dim_in)


@mistake(
    HEADS, hint="`proj` gives num_heads * dim_out numbers; what goes out is as long as what came in, dim_in."
)
def proj_keeps_width(self, num_heads, dim_in, dim_out):
    nn.Module.__init__(self)
    self.heads = nn.ModuleList(SelfAttention(dim_in, dim_out, dim_out) for _ in range(num_heads))
    self.proj = nn.Linear(num_heads * dim_out, num_heads * dim_out)


@mistake(HEADS, hint="Each head is as wide as what comes in: its queries and values have dim_out numbers.")
def heads_too_wide(self, num_heads, dim_in, dim_out):
    nn.Module.__init__(self)
    self.heads = nn.ModuleList(SelfAttention(dim_in, dim_in, dim_in) for _ in range(num_heads))
    self.proj = nn.Linear(num_heads * dim_out, dim_in)


@mistake(ASK, hint="The mask is not handed to the heads, so they see all keys.")
def heads_without_mask(self, query, key, value, mask=None):
    return self.proj(torch.cat([head(query, key, value) for head in self.heads], dim=2))


@mistake(ASK, hint="All heads' answers come from the first head: ask each of `self.heads`.")
def first_head_alone(self, query, key, value, mask=None):
    answers = [self.heads[0](query, key, value, mask) for _ in self.heads]
    return self.proj(torch.cat(answers, dim=2))


@mistake(ASK, hint="The heads' answers come in the opposite order.")
def heads_turned(self, query, key, value, mask=None):
    answers = [head(query, key, value, mask) for head in reversed(self.heads)]
    return self.proj(torch.cat(answers, dim=2))


@mistake(
    ASK,
    hint="The answers are put below each other: side by side is the last axis.",
    raises=RuntimeError,
)
def heads_below(self, query, key, value, mask=None):
    return self.proj(torch.cat([head(query, key, value, mask) for head in self.heads], dim=1))


@mistake(ASK, hint="The numbers of the heads alternate: `cat` along the last axis keeps each head together.")
def heads_interleaved(self, query, key, value, mask=None):
    answers = torch.stack([head(query, key, value, mask) for head in self.heads], dim=3)
    return self.proj(answers.flatten(2))


@mistake(ASK, hint="The answers are not mixed: `self.proj` comes last.")
def heads_unmixed(self, query, key, value, mask=None):
    return torch.cat([head(query, key, value, mask) for head in self.heads], dim=2)


@mistake(ASK, hint="What comes in is added at the end: that is a residual connection, which comes later.")
def heads_with_residual(self, query, key, value, mask=None):
    return query + self.proj(torch.cat([head(query, key, value, mask) for head in self.heads], dim=2))
