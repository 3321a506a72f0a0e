"""What is asked of `mlp.losses`."""

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD

SOFTMAX = ["torch.softmax", "torch.log_softmax", "torch.nn.functional.cross_entropy"]


# Losses
@check("mlp.losses.softmax_loss", points=2, forbids=[*AUTOGRAD, *SOFTMAX])
def cross_entropy_and_gradient(code, case):
    """Mean cross-entropy and its gradient, where no image is of the last class."""
    loss, dx = code.mlp.losses.softmax_loss(case.numbers(7, 5), case.labels(7, num_classes=4))
    return {"loss": loss, "dx": dx}


@check("mlp.losses.softmax_loss:large_scores", points=1, forbids=[*AUTOGRAD, *SOFTMAX])
def scores_in_the_thousands(code, case):
    """Scores in the thousands, where exp overflows."""
    loss, dx = code.mlp.losses.softmax_loss(case.numbers(7, 5, reach=4000.0), case.labels(7, num_classes=5))
    return {"loss": loss, "dx": dx}


@check("mlp.losses.svm_loss", points=1, forbids=[*AUTOGRAD, "torch.nn.functional.multi_margin_loss"])
def hinge_and_gradient(code, case):
    """Mean hinge loss and its gradient, where no image is of the last class."""
    loss, dx = code.mlp.losses.svm_loss(case.numbers(7, 5), case.labels(7, num_classes=4))
    return {"loss": loss, "dx": dx}
