"""How people get `vit.patch` wrong, and the hint each mistake deserves."""

from torch import nn
from torch.nn import functional

from exercise_code.support.checking.declare import mistake
from exercise_code.vit.patch import patchify

PATCH = "vit.patch."
CUT, JOIN = f"{PATCH}patchify", f"{PATCH}unpatchify"
EMBED, CONVOLVE = f"{PATCH}PatchEmbedding.forward", f"{PATCH}as_convolution"


def _fits(x, p):
    if x.shape[2] % p or x.shape[3] % p:
        raise ValueError("The pictures cannot be cut.")


def _cut(x, p, order=(0, 2, 4, 1, 3, 5)):
    _fits(x, p)
    cut = x.unflatten(3, (-1, p)).unflatten(2, (-1, p))
    return cut.permute(order).flatten(3).flatten(1, 2)


@mistake(CUT, hint="`reshape` alone mixes rows of different patches: split the axes, `permute`, then join.")
def reshape_alone(x, patch_size):
    _fits(x, patch_size)
    return x.reshape(len(x), -1, x.shape[1] * patch_size**2)


@mistake(CUT, hint="The patches run down the columns: they come row by row from the top left.")
def down_the_columns(x, patch_size):
    return _cut(x, patch_size, (0, 4, 2, 1, 3, 5))


@mistake(CUT, hint="Channels come last within a patch: it is (C, p, p) that is flattened.")
def channels_last(x, patch_size):
    return _cut(x, patch_size, (0, 2, 4, 3, 5, 1))


@mistake(CUT, hint="Each patch is transposed: within it, pixels go row by row.")
def transposed_patches(x, patch_size):
    return _cut(x, patch_size, (0, 2, 4, 1, 5, 3))


@mistake(
    CUT, hint="The axes are split the wrong way round: a patch holds p neighbours, not every so-manyth pixel."
)
def split_the_wrong_way(x, patch_size):
    _fits(x, patch_size)
    cut = x.unflatten(3, (patch_size, -1)).unflatten(2, (patch_size, -1))
    return cut.permute(0, 3, 5, 1, 2, 4).flatten(3).flatten(1, 2)


@mistake(CUT, hint="The result is (N, D, P): patches are axis 1, their numbers the last axis.")
def numbers_before_patches(x, patch_size):
    return _cut(x, patch_size).transpose(1, 2)


@mistake(CUT, hint="Channels became patches of their own: all C of them belong into each patch.")
def channels_apart(x, patch_size):
    return _cut(x, patch_size, (0, 1, 2, 4, 3, 5)).reshape(len(x), -1, patch_size**2)


