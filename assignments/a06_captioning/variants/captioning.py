"""Right versions of `rnn.captioning`, written otherwise."""

import torch
from torch.nn import functional

from exercise_code.rnn import layers
from exercise_code.rnn.losses import temporal_softmax_loss, temporal_softmax_loss_masked
from exercise_code.rnn.modules import dot_product_attention
from exercise_code.support.checking.declare import variant

CAPTIONER = "rnn.captioning.CaptioningRNN."


@variant("rnn.captioning.word_probabilities")
def probabilities_by_powers(scores, temperature=1.0):
    if not temperature > 0:
        raise ValueError("A temperature is above 0.")
    powers = torch.exp((scores - scores.max(dim=1, keepdim=True).values) / temperature)
    return powers / powers.sum(dim=1, keepdim=True)


@variant(f"{CAPTIONER}project")
def project_by_convolution(self, features):
    if self.cell_type == "attention":
        return functional.conv2d(features, self.W_proj.T[:, :, None, None], self.b_proj)
    return functional.linear(features.flatten(2).mean(2), self.W_proj.T, self.b_proj)


@variant(f"{CAPTIONER}project")
def project_then_mean(self, features):
    maps = torch.einsum("ndij,dh->nhij", features, self.W_proj) + self.b_proj.view(1, -1, 1, 1)
    return maps if self.cell_type == "attention" else maps.mean(dim=[2, 3])


@variant(f"{CAPTIONER}project")
def project_by_permute(self, features):
    if self.cell_type != "attention":
        return features.mean(3).mean(2) @ self.W_proj + self.b_proj
    N, D, height, width = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(-1, D) @ self.W_proj + self.b_proj
    return rows.view(N, height, width, -1).permute(0, 3, 1, 2)


@variant(f"{CAPTIONER}forward")
def forward_masked(self, features, captions):
    words, asked = captions[:, :-1], captions[:, 1:]
    states = self.cell(self.embed(words), self.project(features))
    scores, _ = layers.temporal_affine_forward(states, self.W_vocab, self.b_vocab)
    log_p = scores.log_softmax(dim=2).gather(2, asked.unsqueeze(2)).squeeze(2)
    return -log_p[asked != self.null].sum() / len(captions)


@variant(f"{CAPTIONER}forward")
def forward_by_linear(self, features, captions):
    start = self.project(features)
    h = self.cell(self.embed(captions)[:, :-1], start)
    scores = functional.linear(h, self.W_vocab.T, self.b_vocab)
    return temporal_softmax_loss(scores, captions[:, 1:], self.null)


@variant(f"{CAPTIONER}loss")
def by_hand_step_by_step(self, features, captions):
    kinds = {"rnn": ("rnn_forward", "rnn_backward"), "lstm": ("lstm_forward", "lstm_backward")}
    if self.cell_type not in kinds:
        raise ValueError("Attention is left to autograd.")
    forward, backward = (getattr(layers, name) for name in kinds[self.cell_type])
    params, pooled = dict(self.named_parameters()), features.flatten(2).mean(dim=2)
    out, table = layers.word_embedding_forward(captions[:, :-1], params["embed.W_embed"])
    h0 = pooled @ params["W_proj"] + params["b_proj"]
    h, cache = forward(out, h0, params["cell.Wx"], params["cell.Wh"], params["cell.b"])
    asked = captions[:, 1:]
    loss, dscores = temporal_softmax_loss_masked(
        h @ params["W_vocab"] + params["b_vocab"], asked, asked.ne(self.null)
    )
    rows = dscores.flatten(0, 1)
    dx, dh0, dWx, dWh, db = backward(dscores @ params["W_vocab"].T, cache)
    return loss, {
        "b_vocab": rows.sum(dim=0),
        "W_vocab": h.flatten(0, 1).T @ rows,
        "cell.Wx": dWx,
        "cell.Wh": dWh,
        "cell.b": db,
        "embed.W_embed": layers.word_embedding_backward(dx, table),
        "W_proj": pooled.T @ dh0,
        "b_proj": dh0.sum(dim=0),
    }


