"""What is asked of `attention.rotary`."""

from exercise_code.support.checking.declare import check


@check("attention.rotary.apply_rotary", points=3, loops=0)
def turned(code, case):
    """Any axes before, positions in any order, another base; an odd length is refused."""
    rotate, outputs = code.attention.rotary.apply_rotary, {}
    for before, S, d in (((), 3, 4), ((2,), 5, 6), ((2, 3), 4, 2)):
        positions = case.tensor([case.integer(0, 40) for _ in range(S)])
        outputs[f"{len(before)} axes before, {d} entries"] = rotate(case.numbers(*before, S, d), positions)
    outputs["base 50"] = rotate(case.numbers(2, 3, 8), case.tensor([1, 2, 5]), base=50.0)
    try:
        rotate(case.numbers(2, 3, 5), case.tensor([0, 1, 2]))
        outputs["5 entries"] = "are accepted"
    except ValueError:
        outputs["5 entries"] = "raise ValueError"
    return outputs
