"""What the notebooks try out."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.attention.layers import MultiHeadAttention, position_encoding_sinusoid
from exercise_code.support import data
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.operation_count import Watch
from exercise_code.support.notebook.setup import seconds
from exercise_code.vit.model import VisionTransformer, ViT

Net = TypeVar("Net", bound=nn.Module)

NUM_ITEMS, NUM_SYMBOLS = 8, 5
"""A sequence of `two_wishes` has so many items, each of which shows one of so many symbols."""
NUM_TOKENS = 6
"""A sequence of `in_order` has so many tokens, each of them once."""


def measured_curve(
    num: int, seed: int
) -> tuple[Float[Tensor, " num"], Float[Tensor, " num"], Float[Tensor, " num"]]:
    """Places from 0 to 10 in order, noisy values measured there, and the true values: waves and a jump."""
    random = torch.Generator().manual_seed(seed)
    x = 10 * torch.rand(num, generator=random).sort().values
    truth = x.sin() + 2 * (x > 5)
    return x, truth + 0.3 * torch.randn(num, generator=random), truth


def by_distance(
    asked: Float[Tensor, " k"], x: Float[Tensor, " n"], y: Float[Tensor, " n"], width: float
) -> tuple[Float[Tensor, " k"], Float[Tensor, "k n"]]:
    """Means of all y, with weights that fall with the distance from the place asked for; and the weights."""
    scores = -(asked[:, None] - x).square() / (2 * width**2)
    weights = torch.softmax(scores, dim=1)
    return weights @ y, weights


def sizes_of_scores(lengths: list[int], seed: int, *, divided: bool) -> Float[Tensor, "num_lengths 2"]:
    """For vectors of each length, with normal entries: the spread of dot products with 16 keys, and the
    largest weight that a softmax makes of them, each the mean over 200 queries.
    """
    random = torch.Generator().manual_seed(seed)
    found = []
    for length in lengths:
        query, keys = (torch.randn(200, n, length, generator=random) for n in (1, 16))
        scores = (query * keys).sum(dim=2) / (length**0.5 if divided else 1)
        found.append(torch.stack([scores.std(), scores.softmax(dim=1).amax(dim=1).mean()]))
    return torch.stack(found)


def two_wishes(num: int, random: torch.Generator) -> tuple[Float[Tensor, "num 8 7"], Int[Tensor, "num 2"]]:
    """Sequences of items, each with two numbers and a symbol; the symbols of the items in which the first and
    the second number are largest.
    """
    numbers = torch.randn(num, NUM_ITEMS, 2, generator=random)
    symbols = torch.randint(NUM_SYMBOLS, (num, NUM_ITEMS), generator=random)
    items = torch.cat([numbers, functional.one_hot(symbols, NUM_SYMBOLS).float()], dim=2)
    return items, symbols.gather(1, numbers.argmax(dim=1))


class Wisher(nn.Module):
    """One learned query attends to the items; a linear layer names two symbols. `weights` are the last."""

    def __init__(self, num_heads: int, width: int = 16):
        super().__init__()
        self.items = nn.Linear(2 + NUM_SYMBOLS, width)
        self.asks = nn.Parameter(torch.randn(1, 1, width))
        self.attention = nn.MultiheadAttention(width, num_heads, batch_first=True)
        self.names = nn.Linear(width, 2 * NUM_SYMBOLS)

    def forward(self, items: Float[Tensor, "N 8 7"]) -> Float[Tensor, "N 2 5"]:
        vectors = self.items(items)
        asks = self.asks.expand(len(items), -1, -1)
        found, weights = self.attention(asks, vectors, vectors, average_attn_weights=False)
        self.weights = weights.detach()[:, :, 0]
        return self.names(found[:, 0]).unflatten(1, (2, NUM_SYMBOLS))


def wisher(num_heads: int, seed: int, steps: int) -> Wisher:
    """A `Wisher` that is trained on new sequences in every step."""

    def loss(net: Wisher, random: torch.Generator) -> Tensor:
        items, wanted = two_wishes(128, random)
        return functional.cross_entropy(net(items).flatten(0, 1), wanted.flatten())

    return _trained(lambda: Wisher(num_heads), loss, seed, steps)[0]


def granted(net: Wisher) -> float:
    """How many per cent of the symbols of 2,000 other sequences are right."""
    items, wanted = two_wishes(2_000, torch.Generator().manual_seed(1_000))
    with torch.no_grad():
        return 100 * (net(items).argmax(dim=2) == wanted).float().mean().item()


def in_order(num: int, random: torch.Generator) -> tuple[Int[Tensor, "num 6"], Float[Tensor, " num"]]:
    """All tokens in some order, and 1 where token 0 comes before token 1, else 0."""
    tokens = torch.rand(num, NUM_TOKENS, generator=random).argsort(dim=1)
    places = tokens.argsort(dim=1)
    return tokens, (places[:, 0] < places[:, 1]).float()


class Orderly(nn.Module):
    """Word vectors, with or without positions, one layer of attention, the mean over tokens, one number."""

    def __init__(self, *, positions: bool, width: int = 16):
        super().__init__()
        self.words = nn.Embedding(NUM_TOKENS, width)
        self.positions = position_encoding_sinusoid(NUM_TOKENS, width) if positions else 0.0
        self.attention = MultiHeadAttention(width, 2, dropout=0.0)
        self.says = nn.Linear(width, 1)

    def forward(self, tokens: Int[Tensor, "N 6"]) -> Float[Tensor, " N"]:
        vectors = self.words(tokens) + self.positions
        return self.says(self.attention(vectors, vectors, vectors).mean(dim=1))[:, 0]


def order_told(*, positions: bool, seed: int, steps: int) -> float:
    """Train an `Orderly` on new sequences in every step; how many per cent of 2,000 others are right."""

    def loss(net: Orderly, random: torch.Generator) -> Tensor:
        tokens, first = in_order(128, random)
        return functional.binary_cross_entropy_with_logits(net(tokens), first)

    net, random = _trained(lambda: Orderly(positions=positions), loss, seed, steps)
    tokens, first = in_order(2_000, random)
    with torch.no_grad():
        return 100 * ((net(tokens) > 0) == first.bool()).float().mean().item()


def _trained(
    make: Callable[[], Net], loss: Callable[[Net, torch.Generator], Tensor], seed: int, steps: int
) -> tuple[Net, torch.Generator]:
    """A network that is made and trained with a seed, by Adam; and the generator, to draw other data."""
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = make()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(net, random).backward()
        optimizer.step()
    return net, random


def pictures(name: str, num_train: int, num_val: int) -> dict[str, Tensor]:
    """Training and validation pictures of a data set, centred, with a standard deviation of about 1."""
    images = data.prepare(name, num_train, num_val, 0, flatten=False)
    return images | {key: 4 * pixels for key, pixels in images.items() if key.startswith("X")}


def reshaped(x: Float[Tensor, "N C H W"], patch_size: int) -> Float[Tensor, "N P D"]:
    """The mistake that everybody makes once: cut by `reshape` alone. The shape is that of patches."""
    return x.reshape(len(x), -1, x.shape[1] * patch_size**2)


def small_cnn(num_classes: int = 10) -> nn.Sequential:
    """Three convolutions with stride 2, batch norm and ReLU, the mean over places, a linear layer."""
    blocks = [
        nn.Sequential(nn.Conv2d(inner, outer, 3, stride=2, padding=1), nn.BatchNorm2d(outer), nn.ReLU())
        for inner, outer in ((3, 32), (32, 64), (64, 64))
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, num_classes))


def small_vit(patch_size: int = 8) -> ViT:
    """About as many parameters as `small_cnn`."""
    return ViT(32, patch_size, 3, 48, num_layers=3, num_heads=4, dim_feedforward=96, dropout=0.0)


def classifier(
    make: Callable[[], Net],
    x: Float[Tensor, "N 3 H W"],
    y: Int[Tensor, " N"],
    epochs: int,
    seed: int,
    rate: float = 3e-3,
) -> Net:
    """A network that is made and trained with a seed, by AdamW in batches of 64, in one cycle of the rate."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = make().train()
        optimizer = torch.optim.AdamW(net.parameters(), lr=rate)
        steps = epochs * -(-len(x) // 64)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
        for _ in range(epochs):
            for batch in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                functional.cross_entropy(net(x[batch]), y[batch]).backward()
                optimizer.step()
                cycle.step()
    return net.eval()


def accuracy(net: nn.Module, x: Float[Tensor, "N 3 H W"], y: Int[Tensor, " N"]) -> float:
    """How many per cent of the pictures get their class."""
    with torch.no_grad():
        found = torch.cat([net(some).argmax(dim=1) for some in x.split(500)])
    return 100 * (found == y).float().mean().item()


def race(
    makers: Mapping[str, Callable[[], nn.Module]],
    images: Mapping[str, Tensor],
    sizes: Sequence[int],
    seeds: Sequence[int],
    steps: int,
) -> dict[str, Float[Tensor, "num_sizes num_seeds"]]:
    """Validation accuracy (%) of networks that see the first so many training pictures, in as many steps."""
    found = {name: torch.zeros(len(sizes), len(seeds)) for name in makers}
    for (row, num), (column, seed) in itertools.product(enumerate(sizes), enumerate(seeds)):
        x, y = images["X_train"][:num], images["y_train"][:num]
        for name, make in makers.items():
            net = classifier(make, x, y, max(1, 64 * steps // num), seed)
            found[name][row, column] = accuracy(net, images["X_val"], images["y_val"])
    return found


def weights_of_heads(
    net: VisionTransformer | ViT, x: Float[Tensor, "N 3 H W"]
) -> Float[Tensor, "layers N heads S S"]:
    """The attention weights of all layers: a hook takes what goes into each dropout of weights."""
    kept: list[Tensor] = []
    hooks = [
        layer.self_attn.attn_drop.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
        for layer in net.layers
    ]
    with torch.no_grad():
        net.eval()(x)
    for hook in hooks:
        hook.remove()
    return torch.stack(kept)


def alike(vectors: Float[Tensor, "P E"]) -> Float[Tensor, "P P"]:
    """Cosine similarities of all pairs."""
    unit = functional.normalize(vectors.detach(), dim=1)
    return unit @ unit.T


def own_attention(
    query: Float[Tensor, "N H S d"], key: Float[Tensor, "N H T d"], value: Float[Tensor, "N H T d"]
) -> Float[Tensor, "N H S d"]:
    """Attention as `layers.MultiHeadAttention` has it, after the projections."""
    scores = query @ key.mT / query.shape[3] ** 0.5
    return scores.softmax(dim=3) @ value


def costs(
    attend: Callable[[Tensor, Tensor, Tensor], Tensor], length: int, heads: int = 4, d: int = 32
) -> tuple[float, float]:
    """Seconds of one call on so many tokens, and MiB of the tensors that it makes and holds at once."""
    random = torch.Generator().manual_seed(0)
    three = [torch.randn(1, heads, length, d, generator=random) for _ in range(3)]
    with torch.no_grad():
        time = seconds(attend, *three)
        with Watch(Case(0, "memory"), memory=True) as watch:
            attend(*three)
    return time, watch.peak / 2**20
