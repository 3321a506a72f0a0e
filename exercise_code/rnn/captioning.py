"""A network that looks at a picture and says what it sees, word after word."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from exercise_code.mlp.fully_connected_networks import Linear
from exercise_code.rnn import layers
from exercise_code.rnn.losses import temporal_softmax_loss, temporal_softmax_loss_masked
from exercise_code.rnn.modules import LSTM, RNN, AttentionLSTM, WordEmbedding, dot_product_attention

CELLS: dict[str, type[nn.Module]] = {"rnn": RNN, "lstm": LSTM, "attention": AttentionLSTM}
State = tuple[Tensor, ...]
"""What a step hands on to the next: (h,) of an RNN, (h, c) of an LSTM, (h, c, A) with attention."""


def word_probabilities(scores: Float[Tensor, "N V"], temperature: float = 1.0) -> Float[Tensor, "N V"]:
    """Probabilities of the next word: the softmax of scores divided by a temperature.

    Args:
        scores: of V words, of any size.
        temperature: above 0; near 0 the best word takes all, far above 1 all words are equally likely.

    Raises:
        ValueError: the temperature is 0 or less.
    """
    ### BEGIN SOLUTION
    if temperature <= 0:
        raise ValueError(f"temperature={temperature} must be above 0.")
    return (scores / temperature).softmax(dim=1)
    ### END SOLUTION


class CaptioningRNN(nn.Module):
    """Captions pictures by an RNN, an LSTM, or an LSTM with attention (Vinyals et al., Xu et al., 2015).

    Pictures come as feature maps (N, D, height, width). Parameters: `embed.W_embed`, `W_proj`, `b_proj`,
    those of `cell` (`Wx`, `Wh`, `b`, with attention `Wattn`), `W_vocab` and `b_vocab`.
    """

    def __init__(
        self,
        word_to_idx: dict[str, int],
        input_dim: int = 512,
        wordvec_dim: int = 128,
        hidden_dim: int = 128,
        cell_type: str = "rnn",
    ):
        """Random weights, and biases of 0.

        Args:
            word_to_idx: numbers of the V words, 0 to V - 1, with <NULL>, <START> and <END> among them.
            input_dim: D, channels of the feature maps.
            wordvec_dim: length of a word's vector.
            hidden_dim: H, length of a hidden state.
            cell_type: "rnn", "lstm" or "attention".

        Raises:
            ValueError: there is no such cell.
        """
        super().__init__()
        if cell_type not in CELLS:
            raise ValueError(f"cell_type={cell_type!r} must be one of {', '.join(CELLS)}.")
        self.cell_type = cell_type
        self.null, self.start, self.end = (word_to_idx[word] for word in ("<NULL>", "<START>", "<END>"))
        num_words = len(word_to_idx)
        self.embed = WordEmbedding(num_words, wordvec_dim)
        self.W_proj = nn.Parameter(torch.randn(input_dim, hidden_dim) / input_dim**0.5)
        self.b_proj = nn.Parameter(torch.zeros(hidden_dim))
        self.cell = CELLS[cell_type](wordvec_dim, hidden_dim)
        self.W_vocab = nn.Parameter(torch.randn(hidden_dim, num_words) / hidden_dim**0.5)
        self.b_vocab = nn.Parameter(torch.zeros(num_words))

    def project(self, features: Float[Tensor, "N D height width"]) -> Float[Tensor, "N H *places"]:
        """What the cell gets of the picture:  features W_proj + b_proj .

        Args:
            features: maps that need not be square.

        Returns:
            With attention the projected map (N, H, height, width), where each place is projected by itself;
            otherwise (N, H), the projection of the mean over all places.
        """
        ### BEGIN SOLUTION
        if self.cell_type == "attention":
            return (features.movedim(1, 3) @ self.W_proj + self.b_proj).movedim(3, 1)
        return features.mean(dim=(2, 3)) @ self.W_proj + self.b_proj
        ### END SOLUTION

    def forward(
        self, features: Float[Tensor, "N D height width"], captions: Int[Tensor, "N T"]
    ) -> Float[Tensor, ""]:
        """The loss of captions with teacher forcing: each step gets the right word, predicts the next.

        Inputs are all words of the captions but the last, to be predicted are all but the first. The words
        go through `embed` and `cell`, which starts with `project(features)`; the scores are h W_vocab +
        b_vocab, and the loss is `temporal_softmax_loss`, in which <NULL> does not count.

        Args:
            features: one map for each caption.
            captions: words from <START> to <END>, filled up with <NULL>.

        Returns:
            The loss, summed over the steps that count and averaged over the captions.
        """
        ### BEGIN SOLUTION
        h = self.cell(self.embed(captions[:, :-1]), self.project(features))
        scores = h @ self.W_vocab + self.b_vocab
        return temporal_softmax_loss(scores, captions[:, 1:], ignore_index=self.null)
        ### END SOLUTION

    def loss(
        self, features: Float[Tensor, "N D height width"], captions: Int[Tensor, "N T"]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """The same loss with its gradients by hand, out of the functions of `rnn.layers` and `rnn.losses`.

        `Linear` of a03 projects, `temporal_affine_forward` makes scores. It works under `torch.no_grad()`:
        autograd is not allowed here.

        Args:
            features: one map for each caption.
            captions: words from <START> to <END>, filled up with <NULL>.

        Returns:
            The loss, and the gradient of each parameter under its name in `named_parameters()`.

        Raises:
            ValueError: the cell has attention, whose gradients are left to autograd.
        """
        ### BEGIN SOLUTION
        if self.cell_type == "attention":
            raise ValueError("By hand there are gradients of rnn and lstm alone.")
        forward, backward = {
            "rnn": (layers.rnn_forward, layers.rnn_backward),
            "lstm": (layers.lstm_forward, layers.lstm_backward),
        }[self.cell_type]
        heard, due = captions[:, :-1], captions[:, 1:]
        h0, proj_cache = Linear.forward(features.mean(dim=(2, 3)), self.W_proj, self.b_proj)
        vectors, embed_cache = layers.word_embedding_forward(heard, self.embed.W_embed)
        h, cell_cache = forward(vectors, h0, self.cell.Wx, self.cell.Wh, self.cell.b)
        scores, vocab_cache = layers.temporal_affine_forward(h, self.W_vocab, self.b_vocab)
        loss, dscores = temporal_softmax_loss_masked(scores, due, due != self.null)

        grads = {}
        dh, grads["W_vocab"], grads["b_vocab"] = layers.temporal_affine_backward(dscores, vocab_cache)
        dvectors, dh0, grads["cell.Wx"], grads["cell.Wh"], grads["cell.b"] = backward(dh, cell_cache)
        grads["embed.W_embed"] = layers.word_embedding_backward(dvectors, embed_cache)
        _, grads["W_proj"], grads["b_proj"] = Linear.backward(dh0, proj_cache)
        return loss, grads
        ### END SOLUTION

    def start_state(self, features: Float[Tensor, "N D height width"]) -> State:
        """What the cell has before the first word.

        Args:
            features: maps of pictures.

        Returns:
            (h,) of an RNN, h the projected picture; (h, c) of an LSTM, with a c of 0; (h, c, A) with
            attention: A the projected map, h and c both its mean over all places.
        """
        ### BEGIN SOLUTION
        projected = self.project(features)
        if self.cell_type == "rnn":
            return (projected,)
        if self.cell_type == "lstm":
            return projected, torch.zeros_like(projected)
        mean = projected.mean(dim=(2, 3))
        return mean, mean, projected
        ### END SOLUTION

    def step(
        self, words: Int[Tensor, " N"], state: State
    ) -> tuple[Float[Tensor, "N V"], State, Float[Tensor, "N height width"] | None]:
        """Read one word, and score the words that may come next.

        Args:
            words: the word before, of each caption.
            state: from `start_state` or from the step before.

        Returns:
            The scores, the next state, and the weights of the places attended to; None without attention.
        """
        ### BEGIN SOLUTION
        x = self.embed(words.unsqueeze(1)).squeeze(1)
        weights = None
        if self.cell_type == "rnn":
            state = (self.cell.step_forward(x, *state),)
        elif self.cell_type == "lstm":
            state = self.cell.step_forward(x, *state)
        else:
            h, c, A = state
            attn, weights = dot_product_attention(h, A)
            state = *self.cell.step_forward(x, h, c, attn), A
        return state[0] @ self.W_vocab + self.b_vocab, state, weights
        ### END SOLUTION

    def sample(
        self,
        features: Float[Tensor, "N D height width"],
        max_length: int = 15,
        choose: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Int[Tensor, "N max_length"], Float[Tensor, "N max_length height width"] | None]:
        """Caption greedily: take the best word, and feed it back; the first word read is <START>.

        Args:
            features: maps of pictures; there may be one alone.
            max_length: how many words to make. There is no end before: what follows <END> is not read.
            choose: takes the scores (N, V) and picks N words; the best ones are taken if it is not given.

        Returns:
            The words made, the first of them the one that follows <START>, and the weights of the places
            attended to for each word; None without attention.
        """
        ### BEGIN SOLUTION
        state = self.start_state(features)
        words = torch.full((len(features),), self.start, device=features.device)
        said, attended = [], []
        for _ in range(max_length):
            scores, state, weights = self.step(words, state)
            words = scores.argmax(dim=1) if choose is None else choose(scores)
            said.append(words)
            attended.append(weights)
        maps = torch.stack(attended, dim=1) if self.cell_type == "attention" else None
        return torch.stack(said, dim=1), maps
        ### END SOLUTION

    def draw(
        self,
        features: Float[Tensor, "N D height width"],
        temperature: float,
        random: torch.Generator,
        max_length: int = 15,
    ) -> Int[Tensor, "N max_length"]:
        """Caption by chance: each word is drawn from `word_probabilities` at a temperature, and fed back."""

        def by_chance(scores: Tensor) -> Tensor:
            return word_probabilities(scores, temperature).multinomial(1, generator=random).squeeze(1)

        return self.sample(features, max_length, by_chance)[0]

    def unforced_loss(
        self, features: Float[Tensor, "N D height width"], captions: Int[Tensor, "N T"]
    ) -> Float[Tensor, ""]:
        """The loss without teacher forcing: each step gets the model's own best word, not the right one.

        The first input is the captions' first word. What is to be predicted, and which steps count, is as in
        `forward`.

        Args:
            features: one map for each caption.
            captions: words from <START> to <END>, filled up with <NULL>.

        Returns:
            The loss, summed over the steps that count and averaged over the captions.
        """
        ### BEGIN SOLUTION
        state, words, every = self.start_state(features), captions[:, 0], []
        for _ in range(captions.shape[1] - 1):
            scores, state, _ = self.step(words, state)
            words = scores.argmax(dim=1)
            every.append(scores)
        return temporal_softmax_loss(torch.stack(every, dim=1), captions[:, 1:], ignore_index=self.null)
        ### END SOLUTION

    def beam_search(
        self, features: Float[Tensor, "1 D height width"], width: int, max_length: int = 15
    ) -> tuple[list[int], float]:
        """Caption one picture by keeping the `width` most probable beginnings at every step.

        At each step every beginning that has not ended is continued by its `width` best words; those that end
        with <END> stay as they are. Of all these the `width` with the largest sum of log p are kept.

        Args:
            features: the map of one picture.
            width: beginnings to keep, from 1 to the number of words; 1 is greedy.
            max_length: the most words.

        Returns:
            The words of the best one, without <START>, with <END> if it has come, and the sum of their log p.
        """
        ### BEGIN SOLUTION
        beams = [(0.0, [self.start], self.start_state(features))]
        for _ in range(max_length):
            longer = [beam for beam in beams if beam[1][-1] == self.end]
            for total, words, state in beams:
                if words[-1] != self.end:
                    scores, following, _ = self.step(torch.tensor(words[-1:], device=features.device), state)
                    values, best = scores[0].log_softmax(dim=0).topk(width)
                    for value, word in zip(values.tolist(), best.tolist(), strict=True):
                        longer.append((total + value, [*words, word], following))
            beams = sorted(longer, key=lambda beam: beam[0], reverse=True)[:width]
        total, words, _ = beams[0]
        return words[1:], total
        ### END SOLUTION
