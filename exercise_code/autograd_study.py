"""Autograd: gradients by the machine, and what gradient descent makes of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from exercise_code.support.data.augmentation import Normalize, RandomBrightness, RandomFlip, RandomShift


def landscape(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """log|x| + 1.3 / |x| + 0.02 x: two valleys, the left one deeper, and no value at 0."""
    return x.abs().log() + 1.3 / x.abs() + 0.02 * x


def derivative(
    f: Callable[[Float[Tensor, " N"]], Float[Tensor, " N"]], xs: Float[Tensor, " N"]
) -> Float[Tensor, " N"]:
    """The derivative of a function at many points, by one backward pass and no loop.

    f treats every point by itself, so the gradient of the sum of its values holds all derivatives.

    Args:
        f: from N points to N values.
        xs: the points; they stay as they are, and require no gradient afterwards either.

    Returns:
        f'(xs), with no graph attached.
    """
    ### BEGIN SOLUTION
    xs = xs.detach().clone().requires_grad_()
    ys = f(xs)
    ys.backward(torch.ones_like(ys))
    return xs.grad
    ### END SOLUTION


def gradient_descent(
    f: Callable[[Float[Tensor, ""]], Float[Tensor, ""]], x0: float, lr: float = 0.1, num_iters: int = 100
) -> tuple[list[float], list[float]]:
    """Walk downhill:  x <- x - lr * f'(x),  num_iters times, with the derivative from autograd.

    Args:
        f: from a number to a number, both tensors of rank 0 and float64.
        x0: where to start.
        lr: learning rate, above 0.
        num_iters: number of steps.

    Returns:
        xs: the places visited, num_iters + 1 Python floats, x0 first.
        losses: f at these places.
    """
    ### BEGIN SOLUTION
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    xs, losses = [], []
    for _ in range(num_iters + 1):
        loss = f(x)
        xs.append(x.item())
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad = None
    return xs, losses
    ### END SOLUTION


def converged_at(losses: Sequence[float], tol: float) -> int | None:
    """The step from which on the loss stays within tol of its last value.

    Args:
        losses: one for each step, one or more; nan and inf may be among them.
        tol: a loss this close to the last one, or closer, counts as converged.

    Returns:
        The first such step; None where it is the last step itself, so that nothing has settled.
    """
    ### BEGIN SOLUTION
    step = len(losses) - 1
    while step > 0 and abs(losses[step - 1] - losses[-1]) <= tol:
        step -= 1
    return step if step < len(losses) - 1 else None
    ### END SOLUTION


def grad_of(
    outputs: Float[Tensor, "*out"], inputs: Sequence[Float[Tensor, "..."]], create_graph: bool = False
) -> tuple[Float[Tensor, "..."], ...]:
    """Gradients of the sum of the outputs with respect to each input; nobody's `.grad` is touched.

    Args:
        outputs: computed from the inputs.
        inputs: tensors that require a gradient.
        create_graph: whether the gradients can be differentiated in their turn.

    Returns:
        A gradient for each input, zeros where the outputs do not depend on it.
    """
    ### BEGIN SOLUTION
    return torch.autograd.grad(
        outputs, inputs, torch.ones_like(outputs), create_graph=create_graph, materialize_grads=True
    )
    ### END SOLUTION


def second_derivative(
    f: Callable[[Float[Tensor, " N"]], Float[Tensor, " N"]], xs: Float[Tensor, " N"]
) -> Float[Tensor, " N"]:
    """The second derivative of a function at many points: the derivative of its derivative.

    Args:
        f: from N points to N values, each point by itself.
        xs: the points; they stay as they are.

    Returns:
        f''(xs), with no graph attached.
    """
    ### BEGIN SOLUTION
    xs = xs.detach().clone().requires_grad_()
    (first,) = grad_of(f(xs), [xs], create_graph=True)
    (second,) = grad_of(first, [xs])
    return second
    ### END SOLUTION


def jacobian(outputs: Float[Tensor, " M"], inputs: Float[Tensor, " N"]) -> Float[Tensor, "M N"]:
    """All derivatives of all outputs, by one backward pass through the same graph for each output.

    Not allowed here: torch.autograd.functional, torch.func.

    Args:
        outputs: computed from the inputs.
        inputs: require a gradient; their `.grad` is not touched.

    Returns:
        Entry [m, n] is the derivative of outputs[m] with respect to inputs[n].
    """
    ### BEGIN SOLUTION
    rows = [torch.autograd.grad(output, inputs, retain_graph=True)[0] for output in outputs]
    return torch.stack(rows)
    ### END SOLUTION


def accumulate_gradients(
    loss_fn: Callable[[Float[Tensor, "*shape"], Any], Float[Tensor, ""]],
    w: Float[Tensor, "*shape"],
    batches: Sequence[Any],
) -> Float[Tensor, "*shape"]:
    """The gradient of the mean loss over several batches, one backward pass for each batch.

    The graph of one batch is free before the next is made, so that a large batch can be taken in small
    pieces. What `w.grad` held before does not count.

    Args:
        loss_fn: from (w, batch) to the loss of the batch.
        w: a leaf that requires a gradient; not changed.
        batches: one or more.

    Returns:
        The gradient, which is also what `w.grad` holds afterwards.
    """
    ### BEGIN SOLUTION
    w.grad = None
    for batch in batches:
        (loss_fn(w, batch) / len(batches)).backward()
    return w.grad
    ### END SOLUTION


def gradient_step(params: Iterable[Float[Tensor, "..."]], lr: float) -> None:
    """One step of gradient descent on several tensors, in place; afterwards their gradients are None.

    Args:
        params: leaves that require a gradient, and go on to do so; those whose gradient is None stay.
        lr: learning rate, above 0.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= lr * param.grad
                param.grad = None
    ### END SOLUTION