@variant(f"{CAPTIONER}start_state")
def start_by_match(self, features):
    picture = self.project(features)
    match self.cell_type:
        case "rnn":
            return (picture,)
        case "lstm":
            return picture, picture.new_zeros(picture.shape)
    return picture.flatten(2).mean(2), picture.flatten(2).mean(2), picture


@variant(f"{CAPTIONER}step")
def step_through_the_table(self, words, state):
    x, weights = self.embed.W_embed[words], None
    if self.cell_type == "attention":
        attn, weights = dot_product_attention(state[0], state[2])
        h, c = self.cell.step_forward(x, state[0], state[1], attn)
        new = (h, c, state[2])
    elif self.cell_type == "lstm":
        new = self.cell.step_forward(x, state[0], state[1])
    else:
        new = (self.cell.step_forward(x, state[0]),)
    return functional.linear(new[0], self.W_vocab.T, self.b_vocab), new, weights


@variant(f"{CAPTIONER}sample")
def sample_into_a_table(self, features, max_length=15, choose=None):
    N, _, height, width = features.shape
    said = torch.full((N, max_length), self.null, device=features.device)
    maps = features.new_zeros(N, max_length, height, width)
    state, word = self.start_state(features), torch.full_like(said[:, 0], self.start)
    for t in range(max_length):
        scores, state, weights = self.step(word, state)
        said[:, t] = word = choose(scores) if choose else scores.max(dim=1).indices
        if weights is not None:
            maps[:, t] = weights
    return said, maps if self.cell_type == "attention" else None


@variant(f"{CAPTIONER}unforced_loss")
def unforced_by_sampling_first(self, features, captions):
    with torch.no_grad():
        own, _ = self.sample(features, captions.shape[1] - 1)
    words = torch.cat([captions[:, :1], own[:, :-1]], dim=1)
    h = self.cell(self.embed(words), self.project(features))
    scores = h @ self.W_vocab + self.b_vocab
    return temporal_softmax_loss(scores, captions[:, 1:], ignore_index=self.null)


@variant(f"{CAPTIONER}unforced_loss")
def unforced_added_up(self, features, captions):
    state, word, total = self.start_state(features), captions[:, 0], 0
    for asked in captions[:, 1:].unbind(dim=1):
        scores, state, _ = self.step(word, state)
        word = scores.argmax(dim=1)
        total = total + functional.cross_entropy(scores, asked, ignore_index=self.null, reduction="sum")
    return total / len(captions)


@variant(f"{CAPTIONER}beam_search")
def beam_over_all_words(self, features, width, max_length=15):
    beams = [([], 0.0, self.start_state(features))]
    for _ in range(max_length):
        candidates = []
        for words, total, state in beams:
            if words and words[-1] == self.end:
                candidates.append((words, total, state))
                continue
            last = torch.tensor([words[-1] if words else self.start], device=features.device)
            scores, new, _ = self.step(last, state)
            gains = torch.log_softmax(scores, dim=1).squeeze(0).tolist()
            candidates += [([*words, word], total + gain, new) for word, gain in enumerate(gains)]
        candidates.sort(key=lambda candidate: -candidate[1])
        beams = candidates[:width]
    return beams[0][:2]


@variant(f"{CAPTIONER}beam_search")
def beam_until_the_best_has_ended(self, features, width, max_length=15):
    beams = [(0.0, [self.start], self.start_state(features))]
    while len(beams[0][1]) <= max_length and beams[0][1][-1] != self.end:
        longer = []
        for total, words, state in beams:
            if words[-1] == self.end or len(words) > max_length:
                longer.append((total, words, state))
                continue
            scores, new, _ = self.step(torch.full((1,), words[-1], device=features.device), state)
            log_p = scores[0] - scores[0].logsumexp(dim=0)
            best = log_p.argsort(descending=True)[:width].tolist()
            longer += [(total + float(log_p[word]), [*words, word], new) for word in best]
        beams = sorted(longer, key=lambda beam: -beam[0])[:width]
    return beams[0][1][1:], beams[0][0]
