"""What is asked of `vit.patch`."""

from exercise_code.support.checking.declare import check

from .common import filled

PATCH = "vit.patch."
CUT, EMBED = f"{PATCH}patchify", f"{PATCH}PatchEmbedding.forward"
SIZES = {
    # N, C, H, W, patch
    "8 x 12 pixels": (2, 3, 8, 12, 4),
    "6 x 2 pixels": (3, 5, 6, 2, 2),
    "one row of patches": (4, 2, 3, 9, 3),
    "patches of one pixel": (2, 4, 3, 5, 1),
}
UNFOLD = ["torch.nn.functional.unfold", "torch.Tensor.unfold"]
FOLD = ["torch.nn.functional.fold"]


@check(CUT, points=3, loops=0, forbids=UNFOLD)
def cut(code, case):
    """Pictures that are not square; sizes that do not fit are refused."""
    patchify, outputs = code.vit.patch.patchify, {}
    for name, (N, C, H, W, patch) in SIZES.items():
        outputs[name] = patchify(case.feature_maps(N, C, H, W), patch)
    for height, width, patch in ((6, 5, 3), (5, 6, 3), (9, 4, 6)):
        name = f"{height} x {width} pixels in patches of {patch}"
        try:
            patchify(case.feature_maps(2, 3, height, width), patch)
            outputs[name] = "are accepted"
        except ValueError:
            outputs[name] = "raise ValueError"
    return outputs


@check(f"{PATCH}unpatchify", points=2, loops=0, forbids=FOLD)
def joined(code, case):
    """Patches of pictures that are not square; the number of channels is worked out."""
    return {
        name: code.vit.patch.unpatchify(
            case.numbers(N, H // patch * (W // patch), C * patch * patch), patch, H, W
        )
        for name, (N, C, H, W, patch) in SIZES.items()
    }


@check(EMBED, points=1, loops=0, uses=[CUT])
def embedded(code, case):
    """A vector for each patch, of pictures that are not square."""
    outputs = {}
    for name, (N, C, H, W, patch) in SIZES.items():
        embedding = filled(code.vit.patch.PatchEmbedding((H, W), patch, C, 7), case.numbers(500))
        outputs[name] = embedding(case.feature_maps(N, C, H, W))
    return outputs


@check(f"{PATCH}as_convolution", points=2, loops=0)
def convolved(code, case):
    """Its parameters, and what it makes of pictures; the embedding stays as it is."""
    outputs = {}
    for name, (N, C, H, W, patch) in SIZES.items():
        embedding = filled(code.vit.patch.PatchEmbedding((H, W), patch, C, 7), case.numbers(500))
        before = embedding.proj.weight.detach().clone()
        convolution = code.vit.patch.as_convolution(embedding, C)
        outputs[name] = {
            "out": convolution(case.feature_maps(N, C, H, W)),
            "weight": convolution.weight,
            "bias": convolution.bias,
            "stride": [*convolution.stride],
            "the embedding has changed": bool((embedding.proj.weight != before).any()),
        }
    return outputs
