"""What is asked of `own_autograd`."""

from collections import Counter
from typing import Any

import torch

from exercise_code.support.checking.declare import check

VALUE = "own_autograd.Value."
AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]


def seen_from(result: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """What an operation has computed, and the slope with respect to each input, however often used."""
    pairs = [*zip(result.inputs, result.slopes, strict=True)]
    slopes = {
        name: sum(slope * torch.ones_like(result.data) for below, slope in pairs if below is value)
        for name, value in inputs.items()
    }
    return {"data": result.data, "slopes": slopes}


@check(f"{VALUE}__add__", points=0.5)
def sums(code, case):
    """A sum, and one of a number with itself."""
    a, b = (code.own_autograd.Value(case.numbers(3, 2)) for _ in range(2))
    return {"a + b": seen_from(a + b, {"a": a, "b": b}), "a + a": seen_from(a + a, {"a": a})}


@check(f"{VALUE}__mul__", points=0.5)
def products(code, case):
    """A product, and a square."""
    a, b = (code.own_autograd.Value(case.numbers(3, 2)) for _ in range(2))
    return {"a * b": seen_from(a * b, {"a": a, "b": b}), "a * a": seen_from(a * a, {"a": a})}


@check(f"{VALUE}tanh", points=1)
def squashed(code, case):
    """Between -1 and 1."""
    a = code.own_autograd.Value(case.numbers(3, 4))
    return seen_from(a.tanh(), {"a": a})


def network(code, case, turned):
    """Values by name, each made of others with drawn slopes: `end` depends on all but `aside`."""

    def make(*inputs):
        places = reversed(inputs) if turned else inputs
        return Value(case.numbers(3, 2), tuple(places), tuple(case.numbers(3, 2) for _ in inputs))

    Value = code.own_autograd.Value
    w, x = make(), make()
    u = make(w, x)
    v = make(u, w)
    twice = make(v, v)
    end = make(w, twice, u)
    return {"w": w, "x": x, "u": u, "v": v, "twice": twice, "end": end, "aside": make(v, x)}


@check(f"{VALUE}topological_order", points=1, forbids=["graphlib.TopologicalSorter"])
def ordering(code, case):
    """Inputs first, whichever way one comes to them."""
    outputs = {}
    for turned in (False, True):
        values = network(code, case, turned)
        order = values["end"].topological_order()
        names = [next(name for name, each in values.items() if each is value) for value in order]
        places = {name: place for place, name in enumerate(names)}
        early = [
            f"{name} before {below}"
            for name in sorted(places)
            for below in sorted(places)
            if places[name] < places[below] and any(values[below] is each for each in values[name].inputs)
        ]
        when = ", inputs turned" if turned else ""
        outputs |= {
            f"in it{when}": {name: values[name].data for name in sorted(names)},
            f"how often{when}": dict(sorted(Counter(names).items())),
            f"too early{when}": early,
        }
    return {**outputs, "of a leaf": len(values["w"].topological_order())}


@check(f"{VALUE}backward", points=2, uses=[f"{VALUE}topological_order"], forbids=AUTOGRAD)
def gradients(code, case):
    """Slopes multiplied along each way, and added up where ways meet."""
    values = network(code, case, turned=case.integer(0, 1) == 1)
    for value in values.values():
        value.grad = case.numbers(3, 2).clone()
    values["end"].backward()
    first = {name: value.grad.clone() for name, value in values.items() if name != "aside"}
    values["v"].backward()
    again = {name: values[name].grad.clone() for name in ("w", "x", "u", "v")}
    return {"grad after end.backward()": first, "grad after v.backward()": again}
