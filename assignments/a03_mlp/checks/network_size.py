"""What is asked of `mlp.network_size`."""

from exercise_code.support.checking.declare import check


# Cost and regularisation
class Sized:
    """A network that is nothing but parameters."""

    def __init__(self, case, *widths: int):
        self.params = case.parameters(*widths)


def turned(model: Sized) -> Sized:
    """The network with its parameters in the opposite order: their names tell what they are."""
    model.params = dict(reversed(model.params.items()))
    return model


@check("mlp.network_size.compute_network_pass_size", points=1)
def bytes_of_a_pass(code, case):
    """Bytes of a forward and a backward pass."""
    size = code.mlp.network_size.compute_network_pass_size
    batches, widths = (case.integer(2, 9), 32), case.shuffled(range(3, 12))
    return {
        **{f"batch {batch}": list(size(Sized(case, *widths[:3]), batch)) for batch in batches},
        "deeper, the last layer first": list(size(turned(Sized(case, *widths[3:7])), 11)),
    }


@check("mlp.network_size.compute_network_flops", points=1)
def operations_of_a_pass(code, case):
    """Operations of a forward and a backward pass."""
    flops, widths = code.mlp.network_size.compute_network_flops, case.shuffled(range(3, 12))
    return {
        "two layers": list(flops(Sized(case, *widths[:3]), case.integer(2, 9))),
        "three layers, the last one first": list(flops(turned(Sized(case, *widths[3:7])), 11)),
    }
