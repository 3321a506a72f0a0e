"""Right versions of `autograd_study`, written otherwise."""

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from exercise_code import autograd_study
from exercise_code.support.checking.declare import variant
from exercise_code.support.data.augmentation import (
    Normalize,
    RandomBrightness,
    RandomFlip,
    RandomNoise,
    RandomShift,
)


# Autograd
@variant("autograd_study.derivative")
def derivative_of_sum(f, xs):
    leaf = xs.detach().clone().requires_grad_(True)
    torch.sum(f(leaf)).backward()
    return leaf.grad


@variant("autograd_study.derivative")
def derivative_by_grad(f, xs):
    leaf = torch.empty_like(xs).copy_(xs).requires_grad_()
    return torch.autograd.grad(f(leaf), leaf, grad_outputs=torch.ones_like(leaf))[0]


@variant("autograd_study.gradient_descent")
def descent_by_grad(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(float(x0), dtype=torch.float64)
    xs, losses = [], []
    for _ in range(num_iters + 1):
        x = x.detach().requires_grad_()
        loss = f(x)
        xs.append(x.item())
        losses.append(loss.item())
        x = x - lr * torch.autograd.grad(loss, x)[0]
    return xs, losses


@variant("autograd_study.gradient_descent")
def descent_by_data(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(float(x0), dtype=torch.float64, requires_grad=True)
    xs, losses = [float(x)], [float(f(x))]
    for _ in range(num_iters):
        f(x).backward()
        x.data -= lr * x.grad
        x.grad.zero_()
        xs.append(float(x))
        losses.append(float(f(x)))
    return xs, losses


@variant("autograd_study.converged_at")
def converged_from_behind(losses, tol):
    near = itertools.takewhile(lambda loss: abs(loss - losses[-1]) <= tol, reversed(losses))
    steps = len(list(near))
    return len(losses) - steps if steps > 1 else None


@variant("autograd_study.converged_at")
def converged_by_numpy(losses, tol):
    away = ~(np.abs(np.array(losses) - losses[-1]) <= tol)
    step = int(away.nonzero()[0][-1]) + 1 if away.any() else 0
    return step if step < len(losses) - 1 else None


@variant("autograd_study.grad_of")
def grad_of_sum(outputs, inputs, create_graph=False):
    found = torch.autograd.grad(outputs.sum(), inputs, create_graph=create_graph, allow_unused=True)
    return tuple(torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True))


@variant("autograd_study.grad_of")
def grad_as_list(outputs, inputs, create_graph=False):
    ones = torch.ones_like(outputs)
    flags = {"create_graph": create_graph, "materialize_grads": True}
    return list(torch.autograd.grad([outputs], list(inputs), grad_outputs=[ones], **flags))


@variant("autograd_study.second_derivative")
def second_by_backward(f, xs):
    leaf = xs.detach().clone().requires_grad_()
    f(leaf).sum().backward(create_graph=True)
    first, leaf.grad = leaf.grad, None
    first.sum().backward()
    return leaf.grad


@variant("autograd_study.second_derivative")
def second_of_derivative(f, xs):
    def first(points):
        return autograd_study.grad_of(f(points), [points], create_graph=True)[0]

    return autograd_study.derivative(first, xs)


@variant("autograd_study.second_derivative")
def second_point_by_point(f, xs):
    slopes = []
    for x in xs.detach().split(1):
        x = x.clone().requires_grad_()
        (first,) = autograd_study.grad_of(f(x), [x], create_graph=True)
        slopes.append(autograd_study.grad_of(first, [x])[0])
    return torch.cat(slopes)


@variant("autograd_study.jacobian")
def jacobian_by_ones(outputs, inputs):
    found = torch.zeros(len(outputs), len(inputs), dtype=inputs.dtype, device=inputs.device)
    for row, weights in enumerate(torch.eye(len(outputs), dtype=outputs.dtype, device=outputs.device)):
        found[row] = torch.autograd.grad(outputs, inputs, weights, retain_graph=True)[0]
    return found


@variant("autograd_study.jacobian")
def jacobian_batched(outputs, inputs):
    weights = torch.eye(len(outputs), dtype=outputs.dtype, device=outputs.device)
    rows = (torch.autograd.grad(outputs, inputs, weight, retain_graph=True)[0] for weight in weights)
    return torch.cat([row[None] for row in rows])


@variant("autograd_study.accumulate_gradients")
def accumulate_then_divide(loss_fn, w, batches):
    w.grad = torch.zeros_like(w)
    for batch in batches:
        loss_fn(w, batch).backward()
    w.grad /= len(batches)
    return w.grad


@variant("autograd_study.accumulate_gradients")
def accumulate_by_grad(loss_fn, w, batches):
    total = torch.zeros_like(w)
    for batch in batches:
        total += torch.autograd.grad(loss_fn(w, batch), w)[0]
    w.grad = total / len(batches)
    return w.grad.clone()


@variant("autograd_study.gradient_step")
def step_by_data(params, lr):
    for param in params:
        if param.grad is None:
            continue
        param.data = param.data - lr * param.grad
        param.grad = None


@variant("autograd_study.LinearRegressor.__init__")
def line_by_register(self):
    nn.Module.__init__(self)
    self.register_parameter("bias", nn.Parameter(torch.zeros(1)))
    self.register_parameter("weight", nn.Parameter(torch.zeros(1)))


@variant("autograd_study.LinearRegressor.forward")
def line_by_library(self, x):
    return functional.linear(x, self.weight[:, None], self.bias)


@variant("autograd_study.PolynomialRegressor.__init__")
def polynomial_from_full(self, degree):
    super(autograd_study.PolynomialRegressor, self).__init__()
    self.coefficients = nn.Parameter(torch.full((1 + degree,), 0.0))


@variant("autograd_study.PolynomialRegressor.forward")
def polynomial_by_horner(self, x):
    y = torch.zeros_like(x)
    for coefficient in self.coefficients.flip(0):
        y = y * x + coefficient
    return y


@variant("autograd_study.PolynomialRegressor.forward")
def polynomial_by_sum(self, x):
    return sum(coefficient * x**power for power, coefficient in enumerate(self.coefficients))


@variant("autograd_study.fit")
def fit_by_module(model, x, y, lr=0.1, num_iters=100):
    criterion, losses = nn.MSELoss(), []
    while len(losses) < num_iters:
        loss = criterion(model(x), y)
        loss.backward()
        autograd_study.gradient_step(list(model.parameters()), lr)
        losses.append(float(loss))
    return losses


@variant("autograd_study.fit")
def fit_by_hand(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        model.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        losses.append(loss.item())
        for param in model.parameters():
            param.data.sub_(lr * param.grad)
    return losses


@variant("autograd_study.train_transform")
def train_with_noise():
    return nn.Sequential(
        RandomNoise(0.02), RandomShift(1), RandomBrightness(0.1), RandomFlip(0.4), Normalize()
    )


class Erase(nn.Module):
    """Paints a random pixel of every image black."""

    def forward(self, images):
        places = torch.rand(len(images), *images.shape[2:], device=images.device)
        return images * (places < places.flatten(1).amax(1)[:, None, None])[:, None]


@variant("autograd_study.train_transform")
def train_with_own_change():
    return nn.Sequential(Erase(), RandomShift(), RandomFlip(), Normalize())


@variant("autograd_study.val_transform")
def val_by_append():
    changes = nn.Sequential()
    changes.append(Normalize())
    return changes


@variant("autograd_study.val_transform")
def val_with_identity():
    return nn.Sequential(nn.Identity(), Normalize())


@variant("autograd_study.SmallConvNet.__init__")
def net_by_append(self, num_classes, channels=16, extra=0, dropout=0.0):
    nn.Module.__init__(self)
    layers = [
        nn.Conv2d(3, channels, kernel_size=3, padding="same"),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(4, 4),
    ]
    for _ in range(extra):
        layers.append(nn.Conv2d(channels, channels, (3, 3), padding=(1, 1)))
        layers.append(nn.ReLU())
    layers += [nn.AdaptiveAvgPool2d((4, 4)), nn.Dropout(p=dropout), nn.Flatten(start_dim=1)]
    self.layers = nn.Sequential(*layers, nn.Linear(channels * 4 * 4, num_classes))


@variant("autograd_study.gradient_step")
@torch.no_grad()
def step_decorated(params, lr):
    for param in params:
        if param.grad is not None:
            param.add_(param.grad, alpha=-lr)
            param.grad = None
