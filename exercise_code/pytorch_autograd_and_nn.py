"""The three levels of PyTorch, and residual networks for images of any size."""

from collections.abc import Callable, Collection, Iterable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

Batches = Iterable[tuple[Float[Tensor, "N Cin H W"], Int[Tensor, " N"]]]
Block = Callable[..., nn.Module]
"""A class of blocks, called with Cin, Cout and downsample."""
StageArgs = tuple[int, int, int, bool]
"""Cin, Cout, number of blocks and downsample of a stage."""


def two_layer_fc(x: Float[Tensor, "N *image"], params: Sequence[Tensor]) -> Float[Tensor, "N C"]:
    """Scores of a network with one hidden layer, out of bare tensors: linear - ReLU - linear.

    Args:
        x: images.
        params: w1 (hidden, D), b1 (hidden,), w2 (C, hidden), b2 (C,), laid out as `nn.Linear` has them.
    """
    w1, b1, w2, b2 = params
    return F.linear(F.relu(F.linear(x.flatten(1), w1, b1)), w2, b2)


class TwoLayerFC(nn.Module):
    """The same network as a module, which knows its parameters."""

    def __init__(self, input_size: int, hidden_size: int, num_classes: int):
        """Kaiming normal weights; biases 0."""
        super().__init__()
        self.fc1 = nn.Linear(input_size, hidden_size)
        self.fc2 = nn.Linear(hidden_size, num_classes)
        for layer in (self.fc1, self.fc2):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Float[Tensor, "N *image"]) -> Float[Tensor, "N C"]:
        """Scores of images."""
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def train_part2(
    model_fn: Callable[[Tensor, Sequence[Tensor]], Tensor],
    params: Sequence[Tensor],
    learning_rate: float,
    batches: Batches,
) -> list[float]:
    """One epoch of gradient descent on bare tensors, every step by hand; returns the loss of each step."""
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model_fn(x, params), y)
        loss.backward()
        with torch.no_grad():
            for w in params:
                if w.grad is not None:
                    w -= learning_rate * w.grad
                    w.grad.zero_()
        losses.append(loss.item())
    return losses


def adjust_learning_rate(
    optimizer: torch.optim.Optimizer, lrd: float, epoch: int, schedule: Collection[int]
) -> None:
    """Multiply all learning rates by `lrd` when the epoch, counted from 0, is in the schedule."""
    if epoch in schedule:
        for group in optimizer.param_groups:
            group["lr"] *= lrd


def train_part345(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    epochs: int = 1,
    learning_rate_decay: float = 0.1,
    schedule: Collection[int] = (),
) -> list[float]:
    """Train a module with an optimiser; returns the loss of each step.

    Args:
        model: gives scores.
        optimizer: holds the model's parameters.
        batches: gone through once an epoch.
        epochs: how often.
        learning_rate_decay: factor on the learning rate in the epochs of the schedule.
        schedule: epochs, counted from 0.
    """
    losses = []
    for epoch in range(epochs):
        adjust_learning_rate(optimizer, learning_rate_decay, epoch, schedule)
        model.train()
        for x, y in batches:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def three_layer_convnet(x: Float[Tensor, "N Cin H W"], params: Sequence[Tensor]) -> Float[Tensor, "N C"]:
    """Scores of a three-layer network, out of bare tensors: conv - ReLU - conv - ReLU - linear.

    The first convolution has 5 x 5 filters and pads by 2, the second 3 x 3 filters and pads by 1; stride 1.
    The maps are flattened, image by image, before the linear layer. Scores are what softmax takes in.
    Use `F.conv2d`, `F.relu` and `F.linear`.

    Args:
        x: images of any height and width.
        params: conv_w1 (C1, Cin, 5, 5), conv_b1 (C1,), conv_w2 (C2, C1, 3, 3), conv_b2 (C2,),
            fc_w (C, C2 * H * W), fc_b (C,), in this order.

    Returns:
        Scores, through which gradients flow back to all parameters.
    """
    ### BEGIN SOLUTION
    conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b = params
    out = F.relu(F.conv2d(x, conv_w1, conv_b1, padding=2))
    out = F.relu(F.conv2d(out, conv_w2, conv_b2, padding=1))
    return F.linear(out.flatten(1), fc_w, fc_b)
    ### END SOLUTION


