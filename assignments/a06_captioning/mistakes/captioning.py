"""How people get `rnn.captioning` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional

from exercise_code.mlp.fully_connected_networks import Linear
from exercise_code.rnn import layers
from exercise_code.rnn.losses import temporal_softmax_loss, temporal_softmax_loss_masked
from exercise_code.rnn.modules import dot_product_attention
from exercise_code.support.checking.declare import mistake

PROBABILITIES = "rnn.captioning.word_probabilities"
CAPTIONER = "rnn.captioning.CaptioningRNN."
PROJECT, FORWARD, LOSS = f"{CAPTIONER}project", f"{CAPTIONER}forward", f"{CAPTIONER}loss"
START, STEP, SAMPLE = f"{CAPTIONER}start_state", f"{CAPTIONER}step", f"{CAPTIONER}sample"
UNFORCED, BEAM = f"{CAPTIONER}unforced_loss", f"{CAPTIONER}beam_search"


def _warm(temperature):
    if temperature <= 0:
        raise ValueError("The temperature must be above 0.")
    return temperature


# Temperature
@mistake(PROBABILITIES, hint="Scores are multiplied by the temperature: a low one should sharpen, so divide.")
def probabilities_multiplied(scores, temperature=1.0):
    return (scores * _warm(temperature)).softmax(dim=1)


@mistake(
    PROBABILITIES,
    hint="The temperature divides the probabilities, which then no longer sum to 1: divide scores.",
)
def probabilities_divided(scores, temperature=1.0):
    return scores.softmax(dim=1) / _warm(temperature)


@mistake(PROBABILITIES, hint="The temperature has no effect: divide the scores by it, before the softmax.")
def probabilities_without_temperature(scores, temperature=1.0):
    _warm(temperature)
    return scores.softmax(dim=1)


@mistake(PROBABILITIES, hint="The softmax runs over the batch: each caption has probabilities of its own.")
def probabilities_over_batch(scores, temperature=1.0):
    return (scores / _warm(temperature)).softmax(dim=0)


@mistake(PROBABILITIES, hint="All scores lie in one row: each of the N captions has V probabilities.")
def probabilities_in_one_row(scores, temperature=1.0):
    return (scores.view(-1) / _warm(temperature)).exp()


@mistake(PROBABILITIES, hint="These are logarithms of probabilities: words are drawn from the probabilities.")
def probabilities_as_logarithms(scores, temperature=1.0):
    return (scores / _warm(temperature)).log_softmax(dim=1)


@mistake(PROBABILITIES, hint="A temperature of 0 or less goes through: raise a ValueError.")
def probabilities_of_any_temperature(scores, temperature=1.0):
    return (scores / (temperature or 1.0)).softmax(dim=1)


@mistake(
    PROBABILITIES,
    hint="A temperature of 0 goes through: it divides by 0, so raise a ValueError there as well.",
)
def probabilities_of_zero(scores, temperature=1.0):
    if temperature < 0:
        raise ValueError("The temperature must not be negative.")
    return (scores / temperature).softmax(dim=1)


@mistake(
    PROBABILITIES, hint="exp overflows for large scores: use `softmax`, or subtract the largest score first."
)
def probabilities_overflow(scores, temperature=1.0):
    powers = (scores / _warm(temperature)).exp()
    return powers / powers.sum(dim=1, keepdim=True)


@mistake(PROBABILITIES, hint="The powers of probabilities no longer sum to 1: divide the scores instead.")
def probabilities_to_a_power(scores, temperature=1.0):
    return scores.softmax(dim=1) ** (1 / _warm(temperature))


# What the cell gets of the picture
def _projected(self, features, *, pool=None, bias=True):
    b = self.b_proj if bias else 0
    if self.cell_type == "attention":
        return (features.movedim(1, 3) @ self.W_proj + b).movedim(3, 1)
    pooled = features.mean(dim=(2, 3)) if pool is None else pool(features)
    return pooled @ self.W_proj + b


@mistake(PROJECT, hint="The bias b_proj is missing.")
def project_without_bias(self, features):
    return _projected(self, features, bias=False)


@mistake(PROJECT, hint="With attention the bias b_proj is missing: each place gets it.")
def project_map_without_bias(self, features):
    return _projected(self, features, bias=self.cell_type != "attention")


@mistake(PROJECT, hint="The places are summed up: their mean does not depend on the size of the map.")
def project_sum(self, features):
    return _projected(self, features, pool=lambda f: f.sum(dim=(2, 3)))


@mistake(PROJECT, hint="Only the strongest place of each channel counts: take the mean over all places.")
def project_largest(self, features):
    return _projected(self, features, pool=lambda f: f.amax(dim=(2, 3)))


@mistake(
    PROJECT,
    hint="Windows of 4 x 4 pool maps of one size alone: take the mean over all places, however many.",
    raises=RuntimeError,
)
def project_pooled_by_four(self, features):
    return _projected(self, features, pool=lambda f: functional.avg_pool2d(f, 4).squeeze())


@mistake(PROJECT, hint="Only the first place of the map is used: take the mean over all of them.")
def project_first_place(self, features):
    return _projected(self, features, pool=lambda f: f[:, :, 0, 0])


@mistake(PROJECT, hint="The map is projected as a whole: without attention, take the mean over all places.")
def project_always_maps(self, features):
    return (features.movedim(1, 3) @ self.W_proj + self.b_proj).movedim(3, 1)


@mistake(PROJECT, hint="With attention the map is averaged as well: it keeps its places there.")
def project_never_maps(self, features):
    return features.mean(dim=(2, 3)) @ self.W_proj + self.b_proj


@mistake(PROJECT, hint="The channels stay last in the projected map: move them back to axis 1.")
def project_channels_last(self, features):
    projected = _projected(self, features)
    return projected.movedim(1, 3) if self.cell_type == "attention" else projected


@mistake(
    PROJECT, hint="Height and width change places: move the channels alone, and keep the order of the places."
)
def project_swaps_sides(self, features):
    if self.cell_type == "attention":
        return (features.transpose(1, 3) @ self.W_proj + self.b_proj).movedim(3, 1)
    return _projected(self, features)


@mistake(
    PROJECT,
    hint="`view` reshapes the map without moving a number: move the channels behind the places first.",
)
def project_by_view(self, features):
    if self.cell_type == "attention":
        N, D, height, width = features.shape
        mixed = features.reshape(N, height, width, D) @ self.W_proj + self.b_proj
        return mixed.reshape(N, -1, height, width)
    return _projected(self, features)


@mistake(
    PROJECT,
    hint="`view` moves no number, so channels and places are mixed: use `movedim` before the product too.",
)
def project_by_view_one_way(self, features):
    if self.cell_type == "attention":
        N, D, height, width = features.shape
        return (features.reshape(N, height, width, D) @ self.W_proj + self.b_proj).movedim(3, 1)
    return _projected(self, features)


@mistake(
    PROJECT,
    hint="W_proj meets an axis of another length: the channels must stand last before the product.",
    raises=RuntimeError,
)
def project_without_moving(self, features):
    return features @ self.W_proj + self.b_proj


@mistake(PROJECT, hint="A ReLU or tanh follows the projection: none is asked for.")
def project_with_relu(self, features):
    return _projected(self, features).relu()


# The loss with teacher forcing
def _scores(self, words, projected):
    return self.cell(self.embed(words), projected) @ self.W_vocab + self.b_vocab


@mistake(
    FORWARD, hint="Every word is asked for at the step that reads it: the answer of step t is word t + 1."
)
def forward_copies(self, features, captions):
    scores = _scores(self, captions[:, :-1], self.project(features))
    return temporal_softmax_loss(scores, captions[:, :-1], ignore_index=self.null)


@mistake(FORWARD, hint="The steps are shifted the wrong way: each word has to predict the one before it.")
def forward_backwards(self, features, captions):
    scores = _scores(self, captions[:, 1:], self.project(features))
    return temporal_softmax_loss(scores, captions[:, :-1], ignore_index=self.null)


@mistake(FORWARD, hint="<NULL> counts: pass its number to the loss as `ignore_index`.")
def forward_counts_padding(self, features, captions):
    return temporal_softmax_loss(_scores(self, captions[:, :-1], self.project(features)), captions[:, 1:])


@mistake(FORWARD, hint="Word 0 is left out, which is a word like others: leave `self.null` out.")
def forward_ignores_word_zero(self, features, captions):
    scores = _scores(self, captions[:, :-1], self.project(features))
    return temporal_softmax_loss(scores, captions[:, 1:], ignore_index=0)


@mistake(
    FORWARD, hint="The mask comes from the words that go in: what counts is decided by the words asked for."
)
def forward_masks_inputs(self, features, captions):
    scores = _scores(self, captions[:, :-1], self.project(features))
    counts = captions[:, :-1] != self.null
    return temporal_softmax_loss_masked(scores, captions[:, 1:], counts)[0]


@mistake(FORWARD, hint="<END> is left out as well: when to stop has to be learned too.")
def forward_ignores_end(self, features, captions):
    scores, asked = _scores(self, captions[:, :-1], self.project(features)), captions[:, 1:]
    return temporal_softmax_loss(scores, asked.where(asked != self.end, self.null), ignore_index=self.null)


@mistake(
    FORWARD,
    hint="The loss is a mean over the steps that count: sum over them, and take the mean over captions.",
)
def forward_mean_of_steps(self, features, captions):
    scores = _scores(self, captions[:, :-1], self.project(features))
    return functional.cross_entropy(scores.flatten(0, 1), captions[:, 1:].flatten(), ignore_index=self.null)


@mistake(FORWARD, hint="The picture is not used: the cell starts with `project(features)`.")
def forward_blind(self, features, captions):
    return temporal_softmax_loss(
        _scores(self, captions[:, :-1], 0 * self.project(features)), captions[:, 1:], ignore_index=self.null
    )


@mistake(FORWARD, hint="The bias of the scores, b_vocab, is missing.")
def forward_without_bias(self, features, captions):
    h = self.cell(self.embed(captions[:, :-1]), self.project(features))
    return temporal_softmax_loss(h @ self.W_vocab, captions[:, 1:], ignore_index=self.null)


@mistake(
    FORWARD, hint="The scores pass through a softmax first: the loss has its own, and wants bare scores."
)
def forward_softmax_twice(self, features, captions):
    scores = _scores(self, captions[:, :-1], self.project(features)).softmax(dim=2)
    return temporal_softmax_loss(scores, captions[:, 1:], ignore_index=self.null)


@mistake(FORWARD, hint="The loss has lost its way back to the parameters: do not detach what goes into it.")
def forward_detached(self, features, captions):
    scores = _scores(self, captions[:, :-1], self.project(features).detach())
    return temporal_softmax_loss(scores, captions[:, 1:], ignore_index=self.null)


# The loss by hand
def _by_hand(self, features, captions, *, mask_inputs=False, padding=False, picture=True, gradient=True):
    if self.cell_type == "attention":
        raise ValueError("There are no gradients by hand with attention.")
    forward, backward = {
        "rnn": (layers.rnn_forward, layers.rnn_backward),
        "lstm": (layers.lstm_forward, layers.lstm_backward),
    }[self.cell_type]
    words, asked = captions[:, :-1], captions[:, 1:]
    h0, projected = Linear.forward(features.mean(dim=(2, 3)), self.W_proj, self.b_proj)
    vectors, embedded = layers.word_embedding_forward(words, self.embed.W_embed)
    h, cell = forward(vectors, h0 if picture else 0 * h0, self.cell.Wx, self.cell.Wh, self.cell.b)
    scores, affine = layers.temporal_affine_forward(h, self.W_vocab, self.b_vocab)
    counts = (words if mask_inputs else asked) != self.null
    loss, dscores = temporal_softmax_loss_masked(scores, asked, counts | padding)
    dh, dW_vocab, db_vocab = layers.temporal_affine_backward(dscores, affine)
    dvectors, dh0, dWx, dWh, db = backward(dh, cell)
    dW_embed = layers.word_embedding_backward(dvectors, embedded)
    _, dW_proj, db_proj = Linear.backward(dh0 if gradient else dh[:, 0], projected)
    grads = {"embed.W_embed": dW_embed, "W_proj": dW_proj, "b_proj": db_proj}
    grads |= {"cell.Wx": dWx, "cell.Wh": dWh, "cell.b": db, "W_vocab": dW_vocab, "b_vocab": db_vocab}
    return loss, grads


@mistake(LOSS, hint="The mask is that of the words that go in: mask by the words that are asked for.")
def by_hand_masks_inputs(self, features, captions):
    return _by_hand(self, features, captions, mask_inputs=True)


@mistake(LOSS, hint="<NULL> counts here: the mask is True where the word asked for is another one.")
def by_hand_counts_padding(self, features, captions):
    return _by_hand(self, features, captions, padding=True)


@mistake(LOSS, hint="The gradient of W_embed is missing: go back through the word vectors as well.")
def by_hand_without_embedding(self, features, captions):
    loss, grads = _by_hand(self, features, captions)
    del grads["embed.W_embed"]
    return loss, grads


@mistake(LOSS, hint="The gradients of W_proj and b_proj are missing: dh0 is theirs.")
def by_hand_without_projection(self, features, captions):
    loss, grads = _by_hand(self, features, captions)
    del grads["W_proj"], grads["b_proj"]
    return loss, grads


@mistake(
    LOSS,
    hint="What goes back to the picture is dh of the first step: it is dh0, which comes out of the cell.",
)
def by_hand_first_step_for_start(self, features, captions):
    return _by_hand(self, features, captions, gradient=False)


@mistake(LOSS, hint="The picture is left out of the first hidden state: h0 is its projection.")
def by_hand_blind(self, features, captions):
    return _by_hand(self, features, captions, picture=False)


@mistake(
    LOSS, hint="The gradients lie under other names: take those of `named_parameters()`, such as cell.Wx."
)
def by_hand_short_names(self, features, captions):
    loss, grads = _by_hand(self, features, captions)
    return loss, {name.rpartition(".")[2]: gradient for name, gradient in grads.items()}


@mistake(LOSS, hint="With attention this should raise a ValueError: there are no gradients by hand for it.")
def by_hand_accepts_attention(self, features, captions):
    if self.cell_type == "attention":
        return self.forward(features, captions), {}
    return _by_hand(self, features, captions)


@mistake(
    LOSS,
    hint="The gradients come from autograd: use the backward functions of `rnn.layers`.",
    raises=RuntimeError,
)
def by_hand_by_autograd(self, features, captions):
    loss = self.forward(features, captions)
    loss.backward()
    return loss.detach(), {name: param.grad for name, param in self.named_parameters()}


@mistake(LOSS, hint="The gradients of Wx and Wh change places: backward gives dx, dh0, dWx, dWh, db.")
def by_hand_swapped_weights(self, features, captions):
    loss, grads = _by_hand(self, features, captions)
    return loss, grads | {"cell.Wx": grads["cell.Wh"], "cell.Wh": grads["cell.Wx"]}


# Before the first word
def _start(self, features, *, cell=None, attention=None):
    projected = self.project(features)
    if self.cell_type == "rnn":
        return (projected,)
    if self.cell_type == "lstm":
        return projected, torch.zeros_like(projected) if cell is None else cell(projected)
    mean = projected.mean(dim=(2, 3))
    return (mean, mean, projected) if attention is None else attention(mean, projected)


@mistake(START, hint="The LSTM's cell starts as the picture here: it starts as 0, only h is the picture.")
def start_cell_from_picture(self, features):
    return _start(self, features, cell=lambda h: h)


@mistake(START, hint="With attention the cell starts as 0 here: it starts as the mean of the map, as h does.")
def start_attention_cell_of_zero(self, features):
    return _start(self, features, attention=lambda mean, A: (mean, torch.zeros_like(mean), A))


@mistake(START, hint="With attention h and c start as 0 here: both are the mean of the map over its places.")
def start_attention_of_zero(self, features):
    return _start(self, features, attention=lambda mean, A: (0 * mean, 0 * mean, A))


@mistake(START, hint="The map itself is missing at the end of the state: every step attends to it.")
def start_without_map(self, features):
    return _start(self, features, attention=lambda mean, A: (mean, mean))


@mistake(START, hint="The map comes first: the order is h, c, A.")
def start_map_first(self, features):
    return _start(self, features, attention=lambda mean, A: (A, mean, mean))


@mistake(START, hint="The states are the sum of the map over its places: their mean is due.")
def start_from_sum(self, features):
    return _start(self, features, attention=lambda mean, A: (A.sum(dim=(2, 3)),) * 2 + (A,))


@mistake(START, hint="The state is no tuple where the cell is an RNN: return (h,).")
def start_bare(self, features):
    state = _start(self, features)
    return state[0] if self.cell_type == "rnn" else state


# One word
def _step(self, words, state, *, scored=lambda state: state[0], cell=lambda old, new: new, seen=None):
    x = self.embed(words.unsqueeze(1)).squeeze(1)
    weights = None
    if self.cell_type == "rnn":
        state = (self.cell.step_forward(x, *state),)
    elif self.cell_type == "lstm":
        h, c = self.cell.step_forward(x, *state)
        state = h, cell(state[1], c)
    else:
        before, old, A = state
        attn, weights = dot_product_attention(before if seen is None else seen(self, x, *state), A)
        h, c = self.cell.step_forward(x, before, old, attn)
        state = h, cell(old, c), A
    return scored(state) @ self.W_vocab + self.b_vocab, state, weights


@mistake(STEP, hint="The cell state is that of the step before: hand the new one on.")
def step_keeps_cell(self, words, state):
    return _step(self, words, state, cell=lambda old, new: old)


@mistake(STEP, hint="The cell state is set to 0 after each step: hand the new one on.")
def step_resets_cell(self, words, state):
    return _step(self, words, state, cell=lambda old, new: torch.zeros_like(new))


@mistake(STEP, hint="The scores come from the cell state: they come from the hidden state.")
def step_scores_the_cell(self, words, state):
    return _step(self, words, state, scored=lambda state: state[0] if len(state) == 1 else state[1])


@mistake(STEP, hint="The scores come from the state before this word was read: use the new hidden state.")
def step_scores_the_old_state(self, words, state):
    before = state[0]
    return _step(self, words, state, scored=lambda _: before)


@mistake(STEP, hint="The state that came in is handed on unchanged: the next step needs the new one.")
def step_keeps_state(self, words, state):
    scores, _, weights = _step(self, words, state)
    return scores, state, weights


@mistake(STEP, hint="Probabilities come back: scores are asked for, without a softmax.")
def step_gives_probabilities(self, words, state):
    scores, state, weights = _step(self, words, state)
    return scores.softmax(dim=1), state, weights


@mistake(STEP, hint="The weights are missing: hand those of `dot_product_attention` back.")
def step_without_weights(self, words, state):
    scores, state, _ = _step(self, words, state)
    return scores, state, None


@mistake(STEP, hint="Attention asks with the cell state: it asks with the hidden state of the step before.")
def step_attends_with_the_cell(self, words, state):
    return _step(self, words, state, seen=lambda self, x, h, c, A: c)


@mistake(STEP, hint="Attention asks with the word: it asks with the hidden state of the step before.")
def step_attends_after_reading(self, words, state):
    def seen(self, x, h, c, A):
        return self.cell.step_forward(x, h, c, A.mean(dim=(2, 3)))[0]

    return _step(self, words, state, seen=seen)


@mistake(STEP, hint="The map is gone from the new state: the next step attends to it again.")
def step_loses_the_map(self, words, state):
    scores, state, weights = _step(self, words, state)
    return scores, state[:2], weights


@mistake(
    STEP, hint="A batch of one has lost its axis: `squeeze()` without an axis takes off all of length 1."
)
def step_squeezes_everything(self, words, state):
    scores, state, weights = _step(self, words, state)
    return scores.squeeze(), state, weights


@mistake(STEP, hint="The bias b_vocab is missing in the scores.")
def step_without_bias(self, words, state):
    scores, state, weights = _step(self, words, state)
    return scores - self.b_vocab, state, weights


@mistake(STEP, hint="The weights are those of the new hidden state: return the ones that this step used.")
def step_weights_of_the_new_state(self, words, state):
    scores, state, weights = _step(self, words, state)
    if weights is not None:
        weights = dot_product_attention(state[0], state[2])[1]
    return scores, state, weights


# Greedy sampling
def _sampled(
    self, features, max_length, *, first=None, fed=lambda best, start: best, choose=None, hold=False
):
    state, begin = self.start_state(features), self.start if first is None else first
    start = words = torch.full((len(features),), begin, device=features.device)
    said, maps = [], []
    for _ in range(max_length):
        before = state
        scores, state, weights = self.step(words, state)
        state = before if hold else state
        best = scores.argmax(dim=1) if choose is None else choose(scores)
        words = fed(best, start)
        said.append(best)
        maps.append(weights)
    return torch.stack(said, dim=1), torch.stack(maps, dim=1) if self.cell_type == "attention" else None


@mistake(SAMPLE, hint="<START> is fed at every step: feed the word that was just chosen.")
def sample_feeds_start(self, features, max_length=15, choose=None):
    return _sampled(self, features, max_length, choose=choose, fed=lambda best, start: start)


@mistake(SAMPLE, hint="<START> is among the words: the first one stored is the one that follows it.")
def sample_stores_start(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    return torch.cat([torch.full_like(words[:, :1], self.start), words[:, :-1]], dim=1), weights


@mistake(SAMPLE, hint="<START> takes the place of a word: max_length words follow it, each with its map.")
def sample_counts_start(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length - 1, choose=choose)
    return torch.cat([torch.full_like(words[:, :1], self.start), words], dim=1), weights


@mistake(SAMPLE, hint="It stops when all have said <END>: max_length words are due all the same.")
def sample_stops(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    ended = (words == self.end).all(dim=0).nonzero()
    stop = int(ended[0]) + 1 if len(ended) else max_length
    return words[:, :stop], weights if weights is None else weights[:, :stop]


@mistake(SAMPLE, hint="What follows <END> becomes <NULL>: leave it, it is not read.")
def sample_fills_up(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    behind = (words == self.end).cumsum(dim=1) - (words == self.end).long() > 0
    return words.masked_fill(behind, self.null), weights


@mistake(SAMPLE, hint="The maps of a step come together: stack the maps along axis 1, as the words are.")
def sample_maps_steps_first(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    return words, weights if weights is None else weights.transpose(0, 1)


@mistake(SAMPLE, hint="The first word read is <NULL>: it is <START>.")
def sample_begins_with_null(self, features, max_length=15, choose=None):
    return _sampled(self, features, max_length, choose=choose, first=self.null)


@mistake(SAMPLE, hint="The first word read is word 0, whatever it is: it is `self.start`.")
def sample_begins_with_zero(self, features, max_length=15, choose=None):
    return _sampled(self, features, max_length, choose=choose, first=0)


@mistake(SAMPLE, hint="The state is that of the start at every step: hand the new one on.")
def sample_keeps_state(self, features, max_length=15, choose=None):
    return _sampled(self, features, max_length, choose=choose, hold=True)


@mistake(SAMPLE, hint="The word with the smallest score is taken: the largest one is the best.")
def sample_takes_the_worst(self, features, max_length=15, choose=None):
    return _sampled(self, features, max_length, choose=choose or (lambda scores: scores.argmin(dim=1)))


@mistake(SAMPLE, hint="Words are drawn by chance: this method takes the best one each time.")
def sample_by_chance(self, features, max_length=15, choose=None):
    def drawn(scores):
        return scores.softmax(1).multinomial(1).squeeze(1)

    return _sampled(self, features, max_length, choose=choose or drawn)


@mistake(SAMPLE, hint="There is one word too few: make max_length of them.")
def sample_too_short(self, features, max_length=15, choose=None):
    return _sampled(self, features, max_length - 1, choose=choose)


@mistake(SAMPLE, hint="Steps come first: stack them along axis 1, (N, max_length).")
def sample_steps_first(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    return words.T, weights


@mistake(SAMPLE, hint="A batch of one has lost its axis: stack along axis 1, and squeeze nothing.")
def sample_squeezed(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    return words.squeeze(), weights


@mistake(SAMPLE, hint="Only the weights of the last word come back: there is a map for each word.")
def sample_last_weights(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    return words, weights if weights is None else weights[:, -1]


@mistake(SAMPLE, hint="The words are numbers with a fraction: keep them as int64.")
def sample_floats(self, features, max_length=15, choose=None):
    words, weights = _sampled(self, features, max_length, choose=choose)
    return words.to(features.dtype), weights


@mistake(SAMPLE, hint="`choose` is never called: where it is given, it picks the words.")
def sample_always_greedy(self, features, max_length=15, choose=None):
    return _sampled(self, features, max_length)


# Without teacher forcing
def _unforced(self, features, captions, *, first=None, fed=None, null=True, asked=None):
    state, every = self.start_state(features), []
    words = captions[:, 0] if first is None else torch.full_like(captions[:, 0], first)
    for t in range(captions.shape[1] - 1):
        scores, state, _ = self.step(words, state)
        words = scores.argmax(dim=1) if fed is None else fed(scores, captions, t)
        every.append(scores)
    asked = captions[:, 1:] if asked is None else captions[:, asked]
    return temporal_softmax_loss(torch.stack(every, dim=1), asked, ignore_index=self.null if null else None)


@mistake(UNFORCED, hint="The right words are fed: this is the loss with teacher forcing again.")
def unforced_with_teacher(self, features, captions):
    return self.forward(features, captions)


@mistake(UNFORCED, hint="The first word is fed at every step: feed the model's own best word.")
def unforced_feeds_first(self, features, captions):
    return _unforced(self, features, captions, fed=lambda scores, captions, t: captions[:, 0])


@mistake(UNFORCED, hint="<NULL> counts: leave the steps out in which it is asked for.")
def unforced_counts_padding(self, features, captions):
    return _unforced(self, features, captions, null=False)


@mistake(UNFORCED, hint="The words asked for start with <START>: the first answer is the word behind it.")
def unforced_not_shifted(self, features, captions):
    return _unforced(self, features, captions, asked=slice(None, -1))


@mistake(UNFORCED, hint="The model begins with <NULL>: the first input is the captions' first word.")
def unforced_begins_with_null(self, features, captions):
    return _unforced(self, features, captions, first=self.null)


@mistake(UNFORCED, hint="Words are drawn by chance: the best word is fed.")
def unforced_by_chance(self, features, captions):
    return _unforced(
        self,
        features,
        captions,
        fed=lambda scores, captions, t: scores.detach().softmax(1).multinomial(1).squeeze(1),
    )


@mistake(
    UNFORCED, hint="The model's best words are asked for as well: the answers are those of the captions."
)
def unforced_asks_itself(self, features, captions):
    words, _ = self.sample(features, captions.shape[1] - 1)
    return self.forward(features, torch.cat([captions[:, :1], words], dim=1))


@mistake(UNFORCED, hint="The loss is a mean over steps: sum over them, and take the mean over captions.")
def unforced_mean_of_steps(self, features, captions):
    return _unforced(self, features, captions) * len(captions) / (captions[:, 1:] != self.null).sum()


@mistake(
    UNFORCED,
    hint="The scores have lost their way back to the parameters: no `detach`, no `no_grad` here.",
    raises=RuntimeError,
)
def unforced_without_gradients(self, features, captions):
    with torch.no_grad():
        return _unforced(self, features, captions)


# Beam search
def _beams(
    self,
    features,
    width,
    max_length,
    *,
    ends=True,
    value=None,
    reverse=True,
    keep=None,
    first=1,
    rank=lambda beam: beam[0],
    handed_on=lambda old, new: new,
):
    beams = [(0.0, [self.start], self.start_state(features))]
    for _ in range(max_length):
        longer = [beam for beam in beams if ends and beam[1][-1] == self.end]
        for total, words, state in beams:
            if ends and words[-1] == self.end:
                continue
            scores, new, _ = self.step(torch.tensor(words[-1:], device=features.device), state)
            log_p = scores[0].log_softmax(dim=0) if value is None else value(scores[0])
            values, best = log_p.topk(width)
            for gain, word in zip(values.tolist(), best.tolist(), strict=True):
                longer.append(
                    ((total if keep is None else keep(total)) + gain, [*words, word], handed_on(state, new))
                )
        beams = sorted(longer, key=rank, reverse=reverse)[:width]
    return beams[0][1][first:], beams[0][0]


@mistake(BEAM, hint="<START> is among the words: leave it out.")
def beam_with_start(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, first=0)


@mistake(BEAM, hint="Captions go on behind <END>: one that has ended stays as it is, with its sum.")
def beam_never_ends(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, ends=False)


@mistake(BEAM, hint="Bare scores are summed: log p of each word is due, so that steps can be compared.")
def beam_of_scores(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, value=lambda scores: scores)


@mistake(
    BEAM, hint="Probabilities are summed: the probability of a caption is a product, so sum their logarithms."
)
def beam_of_probabilities(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, value=lambda scores: scores.softmax(dim=0))


@mistake(BEAM, hint="Only the last word's log p counts: add it to that of the words before.")
def beam_forgets_the_past(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, keep=lambda total: 0.0)


@mistake(BEAM, hint="The least probable beginnings are kept: sort from the largest sum down.")
def beam_keeps_the_worst(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, reverse=False)


@mistake(
    BEAM,
    hint="Every width gives the greedy caption: keep `width` beginnings, each continued in `width` ways.",
)
def beam_of_one(self, features, width, max_length=15):
    return _beams(self, features, 1, max_length)


@mistake(BEAM, hint="<END> is taken off the caption: it stays where it has come.")
def beam_without_end(self, features, width, max_length=15):
    words, total = _beams(self, features, width, max_length)
    return words[:-1] if words[-1] == self.end else words, total


@mistake(BEAM, hint="The sum is divided by the number of words: the sum itself is asked for.")
def beam_of_means(self, features, width, max_length=15):
    words, total = _beams(self, features, width, max_length)
    return words, total / len(words)


@mistake(BEAM, hint="Beginnings are ranked by their mean log p: the largest sums are kept, however long.")
def beam_ranked_by_means(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, rank=lambda beam: beam[0] / (len(beam[1]) - 1))


@mistake(BEAM, hint="Each beginning keeps the state before its last word: hand on what `step` returns.")
def beam_keeps_state(self, features, width, max_length=15):
    return _beams(self, features, width, max_length, handed_on=lambda old, new: old)