class LinearRegressor(nn.Module):
    """y = weight * x + bias, for one number x."""

    def __init__(self) -> None:
        """Make the parameters `weight` and `bias`, shape (1,) each, of zeros."""
        super().__init__()
        ### BEGIN SOLUTION
        self.weight = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(1))
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N 1"]) -> Float[Tensor, "N 1"]:
        """The line at N places."""
        ### BEGIN SOLUTION
        return self.weight * x + self.bias
        ### END SOLUTION


class PolynomialRegressor(nn.Module):
    """y = c_0 + c_1 x + … + c_d x^d, for one number x."""

    def __init__(self, degree: int) -> None:
        """Make the parameter `coefficients`, shape (degree + 1,), of zeros; the constant comes first."""
        super().__init__()
        ### BEGIN SOLUTION
        self.coefficients = nn.Parameter(torch.zeros(degree + 1))
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N 1"]) -> Float[Tensor, "N 1"]:
        """The polynomial at N places."""
        ### BEGIN SOLUTION
        powers = torch.arange(len(self.coefficients), device=x.device)
        return (x**powers) @ self.coefficients[:, None]
        ### END SOLUTION


def fit(
    model: nn.Module, x: Float[Tensor, "N 1"], y: Float[Tensor, "N 1"], lr: float = 0.1, num_iters: int = 100
) -> list[float]:
    """Fit a model by gradient descent on the mean squared error of all points together.

    Args:
        model: its parameters are changed in place, by `gradient_step`.
        x: places.
        y: values there.
        lr: learning rate, above 0.
        num_iters: number of steps.

    Returns:
        The loss before each step, num_iters Python floats.
    """
    ### BEGIN SOLUTION
    losses = []
    for _ in range(num_iters):
        loss = mse_loss(model(x), y)
        losses.append(loss.item())
        loss.backward()
        gradient_step(model.parameters(), lr)
    return losses
    ### END SOLUTION


def train_transform() -> nn.Sequential:
    """What happens to images before they are learned from: at least three random changes, then `Normalize()`.

    `exercise_code/support/data/augmentation.py` has random changes to choose from; own ones are welcome, as
    modules from images (N, 3, height, width) in [0, 1] to the same.

    Returns:
        One module for each change, in the order in which they are applied; the last is `Normalize()`, and
        only that is not random.
    """
    ### BEGIN SOLUTION
    return nn.Sequential(RandomFlip(), RandomShift(), RandomBrightness(), Normalize())
    ### END SOLUTION


def val_transform() -> nn.Sequential:
    """What happens to images before a model is judged by them: what training does that is not random.

    Returns:
        One module for each change.
    """
    ### BEGIN SOLUTION
    return nn.Sequential(Normalize())
    ### END SOLUTION


class SmallConvNet(nn.Module):
    """Convolutions, dropout, and a linear layer: a first look at what a04 takes apart."""

    def __init__(self, num_classes: int, channels: int = 16, extra: int = 0, dropout: float = 0.0) -> None:
        """Make `layers`, an nn.Sequential: convolution, ReLU, max-pooling by 4; then `extra` times
        convolution and ReLU; then averaging to 4 x 4, flattening, dropout, and a linear layer.

        Args:
            num_classes: number of scores.
            channels: number of maps that each convolution makes, with kernels 3 x 3 and padding 1.
            extra: number of further convolutions, each with its ReLU.
            dropout: share of the features that is dropped in training, 0 to 1.
        """
        super().__init__()
        ### BEGIN SOLUTION
        more = [(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()) for _ in range(extra)]
        self.layers = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(4),
            *[layer for pair in more for layer in pair],
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(16 * channels, num_classes),
        )
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N 3 height width"]) -> Float[Tensor, "N num_classes"]:
        """One score for each class."""
        return self.layers(x)
