"""What is asked of `mlp.initializers`."""

from typing import Any

from exercise_code.support.checking.declare import check
from exercise_code.support.checking.laws import not_normal

INIT = ["torch.nn.init.xavier_normal_", "torch.nn.init.kaiming_normal_"]


def xavier_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Variance 2 / (Din + Dout); error rate as in `not_normal`."""
    return not_normal(outputs["weights"], (2 / 150) ** 0.5)


@check("mlp.initializers.xavier_initializer", points=1, law=xavier_law, forbids=INIT)
def xavier(code, case):
    """Variance 2 / (Din + Dout)."""
    like = case.numbers(1)
    return {
        "weights": code.mlp.initializers.xavier_initializer(40, 110, dtype=like.dtype, device=like.device)
    }


def kaiming_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Variance 2 / Din with a ReLU, 1 / Din without; error rate twice that of `not_normal`."""
    fault = not_normal(outputs["weights"], (2 / 110) ** 0.5)
    without = not_normal(outputs["weights without ReLU"], (1 / 110) ** 0.5)
    return "; ".join(filter(None, [fault, without and f"without ReLU {without}"])) or None


@check("mlp.initializers.kaiming_initializer", points=1, law=kaiming_law, forbids=INIT)
def kaiming(code, case):
    """Variance 2 / Din with a ReLU, 1 / Din without."""
    like = case.numbers(1)
    draw, new = code.mlp.initializers.kaiming_initializer, {"dtype": like.dtype, "device": like.device}
    return {"weights": draw(110, 40, **new), "weights without ReLU": draw(110, 40, relu=False, **new)}
