"""How people get `rnn.modules` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional

from exercise_code.rnn import modules
from exercise_code.rnn.layers import lstm_forward, lstm_step_forward
from exercise_code.support.checking.declare import mistake

MODULES = "rnn.modules."
STEP = f"{MODULES}LSTM.step_forward"
LSTM = f"{MODULES}LSTM.forward"
ATTENTION = f"{MODULES}dot_product_attention"
LOOK_STEP = f"{MODULES}AttentionLSTM.step_forward"
LOOK = f"{MODULES}AttentionLSTM.forward"


# The LSTM
@mistake(STEP, hint="The two states change places: the hidden state comes first, then the cell state.")
def step_swaps_states(self, x, prev_h, prev_c):
    next_h, next_c, _ = lstm_step_forward(x, prev_h, prev_c, self.Wx, self.Wh, self.b)
    return next_c, next_h


@mistake(
    STEP,
    hint="The cache is handed back as well: return the two new states alone.",
    raises=ValueError,
)
def step_with_cache(self, x, prev_h, prev_c):
    return lstm_step_forward(x, prev_h, prev_c, self.Wx, self.Wh, self.b)


@mistake(STEP, hint="The old cell state is handed back: the next step needs the new one.")
def step_keeps_cell(self, x, prev_h, prev_c):
    next_h, _, _ = lstm_step_forward(x, prev_h, prev_c, self.Wx, self.Wh, self.b)
    return next_h, prev_c


@mistake(STEP, hint="The cell state that comes in is not used: pass prev_c on, not zeros.")
def step_forgets_cell(self, x, prev_h, prev_c):
    return lstm_step_forward(x, prev_h, torch.zeros_like(prev_c), self.Wx, self.Wh, self.b)[:2]


@mistake(STEP, hint="prev_h goes in as the cell state as well: each state has its own place.")
def step_uses_hidden_twice(self, x, prev_h, prev_c):
    return lstm_step_forward(x, prev_h, prev_h, self.Wx, self.Wh, self.b)[:2]


@mistake(LSTM, hint="A tuple with the cache comes back: a module returns the hidden states alone.")
def lstm_with_cache(self, x, h0):
    return lstm_forward(x, h0, self.Wx, self.Wh, self.b)


@mistake(LSTM, hint="The first hidden state is ignored: pass h0 on.")
def lstm_without_start(self, x, h0):
    return lstm_forward(x, torch.zeros_like(h0), self.Wx, self.Wh, self.b)[0]


@mistake(LSTM, hint="Only the last hidden state comes back: a caption needs one for each of its words.")
def lstm_last_state(self, x, h0):
    return lstm_forward(x, h0, self.Wx, self.Wh, self.b)[0][:, -1]


@mistake(LSTM, hint="The cell state starts as h0 here: only the hidden state does, the cell starts as 0.")
def lstm_cell_from_hidden(self, x, h0):
    h, c, states = h0, h0, []
    for step in x.unbind(dim=1):
        h, c = self.step_forward(step, h, c)
        states.append(h)
    return torch.stack(states, dim=1)


@mistake(LSTM, hint="The cell state is 0 again at every step: hand the new one on to the next.")
def lstm_cell_lost(self, x, h0):
    h, states = h0, []
    for step in x.unbind(dim=1):
        h, _ = self.step_forward(step, h, torch.zeros_like(h))
        states.append(h)
    return torch.stack(states, dim=1)


# Attention
def _attended(prev_h, A, *, scale=None, dim=2, keys=None):
    places = A.flatten(2)
    scores = (prev_h.unsqueeze(1) @ (places if keys is None else keys)) / (scale or A.shape[1] ** 0.5)
    weights = scores.softmax(dim=dim)
    return (places @ weights.transpose(1, 2)).squeeze(2), weights.view(len(A), *A.shape[2:])


@mistake(ATTENTION, hint="The scores are not divided: divide by sqrt(H) before the softmax.")
def attention_without_scale(prev_h, A):
    return _attended(prev_h, A, scale=1)


@mistake(ATTENTION, hint="The scores are divided by H: its square root is due.")
def attention_over_h(prev_h, A):
    return _attended(prev_h, A, scale=A.shape[1])


@mistake(
    ATTENTION, hint="The scale comes from the number of places: it is sqrt(H), the length of the vectors."
)
def attention_scaled_by_places(prev_h, A):
    return _attended(prev_h, A, scale=(A.shape[2] * A.shape[3]) ** 0.5)


@mistake(
    ATTENTION,
    hint="The scale is a constant of 4, right for one size alone: take sqrt(H) of the maps that come.",
)
def attention_scaled_by_four(prev_h, A):
    return _attended(prev_h, A, scale=4)


@mistake(ATTENTION, hint="All weights are 1: the softmax runs over an axis of length 1, not over the places.")
def attention_softmax_of_one(prev_h, A):
    return _attended(prev_h, A, dim=1)


@mistake(ATTENTION, hint="The softmax runs over the batch: pictures have nothing to do with each other.")
def attention_softmax_over_batch(prev_h, A):
    return _attended(prev_h, A, dim=0)


@mistake(ATTENTION, hint="Each row of places has weights that sum to 1: one softmax goes over all places.")
def attention_softmax_over_rows(prev_h, A):
    scores = (prev_h[:, :, None, None] * A).sum(dim=1) / A.shape[1] ** 0.5
    weights = scores.softmax(dim=2)
    return (A * weights.unsqueeze(1)).sum(dim=(2, 3)), weights


@mistake(ATTENTION, hint="The weights are still one row for each picture: give them its height and width.")
def attention_weights_flat(prev_h, A):
    attn, weights = _attended(prev_h, A)
    return attn, weights.flatten(1)


@mistake(ATTENTION, hint="Height and width change places in the weights.")
def attention_weights_transposed(prev_h, A):
    attn, weights = _attended(prev_h, A)
    return attn, weights.transpose(1, 2)


@mistake(ATTENTION, hint="The weights are (N, width, height): the height of the map comes first.")
def attention_weights_width_first(prev_h, A):
    attn, weights = _attended(prev_h, A)
    return attn, weights.reshape(len(A), A.shape[3], A.shape[2])


@mistake(
    ATTENTION,
    hint="The weights are given the height twice: a map has a width of its own.",
    raises=RuntimeError,
)
def attention_map_taken_for_square(prev_h, A):
    weights = _attended(prev_h, A)[1].flatten(1)
    return (A.flatten(2) @ weights.unsqueeze(2)).squeeze(2), weights.view(len(A), A.shape[2], A.shape[2])


@mistake(
    ATTENTION,
    hint="The last two axes of the weights are both the height: the second one is the width.",
    raises=RuntimeError,
)
def attention_square_weights(prev_h, A):
    weights = _attended(prev_h, A)[1].flatten(1)
    return (A.flatten(2) @ weights.unsqueeze(2)).squeeze(2), weights.reshape(-1, A.shape[2], A.shape[2])


@mistake(
    ATTENTION,
    hint="The places are counted as the height squared: they are height times width.",
    raises=RuntimeError,
)
def attention_places_of_a_square(prev_h, A):
    _, weights = _attended(prev_h, A)
    return (A.flatten(2) @ weights.reshape(len(A), A.shape[2] ** 2, 1)).squeeze(2), weights


@mistake(
    ATTENTION,
    hint="4 x 4 places are written out: take the height and the width from A.",
    raises=RuntimeError,
)
def attention_of_sixteen_places(prev_h, A):
    return _attended(prev_h, A.reshape(len(A), A.shape[1], 16).unflatten(2, (4, 4)))


@mistake(
    ATTENTION,
    hint="The weights end as (N, 4, 4): they are as high and as wide as the map that comes.",
    raises=RuntimeError,
)
def attention_weights_of_four(prev_h, A):
    flat = A.flatten(2)
    weights = (prev_h.unsqueeze(1) @ flat / A.shape[1] ** 0.5).softmax(dim=2)
    return (flat @ weights.mT).squeeze(2), weights.reshape(len(A), 4, 4)


@mistake(
    ATTENTION,
    hint="The map is flattened to height * height places: it has height * width of them.",
    raises=RuntimeError,
)
def attention_flattened_to_a_square(prev_h, A):
    flat = A.reshape(*A.shape[:2], A.shape[2] ** 2)
    return _attended(prev_h, flat.unflatten(2, A.shape[2:]))


@mistake(
    ATTENTION,
    hint="The map is reshaped to (N, places, H), which moves no number: move axis H behind the places.",
)
def attention_places_by_view(prev_h, A):
    places = A.reshape(len(A), -1, A.shape[1])
    weights = ((places @ prev_h.unsqueeze(2)) / A.shape[1] ** 0.5).softmax(dim=1)
    return (places * weights).sum(dim=1), weights.view(len(A), *A.shape[2:])


@mistake(
    ATTENTION,
    hint="`view` cuts the map at the wrong numbers: move the places behind the H channels with `flatten`.",
)
def attention_view_as_places(prev_h, A):
    keys = A.reshape(len(A), -1, A.shape[1]).transpose(1, 2)
    return _attended(prev_h, A, keys=keys)


@mistake(
    ATTENTION, hint="The scores themselves weigh the places: put a softmax over the places before the mean."
)
def attention_without_softmax(prev_h, A):
    scores = (prev_h[:, :, None, None] * A).sum(dim=1) / A.shape[1] ** 0.5
    return (A * scores.unsqueeze(1)).sum(dim=(2, 3)), scores


@mistake(
    ATTENTION,
    hint="The weighted places are averaged: the weights sum to 1 already, so the places are added up.",
)
def attention_averaged(prev_h, A):
    attn, weights = _attended(prev_h, A)
    return attn / weights[0].numel(), weights


@mistake(ATTENTION, hint="The mean of all places is returned: each place counts with its own weight.")
def attention_plain_mean(prev_h, A):
    return A.mean(dim=(2, 3)), _attended(prev_h, A)[1]


@mistake(ATTENTION, hint="Only the place with the largest weight is returned: it is a mean over all of them.")
def attention_of_the_best(prev_h, A):
    _, weights = _attended(prev_h, A)
    best = weights.flatten(1).argmax(dim=1)
    return A.flatten(2)[torch.arange(len(A), device=A.device), :, best], weights


@mistake(ATTENTION, hint="The weights run the wrong way: places that fit less weigh more.")
def attention_of_the_least(prev_h, A):
    return _attended(-prev_h, A)


@mistake(
    ATTENTION,
    hint="`scaled_dot_product_attention` is the exercise itself: write its two products and its softmax.",
)
def attention_by_library(prev_h, A):
    places = A.flatten(2).transpose(1, 2)
    attn = functional.scaled_dot_product_attention(prev_h.unsqueeze(1), places, places)
    return attn.squeeze(1), _attended(prev_h, A)[1]


@mistake(
    ATTENTION, hint="A product of matrices takes all pictures and places at once, without a loop in Python."
)
def attention_place_by_place(prev_h, A):
    _, weights = _attended(prev_h, A)
    attn = torch.zeros_like(prev_h)
    for i in range(A.shape[2]):
        for j in range(A.shape[3]):
            attn = attn + weights[:, i, j, None] * A[:, :, i, j]
    return attn, weights


# The LSTM with attention
def _step(self, x, prev_h, prev_c, attn, weights=None):
    inputs = torch.cat([x, attn], dim=1)
    weights = torch.cat([self.Wx, self.Wattn]) if weights is None else weights
    return lstm_step_forward(inputs, prev_h, prev_c, weights, self.Wh, self.b)[:2]


@mistake(LOOK_STEP, hint="What is attended to is not used: add attn Wattn to the sum inside the gates.")
def look_step_blind(self, x, prev_h, prev_c, attn):
    return _step(self, x, prev_h, prev_c, torch.zeros_like(attn))


@mistake(LOOK_STEP, hint="Word and picture change places before the product: Wx is for x, Wattn for attn.")
def look_step_joined_the_other_way(self, x, prev_h, prev_c, attn):
    return _step(self, attn, prev_h, prev_c, x)


@mistake(LOOK_STEP, hint="attn goes through Wh: it has weights of its own, Wattn.")
def look_step_wrong_weights(self, x, prev_h, prev_c, attn):
    return _step(self, x, prev_h, prev_c, attn, torch.cat([self.Wx, self.Wh]))


@mistake(LOOK_STEP, hint="attn takes the place of the hidden state: the sum has a part of each.")
def look_step_replaces_hidden(self, x, prev_h, prev_c, attn):
    return _step(self, x, torch.zeros_like(prev_h), prev_c, attn)


@mistake(LOOK_STEP, hint="attn Wattn is added to the new hidden state: it belongs inside the gates.")
def look_step_adds_outside(self, x, prev_h, prev_c, attn):
    next_h, next_c = _step(self, x, prev_h, prev_c, torch.zeros_like(attn))
    return next_h + (attn @ self.Wattn).chunk(4, dim=1)[3], next_c


@mistake(LOOK_STEP, hint="The states come back in the wrong order: first the hidden state, then the cell.")
def look_step_swaps_states(self, x, prev_h, prev_c, attn):
    next_h, next_c = _step(self, x, prev_h, prev_c, attn)
    return next_c, next_h


def _looked(self, x, A, *, hidden=None, cell=None, once=False, attend_with=None, after=False):
    mean = A.mean(dim=(2, 3))
    h, c = (mean if start is None else start for start in (hidden, cell))
    first, states = h, []
    for step in x.unbind(dim=1):
        with_h = first if once else h
        if after:
            with_h, _ = self.step_forward(step, h, c, mean)
        attn, _ = modules.dot_product_attention(with_h, A)
        h, c = self.step_forward(step, h, c, attn)
        states.append(h)
    return torch.stack(states, dim=1)


@mistake(LOOK, hint="The picture is looked at once, before the first word: attend again at each step.")
def look_once(self, x, A):
    return _looked(self, x, A, once=True)


@mistake(LOOK, hint="The cell state starts as 0: with attention it starts as the mean of A, as h does.")
def look_cell_from_zero(self, x, A):
    return _looked(self, x, A, cell=torch.zeros_like(A[:, :, 0, 0]))


@mistake(LOOK, hint="The hidden state starts as 0: it is the mean of A over all places.")
def look_hidden_from_zero(self, x, A):
    return _looked(self, x, A, hidden=torch.zeros_like(A[:, :, 0, 0]))


@mistake(LOOK, hint="The states start as the sum of A over its places: their mean is due.")
def look_from_sum(self, x, A):
    start = A.sum(dim=(2, 3))
    return _looked(self, x, A, hidden=start, cell=start)


@mistake(LOOK, hint="The states start as the largest number of each channel: the mean over places is due.")
def look_from_largest(self, x, A):
    start = A.amax(dim=(2, 3))
    return _looked(self, x, A, hidden=start, cell=start)


@mistake(
    LOOK, hint="Attention uses a hidden state that has read the word already: take that of the step before."
)
def look_after_the_word(self, x, A):
    return _looked(self, x, A, after=True)


@mistake(LOOK, hint="The mean of the picture goes in at every step: use what `dot_product_attention` gives.")
def look_at_everything(self, x, A):
    h = c = mean = A.mean(dim=(2, 3))
    states = []
    for step in x.unbind(dim=1):
        h, c = self.step_forward(step, h, c, mean)
        states.append(h)
    return torch.stack(states, dim=1)


@mistake(LOOK, hint="The cell state is that of the start at every step: hand the new one on.")
def look_cell_lost(self, x, A):
    h = c = A.mean(dim=(2, 3))
    states = []
    for step in x.unbind(dim=1):
        attn, _ = modules.dot_product_attention(h, A)
        h, _ = self.step_forward(step, h, c, attn)
        states.append(h)
    return torch.stack(states, dim=1)


@mistake(LOOK, hint="The cell state queries the picture: attention uses the hidden state.")
def look_with_the_cell(self, x, A):
    h = c = A.mean(dim=(2, 3))
    states = []
    for step in x.unbind(dim=1):
        attn, _ = modules.dot_product_attention(c, A)
        h, c = self.step_forward(step, h, c, attn)
        states.append(h)
    return torch.stack(states, dim=1)


@mistake(LOOK, hint="Steps come first here: stack them along axis 1, (N, T, H).")
def look_steps_first(self, x, A):
    return _looked(self, x, A).transpose(0, 1)
