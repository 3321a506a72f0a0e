"""How people get `rnn.patch_seq` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

CUT = "rnn.patch_seq.image_to_patch_sequence"
FORWARD = "rnn.patch_seq.PatchRNNClassifier.forward"


def _cut(x, patch, order=(0, 2, 4, 1, 3, 5)):
    if x.shape[2] % patch or x.shape[3] % patch:
        raise ValueError("patch does not divide the image.")
    cut = x.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))
    return cut.permute(order).flatten(3).flatten(1, 2)


@mistake(CUT, hint="Patches come column by column: go through each row of patches first.")
def column_by_column(x, patch):
    return _cut(x, patch, (0, 4, 2, 1, 3, 5))


@mistake(CUT, hint="Each patch is transposed: its pixels go row by row.")
def patches_transposed(x, patch):
    return _cut(x, patch, (0, 2, 4, 1, 5, 3))


@mistake(CUT, hint="The channels stand last in a token: a token is (C, patch, patch), flattened.")
def channels_last(x, patch):
    return _cut(x, patch, (0, 2, 4, 3, 5, 1))


@mistake(CUT, hint="`reshape` alone cuts rows into strips: bring the axes of a patch side by side before.")
def by_reshape_alone(x, patch):
    _cut(x, patch)
    return x.reshape(len(x), -1, x.shape[1] * patch**2)


@mistake(CUT, hint="The tokens are columns: (N, T, token) is due, with one token in each row.")
def tokens_in_columns(x, patch):
    return _cut(x, patch).transpose(1, 2)


@mistake(CUT, hint="Patches overlap: the next one starts where the last one ends.")
def overlapping(x, patch):
    _cut(x, patch)
    windows = x.unfold(2, patch, 1).unfold(3, patch, 1)
    return windows.movedim(1, 3).flatten(3).flatten(1, 2)


@mistake(CUT, hint="Each token holds one pixel in `patch`: neighbours belong together.")
def strided(x, patch):
    _cut(x, patch)
    cut = x.unflatten(3, (patch, -1)).unflatten(2, (patch, -1))
    return cut.permute(0, 3, 5, 1, 2, 4).flatten(3).flatten(1, 2)


@mistake(CUT, hint="A size that does not fit loses its last rows or columns in silence: raise ValueError.")
def cropped(x, patch):
    height, width = (side // patch * patch for side in x.shape[2:])
    return _cut(x[:, :, :height, :width], patch)


@mistake(CUT, hint="Only the height is looked at: the width has to be a multiple of the patch, too.")
def width_not_checked(x, patch):
    if x.shape[2] % patch:
        raise ValueError("patch does not divide the height.")
    return _cut(x[..., : x.shape[3] // patch * patch], patch)


@mistake(CUT, hint="Only the width is looked at: the height has to be a multiple of the patch, too.")
def height_not_checked(x, patch):
    if x.shape[3] % patch:
        raise ValueError("patch does not divide the width.")
    return _cut(x[:, :, : x.shape[2] // patch * patch], patch)


@mistake(
    CUT,
    hint="torch refuses a size that does not fit by a RuntimeError: raise a ValueError before.",
    raises=RuntimeError,
)
def left_to_torch(x, patch):
    cut = x.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


@mistake(
    CUT,
    hint="Where a size does not fit, `reshape` fails by a RuntimeError: check both sides, raise ValueError.",
    raises=RuntimeError,
)
def left_to_reshape(x, patch):
    N, C, height, width = x.shape
    grid = x.reshape(N, C, height // patch, patch, width // patch, patch)
    return grid.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


@mistake(
    CUT,
    hint="`assert` raises an AssertionError: a size that does not fit is a ValueError.",
    raises=AssertionError,
)
def asserted(x, patch):
    assert x.shape[2] % patch == 0 and x.shape[3] % patch == 0
    return _cut(x, patch)


@mistake(
    CUT, hint="The rows of patches are counted by the width: images need not be square.", raises=RuntimeError
)
def taken_for_square(x, patch):
    _cut(x, patch)
    N, C, _, width = x.shape
    side = width // patch
    return x.reshape(N, C, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


@mistake(CUT, hint="Axes can be split and moved for all patches of all images at once, without a loop.")
def patch_by_patch(x, patch):
    _cut(x, patch)
    tokens = [
        image[:, top : top + patch, left : left + patch].flatten()
        for image in x
        for top in range(0, x.shape[2], patch)
        for left in range(0, x.shape[3], patch)
    ]
    return torch.stack(tokens).unflatten(0, (len(x), -1))


def _classified(self, x, *, residual=None, pool=None, every=False):
    x = start = self.embed(x)
    for layer in self.layers:
        states, _ = layer(x)
        if residual is not None:
            x = states + x if residual else states
        elif self.residual:
            x = (start if every else x) + states
        else:
            x = states
    return self.head(x.mean(dim=1) if pool is None else pool(x))


@mistake(FORWARD, hint="The residual connection is missing: with it, add what came into the layer.")
def never_residual(self, x):
    return _classified(self, x, residual=False)


@mistake(FORWARD, hint="The input is always added: do so only with `self.residual`.")
def always_residual(self, x):
    return _classified(self, x, residual=True)


@mistake(FORWARD, hint="Each layer adds the embedded tokens: it adds its own input.")
def residual_of_the_start(self, x):
    return _classified(self, x, every=True)


@mistake(FORWARD, hint="The last place alone is classified: the mean over all places is due.")
def last_place(self, x):
    return _classified(self, x, pool=lambda states: states[:, -1])


@mistake(FORWARD, hint="The first place alone is classified: take the mean over all of them.")
def first_place(self, x):
    return _classified(self, x, pool=lambda states: states[:, 0])


@mistake(FORWARD, hint="The largest number over all places is taken: their mean is due.")
def largest_over_places(self, x):
    return _classified(self, x, pool=lambda states: states.amax(dim=1))


@mistake(FORWARD, hint="The states are summed over the places: divide by how many there are.")
def sum_over_places(self, x):
    return _classified(self, x, pool=lambda states: states.sum(dim=1))


@mistake(FORWARD, hint="The mean runs over the batch: images have nothing to do with each other.")
def mean_over_batch(self, x):
    return _classified(self, x, pool=lambda states: states.mean(dim=0))


@mistake(FORWARD, hint="Steps and batch are exchanged: these layers take the batch first.")
def steps_first(self, x):
    x = self.embed(x)
    for layer in self.layers:
        states = layer(x.transpose(0, 1))[0].transpose(0, 1)
        x = x + states if self.residual else states
    return self.head(x.mean(dim=1))


@mistake(FORWARD, hint="Only the first layer is used: go through all of `self.layers`.")
def one_layer(self, x):
    x = self.embed(x)
    states, _ = self.layers[0](x)
    return self.head((x + states if self.residual else states).mean(dim=1))


@mistake(FORWARD, hint="The tokens go round the layers: each layer reads what the one before has made.")
def layers_side_by_side(self, x):
    start, x = self.embed(x), 0
    for layer in self.layers:
        states, _ = layer(start)
        x = x + states
    return self.head((start + x if self.residual else x).mean(dim=1))


@mistake(FORWARD, hint="These are probabilities: scores are due, as a loss with softmax inside wants them.")
def softmaxed(self, x):
    return _classified(self, x).softmax(dim=1)
