"""How people get `mlp.initializers` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake


# Initial weights
@mistake(
    "mlp.initializers.xavier_initializer", hint="This is the variance: the standard deviation is its root."
)
def xavier_without_root(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return 2 / (Din + Dout) * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.xavier_initializer",
    hint="Only the inputs are counted: Xavier's rule is a compromise with the outputs.",
)
def xavier_by_inputs(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (1 / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.xavier_initializer",
    hint="The numerator is 2: the mean of Din and Dout is half of their sum.",
)
def xavier_numerator_one(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (1 / (Din + Dout)) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.xavier_initializer",
    hint="`rand` is even between 0 and 1, so its mean is not 0: draw normal numbers.",
)
def xavier_positive(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (2 / (Din + Dout)) ** 0.5 * torch.rand(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.xavier_initializer",
    hint="These numbers are even between two bounds: here they are normal.",
)
def xavier_uniform(Din, Dout, *, dtype=torch.float32, device="cpu"):
    bound = (6 / (Din + Dout)) ** 0.5
    return bound * (2 * torch.rand(Din, Dout, dtype=dtype, device=device) - 1)


@mistake(
    "mlp.initializers.xavier_initializer",
    hint="dtype and device are ignored: hand them on to what draws the numbers.",
)
def xavier_default_dtype(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (2 / (Din + Dout)) ** 0.5 * torch.randn(Din, Dout)


@mistake(
    "mlp.initializers.kaiming_initializer", hint="This is the variance: the standard deviation is its root."
)
def kaiming_without_root(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return (2 if relu else 1) / Din * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.kaiming_initializer", hint="A unit sums over its inputs: divide by Din, not by Dout."
)
def kaiming_by_outputs(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    gain = 2 if relu else 1
    return (gain / Dout) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.kaiming_initializer",
    hint="The gain stays 2: without a ReLU no power is lost, and it is 1.",
)
def kaiming_always_two(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return (2 / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.kaiming_initializer",
    hint="The gains are exchanged: it is 2 where a ReLU follows, 1 where none does.",
)
def kaiming_exchanged(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    gain = 1 if relu else 2
    return (gain / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.kaiming_initializer",
    hint="The gain stays 1: a ReLU throws away half of the power, so it is 2.",
)
def kaiming_always_one(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return (1 / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "mlp.initializers.kaiming_initializer",
    hint="All weights are equal, as in memory that nobody wrote to: draw them at random.",
)
def kaiming_unfilled(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return torch.zeros(Din, Dout, dtype=dtype, device=device)
