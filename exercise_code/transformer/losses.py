"""Losses of predicted words, summed over all of them."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def CrossEntropyLoss(pred: Float[Tensor, "NO V"], ground: Int[Tensor, " NO"]) -> Float[Tensor, ""]:
    """-log p of the right words, p the softmax of the scores, summed.

    Not allowed here: functional.cross_entropy, functional.nll_loss and their classes, and loops.

    Args:
        pred: scores of V words, in a row for each word to be predicted.
        ground: the right words, 0 to V - 1.

    Returns:
        The sum over the rows.
    """
    ### BEGIN SOLUTION
    return -pred.log_softmax(dim=1).gather(1, ground.unsqueeze(1)).sum()
    ### END SOLUTION


def LabelSmoothingLoss(
    pred: Float[Tensor, "NO V"], ground: Int[Tensor, " NO"], smoothing: float = 0.1
) -> Float[Tensor, ""]:
    """Cross-entropy with softened targets, -sum q log p, summed over the rows (Szegedy et al., 2016, 7).

    q = (1 - smoothing) one_hot(ground) + smoothing / V: every word gets smoothing / V, the right one has the
    rest.
    Not allowed here: functional.cross_entropy, functional.nll_loss and their classes, and loops.

    Args:
        pred: scores of V words, in a row for each word to be predicted.
        ground: the right words, 0 to V - 1.
        smoothing: from 0, which is `CrossEntropyLoss`, to 1.

    Returns:
        The sum over the rows.
    """
    ### BEGIN SOLUTION
    V = pred.shape[1]
    targets = (1 - smoothing) * functional.one_hot(ground, V).to(pred) + smoothing / V
    return -(targets * pred.log_softmax(dim=1)).sum()
    ### END SOLUTION
