"""What a fully connected network costs: bytes and floating-point operations, known before it is run."""

from typing import Protocol

from torch import Tensor


class Network(Protocol):
    """Weights `W1`, `W2`, … of shape (inputs, outputs), and biases `b1`, `b2`, …"""

    params: dict[str, Tensor]


def compute_network_pass_size(model: Network, batch_size: int) -> tuple[int, int]:
    """Bytes that a pass through a network holds.

    A forward pass holds the parameters, the batch that comes in, and the output of every linear layer
    (a nonlinearity is taken to work in place). A backward pass adds a gradient for each of these. Every
    number takes as many bytes as one of the parameters does.

    Args:
        model: a network whose batches are as wide as `W1` has rows.
        batch_size: images in a batch.

    Returns:
        Bytes of a forward pass, and of a forward and backward pass together.
    """
    ### BEGIN SOLUTION
    weights = [p for name, p in model.params.items() if name.startswith("W")]
    widths = [len(model.params["W1"]), *(w.shape[1] for w in weights)]
    values = sum(p.numel() for p in model.params.values()) + batch_size * sum(widths)
    forward = values * model.params["W1"].element_size()
    return forward, 2 * forward
    ### END SOLUTION


def compute_network_flops(model: Network, batch_size: int) -> tuple[int, int]:
    """Floating-point operations of a network's matrix products; all else is small beside them.

    A multiplication and an addition count as two. A linear layer has one product on its way forward
    and two on its way back, for the gradients of its weights and of its input (the first layer too).

    Args:
        model: the network.
        batch_size: images in a batch.

    Returns:
        Operations of a forward pass, and of a backward pass alone.
    """
    ### BEGIN SOLUTION
    products = sum(p.numel() for name, p in model.params.items() if name.startswith("W"))
    forward = 2 * batch_size * products
    return forward, 2 * forward
    ### END SOLUTION


def GetHumanReadable(size: float, precision: int = 2) -> str:
    """A number of bytes as a person reads it: 3670016 is "3.50 MiB".

    Args:
        size: bytes, 0 or more.
        precision: digits after the point.
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.{precision}f} {unit}"
        size /= 1024
    return f"{size:.{precision}f} TiB"
