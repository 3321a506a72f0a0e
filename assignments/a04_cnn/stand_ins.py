"""What takes the place of exercises that are not right: the same by calls of the library."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from exercise_code.support.checking.declare import stand_in


@stand_in("cnn.convolutional_networks.unit_rows")
def unit_rows(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """By `torch.nn.functional.normalize`."""
    return functional.normalize(x, dim=1)