def initialize_three_layer_conv_part2(
    dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> list[Tensor]:
    """Parameters for `three_layer_convnet`: 32 and 16 filters, images of 3 x 32 x 32, ten classes.

    Weights are normal with mean 0 and variance 2 / fan_in (He et al., 2015, eq. 10), where fan_in is how many
    numbers an output sums up; biases are 0. All six are leaves of the graph that collect gradients.

    Args:
        dtype: of the parameters.
        device: of the parameters.

    Returns:
        (32, 3, 5, 5), (32,), (16, 32, 3, 3), (16,), (10, 16 * 32 * 32), (10,).
    """
    ### BEGIN SOLUTION
    params = []
    for shape in ((32, 3, 5, 5), (16, 32, 3, 3), (10, 16 * 32 * 32)):
        weights = nn.init.kaiming_normal_(torch.empty(shape, dtype=dtype, device=device))
        params += [weights, torch.zeros(shape[0], dtype=dtype, device=device)]
    return [param.requires_grad_() for param in params]
    ### END SOLUTION


class ThreeLayerConvNet(nn.Module):
    """The network of `three_layer_convnet` as a module, for images of 1,024 pixels.

    Attributes:
        conv1: convolution, 5 x 5, padding 2.
        conv2: convolution, 3 x 3, padding 1.
        fc: linear layer.
    """

    def __init__(self, in_channel: int, channel_1: int, channel_2: int, num_classes: int):
        """Create the three layers: Kaiming normal weights, variance 2 / fan_in, in all of them; biases 0.

        Args:
            in_channel: channels of an image.
            channel_1: filters of the first convolution.
            channel_2: filters of the second convolution.
            num_classes: scores.
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(in_channel, channel_1, 5, padding=2)
        self.conv2 = nn.Conv2d(channel_1, channel_2, 3, padding=1)
        self.fc = nn.Linear(channel_2 * 1024, num_classes)
        for each in (self.conv1, self.conv2, self.fc):
            nn.init.kaiming_normal_(each.weight)
            nn.init.zeros_(each.bias)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N Cin H W"]) -> Float[Tensor, "N C"]:
        """Scores of images with H * W = 1,024: conv - ReLU - conv - ReLU - linear."""
        ### BEGIN SOLUTION
        out = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc(out.flatten(1))
        ### END SOLUTION


def initialize_three_layer_conv_part3() -> tuple[nn.Module, torch.optim.Optimizer]:
    """A `ThreeLayerConvNet` for 3 channels and ten classes, with 32 and 16 filters, and its optimiser.

    Returns:
        The model; SGD on all its parameters with learning rate 3e-3, weight decay 1e-4 and no momentum.
    """
    ### BEGIN SOLUTION
    model = ThreeLayerConvNet(3, 32, 16, 10)
    return model, torch.optim.SGD(model.parameters(), lr=3e-3, weight_decay=1e-4)
    ### END SOLUTION


def initialize_three_layer_conv_part4() -> tuple[nn.Sequential, torch.optim.Optimizer]:
    """The same network as an `nn.Sequential` of torch's layers, and its optimiser; initial weights are free.

    conv (32 filters, 5 x 5, padding 2) - ReLU - conv (16 filters, 3 x 3, padding 1) - ReLU - flatten -
    linear, for images with 3 channels and 1,024 pixels, and ten classes.

    Returns:
        The model; SGD on all its parameters with learning rate 1e-2, weight decay 1e-4 and Nesterov momentum
        0.5.
    """
    ### BEGIN SOLUTION
    model = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 1024, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2, weight_decay=1e-4, momentum=0.5, nesterov=True)
    return model, optimizer
    ### END SOLUTION


class PlainBlock(nn.Module):
    """Two convolutions, each after a batch norm and a ReLU, and no shortcut.

    Attributes:
        net: `nn.Sequential` of the layers.
    """

    def __init__(self, Cin: int, Cout: int, downsample: bool = False):
        """Create the layers: BN - ReLU - 3 x 3 conv - BN - ReLU - 3 x 3 conv (He et al., 2016b, fig. 4e).

        Both convolutions have biases and pad by 1; the first one makes Cout channels and, to downsample, has
        stride 2, which halves height and width, rounded up.

        Args:
            Cin: channels that come in.
            Cout: channels that go out.
            downsample: whether height and width are halved.
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.net = nn.Sequential(
            nn.BatchNorm2d(Cin),
            nn.ReLU(),
            nn.Conv2d(Cin, Cout, 3, stride=2 if downsample else 1, padding=1),
            nn.BatchNorm2d(Cout),
            nn.ReLU(),
            nn.Conv2d(Cout, Cout, 3, padding=1),
        )
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N Cin H W"]) -> Float[Tensor, "N Cout H_out W_out"]:
        """The layers, one after the other."""
        return self.net(x)


class ResidualBlock(nn.Module):
    """A plain block and a shortcut around it, which are added.

    Attributes:
        block: `PlainBlock`.
        shortcut: what the block's output is added to.
    """

    def __init__(self, Cin: int, Cout: int, downsample: bool = False):
        """Create the block and the simplest shortcut whose output has the block's shape.

        The shortcut is `nn.Identity` where the block keeps the shape; otherwise a single 1 x 1 convolution
        with bias, of stride 2 to downsample (He et al., 2016a, sec. 3.3, option B, without its norm).

        Args:
            Cin: channels that come in.
            Cout: channels that go out.
            downsample: whether height and width are halved.
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.block = PlainBlock(Cin, Cout, downsample)
        self.shortcut: nn.Module = nn.Identity()
        if downsample or Cin != Cout:
            self.shortcut = nn.Conv2d(Cin, Cout, 1, stride=2 if downsample else 1)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N Cin H W"]) -> Float[Tensor, "N Cout H_out W_out"]:
        """The block's output plus the shortcut's."""
        return self.block(x) + self.shortcut(x)


class ResidualBottleneckBlock(nn.Module):
    """A residual block whose 3 x 3 convolution works on a quarter of the channels.

    Attributes:
        block: `nn.Sequential` of the layers.
        shortcut: what the block's output is added to.
    """

    def __init__(self, Cin: int, Cout: int, downsample: bool = False):
        """Create three times BN - ReLU - conv, and the shortcut of `ResidualBlock`.

        The convolutions are 1 x 1 to Cout // 4 channels, 3 x 3 with padding 1, and 1 x 1 to Cout channels.
        All have biases; to downsample, the first one has stride 2.

        Args:
            Cin: channels that come in.
            Cout: channels that go out, a multiple of 4.
            downsample: whether height and width are halved.
        """
        super().__init__()
        ### BEGIN SOLUTION
        stride, narrow = 2 if downsample else 1, Cout // 4
        self.block = nn.Sequential(
            nn.BatchNorm2d(Cin),
            nn.ReLU(),
            nn.Conv2d(Cin, narrow, 1, stride=stride),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.Conv2d(narrow, narrow, 3, padding=1),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.Conv2d(narrow, Cout, 1),
        )
        self.shortcut: nn.Module = nn.Identity()
        if downsample or Cin != Cout:
            self.shortcut = nn.Conv2d(Cin, Cout, 1, stride=stride)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N Cin H W"]) -> Float[Tensor, "N Cout H_out W_out"]:
        """The block's output plus the shortcut's."""
        return self.block(x) + self.shortcut(x)


class ResNetStage(nn.Module):
    """Blocks in a row, which work at one width and one size of maps.

    Attributes:
        net: `nn.Sequential` of the blocks.
    """

    def __init__(
        self, Cin: int, Cout: int, num_blocks: int, downsample: bool = True, block: Block = ResidualBlock
    ):
        """Create the blocks: the first one changes the shape, the others keep it.

        Args:
            Cin: channels that come in.
            Cout: channels that go out.
            num_blocks: how many blocks, at least one.
            downsample: whether the first block halves height and width.
            block: class of the blocks, called as `block(Cin, Cout, downsample)`.
        """
        super().__init__()
        ### BEGIN SOLUTION
        rest = [block(Cout, Cout, False) for _ in range(num_blocks - 1)]
        self.net = nn.Sequential(block(Cin, Cout, downsample), *rest)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N Cin H W"]) -> Float[Tensor, "N Cout H_out W_out"]:
        """The blocks, one after the other."""
        return self.net(x)


class ResNetStem(nn.Sequential):
    """What comes before the first stage: a 3 x 3 convolution and a ReLU, which keep height and width."""

    def __init__(self, Cin: int = 3, Cout: int = 8):
        """Create both layers."""
        super().__init__(nn.Conv2d(Cin, Cout, 3, padding=1), nn.ReLU())


class ResNet(nn.Module):
    """A stem, stages, the mean of each map, and a linear layer: for images of any height and width.

    Attributes:
        cnn: `nn.Sequential` of the stem and the stages.
        fc: linear layer.
    """

    def __init__(
        self,
        stage_args: Sequence[StageArgs],
        Cin: int = 3,
        block: Block = ResidualBlock,
        num_classes: int = 10,
    ):
        """Create the stem, the stages and the linear layer.

        Args:
            stage_args: Cin, Cout, number of blocks and downsample of each `ResNetStage`. Each one takes in
                what the one before gives, and the first one what the `ResNetStem` gives.
            Cin: channels of an image.
            block: class of the blocks.
            num_classes: scores.
        """
        super().__init__()
        ### BEGIN SOLUTION
        stem = ResNetStem(Cin, stage_args[0][0])
        self.cnn = nn.Sequential(stem, *[ResNetStage(*args, block=block) for args in stage_args])
        self.fc = nn.Linear(stage_args[-1][1], num_classes)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N Cin H W"]) -> Float[Tensor, "N C"]:
        """Scores: the mean of each map of `cnn` over its places, then `fc`; nothing else has a say.

        Args:
            x: one image or more, of any height and width.
        """
        ### BEGIN SOLUTION
        return self.fc(self.cnn(x).mean(dim=(2, 3)))
        ### END SOLUTION
