"""Right versions of `rnn.modules`, written otherwise."""

import torch

from exercise_code.rnn import modules
from exercise_code.rnn.layers import lstm_forward, lstm_step_forward
from exercise_code.support.checking.declare import variant

MODULES = "rnn.modules."


@variant(f"{MODULES}LSTM.step_forward")
def step_sliced(self, x, prev_h, prev_c):
    return lstm_step_forward(x, prev_h, prev_c, self.Wx, self.Wh, self.b)[:2]


@variant(f"{MODULES}LSTM.step_forward")
def step_written_out(self, x, prev_h, prev_c):
    H = prev_h.shape[1]
    sums = x @ self.Wx + prev_h @ self.Wh + self.b
    i, f, o = (sums[:, k * H : (k + 1) * H].sigmoid() for k in range(3))
    c = f * prev_c + i * sums[:, 3 * H :].tanh()
    return o * c.tanh(), c


@variant(f"{MODULES}LSTM.forward")
def lstm_by_steps(self, x, h0):
    h, c, states = h0, torch.zeros_like(h0), []
    for t in range(x.shape[1]):
        h, c = self.step_forward(x[:, t], h, c)
        states.append(h)
    return torch.stack(states, 1)


@variant(f"{MODULES}LSTM.forward")
def lstm_unpacked(self, x, h0):
    states, _ = lstm_forward(x, h0, self.Wx, self.Wh, self.b)
    return states


@variant(f"{MODULES}dot_product_attention")
def attention_by_broadcasting(prev_h, A):
    N, H, height, width = A.shape
    scores = (prev_h.view(N, H, 1, 1) * A).sum(dim=1) / H**0.5
    weights = scores.view(N, -1).softmax(dim=1).view(N, height, width)
    return (weights.unsqueeze(1) * A).sum(dim=(2, 3)), weights


@variant(f"{MODULES}dot_product_attention")
def attention_by_einsum(prev_h, A):
    scores = torch.einsum("nh,nhij->nij", prev_h, A) * A.shape[1] ** -0.5
    scores = (scores - scores.amax(dim=(1, 2), keepdim=True)).exp()
    weights = scores / scores.sum(dim=(1, 2), keepdim=True)
    return torch.einsum("nij,nhij->nh", weights, A), weights


@variant(f"{MODULES}dot_product_attention")
def attention_by_bmm(prev_h, A):
    flat = A.reshape(*A.shape[:2], -1)
    weights = torch.softmax(torch.bmm(prev_h[:, None] * A.shape[1] ** -0.5, flat), dim=-1)
    attn = torch.bmm(flat, weights.permute(0, 2, 1))[..., 0]
    return attn, weights.reshape(A.shape[0], A.shape[2], A.shape[3])


@variant(f"{MODULES}AttentionLSTM.step_forward")
def look_step_by_the_bias(self, x, prev_h, prev_c, attn):
    sums = x @ self.Wx + prev_h @ self.Wh + attn @ self.Wattn + self.b
    i, f, o, g = torch.chunk(sums, 4, dim=-1)
    c = torch.sigmoid(f) * prev_c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


@variant(f"{MODULES}AttentionLSTM.step_forward")
def look_step_as_wider_state(self, x, prev_h, prev_c, attn):
    inputs, weights = torch.cat([attn, x], dim=-1), torch.cat([self.Wattn, self.Wx], dim=0)
    h, c, _ = lstm_step_forward(inputs, prev_h, prev_c, weights, self.Wh, self.b)
    return h, c


@variant(f"{MODULES}AttentionLSTM.forward")
def look_into_a_table(self, x, A):
    N, T, _ = x.shape
    states = x.new_zeros(N, T, A.shape[1])
    h = c = A.flatten(2).mean(dim=2)
    for t in range(T):
        h, c = self.step_forward(x[:, t], h, c, modules.dot_product_attention(h, A)[0])
        states[:, t] = h
    return states


@variant(f"{MODULES}AttentionLSTM.forward")
def look_with_clones(self, x, A):
    h, states = A.mean(3).mean(2), []
    c = h.clone()
    for step in x.transpose(0, 1):
        attn, _ = modules.dot_product_attention(h, A)
        h, c = self.step_forward(step, h, c, attn)
        states.append(h)
    return torch.stack(states).transpose(0, 1)
