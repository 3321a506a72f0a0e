"""What the fourth notebook tries out: networks that read pictures, and what attention costs."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.support import data
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.operation_count import Watch
from exercise_code.support.notebook.setup import seconds
from exercise_code.vit.model import VisionTransformer, ViT

Net = TypeVar("Net", bound=nn.Module)


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
