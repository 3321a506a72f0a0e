"""What is asked of `rnn.patch_seq`."""

from exercise_code.support.checking.declare import check

from .common import filled

PATCHES = "rnn.patch_seq."


@check(f"{PATCHES}image_to_patch_sequence", points=3, loops=0)
def patches(code, case):
    """Images that are not square, and patches of several sizes; a size that does not fit is refused."""
    cut, outputs = code.rnn.patch_seq.image_to_patch_sequence, {}
    for N, C, height, width, patch in ((2, 3, 4, 6, 2), (1, 2, 9, 3, 3), (3, 1, 2, 3, 1)):
        name = f"{height} x {width} pixels, patch={patch}"
        outputs[name] = cut(case.feature_maps(N, C, height, width), patch)
    for height, width in ((4, 5), (5, 4)):
        try:
            cut(case.feature_maps(2, 3, height, width), 2)
            outputs[f"{height} x {width} pixels, patch=2"] = "is accepted"
        except ValueError:
            outputs[f"{height} x {width} pixels, patch=2"] = "raises ValueError"
    return outputs


@check(f"{PATCHES}PatchRNNClassifier.forward", points=3)
def classified(code, case):
    """Scores with one direction and with two, with residual connections and without."""
    outputs = {}
    for bidirectional in (False, True):
        for residual in (False, True):
            net = code.rnn.patch_seq.PatchRNNClassifier(3, 2, 2, 5, bidirectional, residual)
            net = filled(net, case.numbers(400, reach=3.0))
            name = f"bidirectional={bidirectional}, residual={residual}"
            outputs[name] = net(case.numbers(3, 4, 3, reach=3.0))
    return outputs