@mistake(
    CUT,
    hint="The grid is taken for a square, of as many columns as rows: W / p columns are due.",
    raises=RuntimeError,
)
def square_grid(x, patch_size):
    _fits(x, patch_size)
    (N, C, H, _), p = x.shape, patch_size
    grid = x.reshape(N, C, H // p, p, H // p, p)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(N, -1, C * p * p)


@mistake(CUT, hint="Pixels that do not fill a patch are cut off in silence: raise ValueError.")
def rest_cut_off(x, patch_size):
    height, width = (side // patch_size * patch_size for side in x.shape[2:])
    return _cut(x[:, :, :height, :width], patch_size)


@mistake(
    CUT,
    hint="Only H W is checked: each side must be a multiple of patch_size.",
    raises=RuntimeError,
)
def area_checked(x, patch_size):
    (N, C, H, W), p = x.shape, patch_size
    if H * W % p**2:
        raise ValueError("The area does not fit.")
    grid = x.reshape(N, C, H // p, p, W // p, p)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(N, -1, C * p * p)


@mistake(
    CUT,
    hint="Where a size does not fit, `reshape` fails by a RuntimeError: check both sides, raise ValueError.",
    raises=RuntimeError,
)
def left_to_reshape(x, patch_size):
    (N, C, H, W), p = x.shape, patch_size
    grid = x.reshape(N, C, H // p, p, W // p, p)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(N, -1, C * p * p)


@mistake(
    CUT,
    hint="`assert` raises an AssertionError: a size that does not fit is a ValueError.",
    raises=AssertionError,
)
def asserted(x, patch_size):
    assert x.shape[2] % patch_size == 0 and x.shape[3] % patch_size == 0
    return _cut(x, patch_size)


@mistake(
    CUT, hint="p^2 pixels are taken as they lie in memory, a strip of a row: a patch has p rows of p pixels."
)
def strips_of_rows(x, patch_size):
    _fits(x, patch_size)
    return x.reshape(len(x), x.shape[1], -1, patch_size**2).transpose(1, 2).flatten(2)


@mistake(CUT, hint="`unfold` is the exercise itself: split the axes, `permute`, and join them.")
def by_unfold(x, patch_size):
    _fits(x, patch_size)
    return functional.unfold(x, patch_size, stride=patch_size).transpose(1, 2)


@mistake(CUT, hint="Only the height is checked: the width must be a multiple of patch_size as well.")
def width_unchecked(x, patch_size):
    if x.shape[2] % patch_size:
        raise ValueError("The height does not fit.")
    return _cut(x[..., : x.shape[3] // patch_size * patch_size], patch_size)


@mistake(CUT, hint="Only the width is checked: the height must be a multiple of patch_size as well.")
def height_unchecked(x, patch_size):
    if x.shape[3] % patch_size:
        raise ValueError("The width does not fit.")
    return _cut(x[:, :, : x.shape[2] // patch_size * patch_size], patch_size)


def _join(patches, p, rows, columns, order=(0, 3, 1, 4, 2, 5)):
    grid = patches.unflatten(2, (-1, p, p)).unflatten(1, (rows, columns))
    return grid.permute(order).flatten(4).flatten(2, 3)


@mistake(
    JOIN,
    hint="`reshape` alone lays patches out as strips: bring the rows of a patch beside those of its grid.",
)
def joined_by_reshape(patches, patch_size, height, width):
    return patches.reshape(len(patches), -1, height, width)


@mistake(JOIN, hint="Patches are laid down the columns: they come row by row.")
def laid_down_columns(patches, patch_size, height, width):
    rows, columns = height // patch_size, width // patch_size
    turned = patches.unflatten(1, (columns, rows)).transpose(1, 2).flatten(1, 2)
    return _join(turned, patch_size, rows, columns)


@mistake(JOIN, hint="Every patch is transposed: rows of a patch go with rows of the grid.")
def joined_transposed(patches, patch_size, height, width):
    turned = patches.unflatten(2, (-1, patch_size, patch_size)).transpose(3, 4).flatten(2)
    return _join(turned, patch_size, height // patch_size, width // patch_size)


@mistake(JOIN, hint="Channels are taken from the end of a patch: a patch is (C, p, p).")
def channels_from_the_end(patches, patch_size, height, width):
    turned = patches.unflatten(2, (patch_size**2, -1)).transpose(2, 3).flatten(2)
    return _join(turned, patch_size, height // patch_size, width // patch_size)


@mistake(
    JOIN,
    hint="The grid is taken for a square with the root of P rows: height and width say how many there are.",
    raises=RuntimeError,
)
def square_of_patches(patches, patch_size, height, width):
    side = int(patches.shape[1] ** 0.5)
    grid = patches.reshape(len(patches), side, side, -1, patch_size, patch_size)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(len(patches), -1, height, width)


@mistake(
    JOIN,
    hint="P is asserted to be a square number: pictures need not be square, height and width are given.",
    raises=AssertionError,
)
def square_asserted(patches, patch_size, height, width):
    side = int(patches.shape[1] ** 0.5)
    assert side**2 == patches.shape[1]
    return _join(patches, patch_size, side, side)


@mistake(
    JOIN,
    hint="Rows and columns of the grid change places: it has height / p rows.",
)
def grid_turned(patches, patch_size, height, width):
    return _join(patches, patch_size, width // patch_size, height // patch_size)


@mistake(
    JOIN,
    hint="Three channels are taken for granted: work their number out from D.",
    raises=RuntimeError,
)
def always_three_channels(patches, patch_size, height, width):
    rows, columns = height // patch_size, width // patch_size
    grid = patches.view(len(patches), rows, columns, 3, patch_size, patch_size)
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


@mistake(EMBED, hint="The patches come back as they are: `self.proj` is missing.")
def not_projected(self, x):
    return patchify(x, self.patch_size)


@mistake(EMBED, hint="Patches are cut by `reshape` alone: call `patchify`.")
def embedded_by_reshape(self, x):
    return self.proj(x.reshape(len(x), -1, self.proj.in_features))


@mistake(EMBED, hint="The vectors lie in axis 1: (N, P, E) is due.")
def vectors_first(self, x):
    return self.proj(patchify(x, self.patch_size)).transpose(1, 2)


@mistake(EMBED, hint="A ReLU is applied to the vectors: the projection is linear.")
def embedded_with_relu(self, x):
    return functional.relu(self.proj(patchify(x, self.patch_size)))


@mistake(EMBED, hint="The bias of `proj` is left out: call the layer instead of multiplying by its weight.")
def embedded_without_bias(self, x):
    return patchify(x, self.patch_size) @ self.proj.weight.T


def _convolution(embedding, in_channels, weight, bias=True, **settings):
    p = embedding.patch_size
    settings = {"kernel_size": p, "stride": p, **settings}
    made = nn.Conv2d(in_channels, len(weight), bias=bias, **settings).to(weight)
    made.weight.data = weight.detach().clone()
    if bias:
        made.bias.data = embedding.proj.bias.detach().clone()
    return made


def _kernels(embedding, in_channels):
    p = embedding.patch_size
    return embedding.proj.weight.reshape(-1, in_channels, p, p)


@mistake(CONVOLVE, hint="The stride is 1, so patches overlap: it is patch_size.")
def without_stride(embedding, in_channels):
    return _convolution(embedding, in_channels, _kernels(embedding, in_channels), stride=1)


@mistake(CONVOLVE, hint="The kernels are transposed: a row of `proj` is (C, p, p) in that order.")
def kernels_transposed(embedding, in_channels):
    return _convolution(embedding, in_channels, _kernels(embedding, in_channels).transpose(2, 3))


@mistake(CONVOLVE, hint="The channels are taken from the end of a row of `proj`: they stand first.")
def kernels_channels_last(embedding, in_channels):
    weight, p = embedding.proj.weight, embedding.patch_size
    kernels = weight.view(-1, p, p, in_channels).permute(0, 3, 1, 2)
    return _convolution(embedding, in_channels, kernels)


@mistake(CONVOLVE, hint="The bias is not copied: the convolution has one of its own.")
def bias_of_its_own(embedding, in_channels):
    made = _convolution(embedding, in_channels, _kernels(embedding, in_channels))
    made.bias.data.zero_()
    return made


@mistake(CONVOLVE, hint="The bias is left as `nn.Conv2d` draws it: copy that of `proj`.")
def random_bias(embedding, in_channels):
    made = _convolution(embedding, in_channels, _kernels(embedding, in_channels))
    made.bias.data = nn.Conv2d(in_channels, len(made.bias), embedding.patch_size).to(made.bias).bias.data
    return made


@mistake(CONVOLVE, hint="The convolution stays float32, on the CPU: take the embedding's dtype and device.")
def on_the_cpu(embedding, in_channels):
    p, weight = embedding.patch_size, _kernels(embedding, in_channels)
    made = nn.Conv2d(in_channels, len(weight), kernel_size=p, stride=p)
    made.weight.data.copy_(weight)
    made.bias.data.copy_(embedding.proj.bias)
    return made


@mistake(CONVOLVE, hint="The weights are not copied: the convolution has random ones.")
def weights_of_its_own(embedding, in_channels):
    made = _convolution(embedding, in_channels, _kernels(embedding, in_channels))
    made.weight.data.fill_(0.1)
    return made


@mistake(CONVOLVE, hint="There is padding, so patches do not begin at the picture's edge.")
def with_padding(embedding, in_channels):
    p = embedding.patch_size
    return _convolution(embedding, in_channels, _kernels(embedding, in_channels), padding=(p + 1) // 2)


@mistake(CONVOLVE, hint="`proj` itself got another shape: the embedding must stay as it is.")
def embedding_changed(embedding, in_channels):
    made = _convolution(embedding, in_channels, _kernels(embedding, in_channels))
    embedding.proj.weight.data = embedding.proj.weight.data + 1
    return made
