"""What is asked of the exercises."""

from exercise_code.support.checking.declare import check

RULED_OUT = [
    "torch.nn.functional.normalize",
    "torch.norm",
    "torch.linalg.norm",
    "torch.linalg.vector_norm",
]


@check("cnn.convolutional_networks.unit_rows", points=2, loops=0, forbids=RULED_OUT)
def directions(code, case):
    """Every row is divided by its own length."""
    return {"rows": code.cnn.convolutional_networks.unit_rows(case.points(7))}
