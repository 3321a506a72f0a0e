"""What is asked of `transformer.masks`."""

from exercise_code.support.checking.declare import check


@check("transformer.masks.get_subsequent_mask", points=1)
def future(code, case):
    """True above the diagonal, for each sequence."""
    mask = code.transformer.masks.get_subsequent_mask
    sizes = {"short": (4, 3), "long": (2, case.integer(5, 60)), "of one": (3, 1)}
    return {name: mask(case.labels(N * K, 7).view(N, K)) for name, (N, K) in sizes.items()}
