"""Right versions of `attention.layers`, written otherwise."""

import math

import torch
from torch import nn

from exercise_code.attention.layers import position_encoding_sinusoid
from exercise_code.support.checking.declare import variant

LAYERS = "attention.layers."


@variant(f"{LAYERS}MultiHeadAttention.forward")
def by_views(self, query, key, value, attn_mask=None):
    (N, S, E), T, H = query.shape, key.shape[1], self.num_heads
    q = self.query(query).view(N, S, H, E // H).permute(0, 2, 1, 3)
    k = self.key(key).view(N, T, H, E // H).permute(0, 2, 3, 1)
    v = self.value(value).view(N, T, H, E // H).permute(0, 2, 1, 3)
    scores = torch.matmul(q, k) / math.sqrt(E / H)
    if attn_mask is not None:
        scores = scores.masked_fill(attn_mask == 0, -1e9)
    y = torch.matmul(self.attn_drop(torch.softmax(scores, dim=-1)), v)
    return self.proj(y.permute(0, 2, 1, 3).contiguous().view(N, S, E))


@variant(f"{LAYERS}MultiHeadAttention.forward")
def by_einsum(self, query, key, value, attn_mask=None):
    H, d = self.num_heads, self.query.out_features // self.num_heads
    q, k, v = self.query(query), self.key(key), self.value(value)
    q, k, v = q.unflatten(-1, (H, d)), k.unflatten(-1, (H, d)), v.unflatten(-1, (H, d))
    scores = torch.einsum("nshd,nthd->nhst", q * d**-0.5, k)
    if attn_mask is not None:
        scores = torch.where(attn_mask, scores, float("-inf"))
    weights = self.attn_drop(scores.softmax(-1))
    return self.proj(torch.einsum("nhst,nthd->nshd", weights, v).flatten(2))


@variant(f"{LAYERS}MultiHeadAttention.forward")
def heads_as_sequences(self, query, key, value, attn_mask=None):
    (N, S, E), H = query.shape, self.num_heads
    q = self.query(query).reshape(N, S, H, -1).transpose(1, 2).reshape(N * H, S, -1)
    k = self.key(key).reshape(N, key.shape[1], H, -1).transpose(1, 2).reshape(N * H, key.shape[1], -1)
    v = self.value(value).reshape(N, key.shape[1], H, -1).transpose(1, 2).reshape(N * H, key.shape[1], -1)
    scores = q.bmm(k.transpose(1, 2)) * (E // H) ** -0.5
    if attn_mask is not None:
        scores = scores + torch.zeros_like(scores[0]).masked_fill(~attn_mask, float("-inf"))
    y = self.attn_drop(scores.softmax(dim=2)).bmm(v)
    return self.proj(y.view(N, H, S, -1).transpose(1, 2).reshape(N, S, E))


@variant(f"{LAYERS}position_encoding_simple")
def simple_expanded(K, M):
    return (torch.arange(0, K, dtype=torch.float32) / K)[None, :, None].expand(1, K, M)


@variant(f"{LAYERS}position_encoding_simple")
def simple_in_a_loop(K, M):
    positions = torch.empty(1, K, M)
    for n in range(K):
        positions[0, n, :] = n / K
    return positions


@variant(f"{LAYERS}position_encoding_sinusoid")
def waves_in_two_loops(K, M):
    waves = torch.zeros(1, K, M)
    for n in range(K):
        for j in range(M):
            angle = n * 10000 ** (-2 * (j // 2) / M)
            waves[0, n, j] = math.cos(angle) if j % 2 else math.sin(angle)
    return waves


@variant(f"{LAYERS}position_encoding_sinusoid")
def waves_by_exponentials(K, M):
    steps = torch.exp(torch.arange(0, M, 2) * (-math.log(10000.0) / M))
    angles = torch.arange(K).float()[:, None] * steps
    waves = torch.zeros(1, K, M)
    waves[0, :, 0::2] = angles.sin()
    waves[0, :, 1::2] = angles[:, : M // 2].cos()
    return waves


@variant(f"{LAYERS}position_encoding_sinusoid")
def waves_by_stacking(K, M):
    angles = torch.arange(K)[:, None] / 10000.0 ** (torch.arange(0, M, 2) / M)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[None, :, :M]


@variant(f"{LAYERS}PositionalEncoding.__init__")
def kept_by_name(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    self.register_buffer(name="pe", tensor=position_encoding_sinusoid(K=max_len, M=embed_dim).clone())
    self.dropout = nn.Dropout(p=dropout)


@variant(f"{LAYERS}PositionalEncoding.forward")
def added_by_narrow(self, x):
    return self.dropout(self.pe.narrow(1, 0, x.size(1)) + x)


@variant(f"{LAYERS}PositionalEncoding.forward")
def added_from_the_row(self, x):
    S = x.shape[1]
    return self.dropout(torch.add(x, self.pe[0, :S]))


@variant(f"{LAYERS}LayerNormalization.forward")
def by_the_mean_square(self, x):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return self.gamma * (x - mean) * torch.rsqrt(variance + self.epsilon) + self.beta


@variant(f"{LAYERS}LayerNormalization.forward")
def by_sums(self, x):
    M = x.shape[-1]
    centred = x - (x.sum(-1) / M).unsqueeze(-1)
    root = torch.sqrt((centred * centred).sum(-1) / M + self.epsilon)
    return torch.addcmul(self.beta, self.gamma, centred / root[..., None])


@variant(f"{LAYERS}FeedForwardBlock.__init__")
def feed_made_the_other_way(self, inp_dim, hidden_dim_feedforward):
    nn.Module.__init__(self)
    self.fc2 = nn.Linear(hidden_dim_feedforward, inp_dim, bias=True)
    self.fc1 = nn.Linear(inp_dim, hidden_dim_feedforward, bias=True)


@variant(f"{LAYERS}FeedForwardBlock.forward")
def fed_by_clamp(self, x):
    return self.fc2(self.fc1(x).clamp(min=0))


@variant(f"{LAYERS}FeedForwardBlock.forward")
def fed_step_by_step(self, x):
    hidden = self.fc1(x)
    hidden = torch.where(hidden > 0, hidden, torch.zeros_like(hidden))
    return self.fc2(hidden)
