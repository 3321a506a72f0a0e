"""An image as a sequence of patches, read by recurrent layers."""

from jaxtyping import Float
from torch import Tensor, nn


def image_to_patch_sequence(x: Float[Tensor, "N C height width"], patch: int) -> Float[Tensor, "N T token"]:
    """Cut images into square patches, row by row from the top left; each becomes one token.

    A token holds the patch (C, patch, patch), flattened: channel after channel, row after row.
    Not allowed here: loops.

    Args:
        x: images that need not be square.
        patch: pixels along a side of a patch.

    Returns:
        Sequences of T = height / patch * width / patch tokens of C * patch * patch numbers.

    Raises:
        ValueError: the height or the width is no multiple of `patch`.
    """
    ### BEGIN SOLUTION
    if x.shape[2] % patch or x.shape[3] % patch:
        raise ValueError(f"patch={patch} does not divide {x.shape[2]} x {x.shape[3]} pixels.")
    cut = x.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))  # N, C, rows, patch, columns, patch
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
    ### END SOLUTION


class PatchRNNClassifier(nn.Module):
    """Layers of torch's GRU over tokens; the mean over all places is classified."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        num_classes: int,
        bidirectional: bool,
        residual: bool = False,
    ):
        """Make `embed`, `layers` and `head`.

        Args:
            input_size: numbers in a token.
            hidden_size: H of each direction; states are W = H wide, or 2 H with two directions.
            num_layers: recurrent layers, one after another.
            num_classes: K, scores to give.
            bidirectional: whether each layer reads from both ends.
            residual: whether each layer adds to what comes in, as the blocks of a ResNet do.
        """
        super().__init__()
        self.residual = residual
        width = 2 * hidden_size if bidirectional else hidden_size
        self.embed = nn.Linear(input_size, width)
        self.layers = nn.ModuleList(
            nn.GRU(width, hidden_size, batch_first=True, bidirectional=bidirectional)
            for _ in range(num_layers)
        )
        self.head = nn.Linear(width, num_classes)

    def forward(self, x: Float[Tensor, "N T token"]) -> Float[Tensor, "N K"]:
        """Scores of sequences: `embed`, all `layers`, the mean over the T places, `head`.

        With `self.residual`, what comes out of a layer is its input plus its states; otherwise its states
        alone.

        Args:
            x: tokens, from `image_to_patch_sequence`.

        Returns:
            A score for each class.
        """
        ### BEGIN SOLUTION
        x = self.embed(x)
        for layer in self.layers:
            states, _ = layer(x)
            x = x + states if self.residual else states
        return self.head(x.mean(dim=1))
        ### END SOLUTION
