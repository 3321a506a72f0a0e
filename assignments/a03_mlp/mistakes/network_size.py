"""How people get `mlp.network_size` wrong, and the hint each mistake deserves."""

import sys

from exercise_code.support.checking.declare import mistake


# Cost and regularisation
def _pass(model, batch_size, *, biases=True, inputs=True, backward=2, item=None, batch=None):
    weights = [p for name, p in model.params.items() if name.startswith("W")]
    widths = [w.shape[1] for w in weights] + ([len(model.params["W1"])] if inputs else [])
    counted = model.params.values() if biases else weights
    values = sum(p.numel() for p in counted) + (batch or batch_size) * sum(widths)
    forward = values * (item or weights[0].element_size())
    return forward, backward * forward


SIZE = "mlp.network_size.compute_network_pass_size"


@mistake(SIZE, hint="The biases are left out: they are parameters too.")
def size_without_biases(model, batch_size):
    return _pass(model, batch_size, biases=False)


@mistake(SIZE, hint="The batch that comes in is left out: it has to be held as well.")
def size_without_input(model, batch_size):
    return _pass(model, batch_size, inputs=False)


@mistake(SIZE, hint="The second number is for both passes together: parameters and outputs count in it, too.")
def size_backward_alone(model, batch_size):
    return _pass(model, batch_size, backward=1)


@mistake(SIZE, hint="Four bytes a number hold for float32 only: ask a parameter how many it takes.")
def size_always_four_bytes(model, batch_size):
    return _pass(model, batch_size, item=4)


@mistake(SIZE, hint="Every image of the batch has outputs of its own: the batch size is missing.")
def size_of_one_image(model, batch_size):
    return _pass(model, batch_size, batch=1)


@mistake(SIZE, hint="These are numbers, not bytes: multiply by the bytes that each takes.")
def size_in_numbers(model, batch_size):
    return _pass(model, batch_size, item=1)


@mistake(SIZE, hint="`sys.getsizeof` weighs the Python object, not the numbers that it points to.")
def size_of_objects(model, batch_size):
    forward = sum(map(sys.getsizeof, model.params.values()))
    return forward, 2 * forward


FLOPS = "mlp.network_size.compute_network_flops"


def _flops(model, batch_size, per_product=2, backward=2, biases=False):
    counted = sum(p.numel() for name, p in model.params.items() if biases or name.startswith("W"))
    forward = per_product * batch_size * counted
    return forward, backward * forward


@mistake(FLOPS, hint="A multiplication and its addition are two operations.")
def flops_single(model, batch_size):
    return _flops(model, batch_size, per_product=1)


@mistake(
    FLOPS, hint="The way back has two products in each layer, one for the weights and one for the input."
)
def flops_backward_like_forward(model, batch_size):
    return _flops(model, batch_size, backward=1)


@mistake(FLOPS, hint="The second number is for the way back alone.")
def flops_both_passes(model, batch_size):
    return _flops(model, batch_size, backward=3)


@mistake(FLOPS, hint="Biases are counted; only the matrix products are asked for.")
def flops_with_biases(model, batch_size):
    return _flops(model, batch_size, biases=True)


@mistake(FLOPS, hint="The batch size is missing: every image goes through all layers.")
def flops_of_one_image(model, batch_size):
    return _flops(model, 1)
