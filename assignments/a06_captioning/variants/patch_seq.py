"""Right versions of `rnn.patch_seq`, written otherwise."""

from torch.nn import functional

from exercise_code.support.checking.declare import variant

CUT = "rnn.patch_seq.image_to_patch_sequence"
FORWARD = "rnn.patch_seq.PatchRNNClassifier.forward"


def _refuse(x, patch):
    if any(side % patch for side in x.shape[2:]):
        raise ValueError("Patches do not fill the image.")


@variant(CUT)
def by_unfold_of_a_convolution(x, patch):
    _refuse(x, patch)
    return functional.unfold(x, kernel_size=patch, stride=patch).transpose(1, 2)


@variant(CUT)
def by_reshape(x, patch):
    _refuse(x, patch)
    N, C, height, width = x.shape
    cut = x.reshape(N, C, height // patch, patch, width // patch, patch).permute(0, 2, 4, 1, 3, 5)
    return cut.reshape(N, -1, C * patch**2)


@variant(CUT)
def by_unfold_of_a_tensor(x, patch):
    _refuse(x, patch)
    windows = x.unfold(2, patch, patch).unfold(3, patch, patch)  # N, C, rows, columns, patch, patch
    return windows.movedim(1, 3).flatten(3).flatten(1, 2)


@variant(FORWARD)
def layer_by_layer(self, x):
    states = self.embed(x)
    for layer in self.layers:
        following = layer(states)[0]
        if self.residual:
            following = following + states
        states = following
    return self.head(states.sum(1) / states.shape[1])


@variant(FORWARD)
def head_before_the_mean(self, x):
    x = self.embed(x)
    for layer in self.layers:
        x = layer(x)[0] + x * self.residual
    return self.head(x).mean(1)
