"""Pictures as sequences: cut into patches, put together again, projected to vectors."""

from jaxtyping import Float
from torch import Tensor, nn


def patchify(x: Float[Tensor, "N C H W"], patch_size: int) -> Float[Tensor, "N P D"]:
    """Cut pictures into square patches that do not overlap, and flatten each (Dosovitskiy et al., 2021, 3.1).

    Patches come row by row from the top left, P = (H / patch_size) (W / patch_size) of them. A patch is
    flattened as (C, patch_size, patch_size): channel after channel, in each row after row.
    Not allowed here: functional.unfold, Tensor.unfold, and loops.

    Args:
        x: pictures, which need not be square.
        patch_size: pixels along a side of a patch.

    Returns:
        P patches of D = C patch_size^2 numbers for each picture.

    Raises:
        ValueError: the height or the width is no multiple of patch_size.
    """
    ### BEGIN SOLUTION
    (N, C, H, W), p = x.shape, patch_size
    if H % p or W % p:
        raise ValueError(f"{H} x {W} pixels cannot be cut into patches of {p} x {p}")
    grid = x.reshape(N, C, H // p, p, W // p, p)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(N, -1, C * p * p)
    ### END SOLUTION


def unpatchify(
    patches: Float[Tensor, "N P D"], patch_size: int, height: int, width: int
) -> Float[Tensor, "N C H W"]:
    """Put pictures together again from what `patchify` made of them.

    Not allowed here: functional.fold, and loops.

    Args:
        patches: P patches of C patch_size^2 numbers, row by row from the top left.
        patch_size: pixels along a side of a patch.
        height: H of the pictures, a multiple of patch_size.
        width: W of the pictures, a multiple of patch_size.

    Returns:
        The pictures.
    """
    ### BEGIN SOLUTION
    N, p = len(patches), patch_size
    grid = patches.reshape(N, height // p, width // p, -1, p, p)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(N, -1, height, width)
    ### END SOLUTION


class PatchEmbedding(nn.Module):
    """Makes of each patch of a picture a vector, by one linear layer for all patches."""

    def __init__(
        self, img_size: int | tuple[int, int], patch_size: int, in_channels: int = 3, embed_dim: int = 128
    ):
        """Make `proj`, from in_channels patch_size^2 to embed_dim numbers, and count `num_patches`.

        Args:
            img_size: height and width of the pictures; one number if they are square.
            patch_size: pixels along a side of a patch.
            in_channels: C, channels of the pictures.
            embed_dim: E, numbers in the vector of a patch.
        """
        super().__init__()
        height, width = (img_size, img_size) if isinstance(img_size, int) else img_size
        self.patch_size = patch_size
        self.num_patches = (height // patch_size) * (width // patch_size)
        self.proj = nn.Linear(in_channels * patch_size**2, embed_dim)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N P E"]:
        """Cut by `patchify`, and project each patch by `proj`. Not allowed here: loops.

        Args:
            x: pictures of the size that the module was made for.

        Returns:
            A vector for each patch.
        """
        ### BEGIN SOLUTION
        return self.proj(patchify(x, self.patch_size))
        ### END SOLUTION


def as_convolution(embedding: PatchEmbedding, in_channels: int) -> nn.Conv2d:
    """The convolution that does the same: kernel and stride are patch_size, the weights are those of `proj`.

    Not allowed here: loops.

    Args:
        embedding: it stays as it is.
        in_channels: C of the pictures that it was made for.

    Returns:
        A convolution with a bias and no padding; it gives (N, E, H / patch_size, W / patch_size). Its
        parameters are on the device and in the dtype of the embedding's.
    """
    ### BEGIN SOLUTION
    weight, p = embedding.proj.weight, embedding.patch_size
    convolution = nn.Conv2d(in_channels, len(weight), kernel_size=p, stride=p).to(weight)
    convolution.weight.data.copy_(weight.view(-1, in_channels, p, p))
    convolution.bias.data.copy_(embedding.proj.bias)
    return convolution
    ### END SOLUTION
