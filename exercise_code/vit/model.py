"""Vision Transformers: patches as tokens, an encoder, one linear layer for the classes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from exercise_code.attention.layers import LayerNormalization, PositionalEncoding
from exercise_code.transformer.encoder import TransformerEncoderLayer
from exercise_code.vit.patch import PatchEmbedding


class VisionTransformer(nn.Module):
    """Sinusoidal positions, post-norm layers, and the mean of all patches is classified."""

    def __init__(
        self,
        img_size: int | tuple[int, int] = 32,
        patch_size: int = 8,
        in_channels: int = 3,
        embed_dim: int = 128,
        num_layers: int = 6,
        num_heads: int = 4,
        dim_feedforward: int = 256,
        num_classes: int = 10,
        dropout: float = 0.1,
    ):
        """Make `patch_embed`, `positional_encoding`, `layers` and `head`.

        Args:
            img_size: height and width of the pictures; one number if they are square.
            patch_size: pixels along a side of a patch.
            in_channels: C, channels of the pictures.
            embed_dim: E, numbers in the vector of a patch.
            num_layers: layers of the encoder.
            num_heads: heads in each of them.
            dim_feedforward: numbers in the middle of each feed-forward block.
            num_classes: K, scores to give.
            dropout: the probability, everywhere.
        """
        super().__init__()
        self.patch_embed = PatchEmbedding(img_size, patch_size, in_channels, embed_dim)
        self.positional_encoding = PositionalEncoding(embed_dim, dropout, self.patch_embed.num_patches)
        self.layers = nn.ModuleList(
            TransformerEncoderLayer(embed_dim, num_heads, dim_feedforward, dropout) for _ in range(num_layers)
        )
        self.head = nn.Linear(embed_dim, num_classes)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K"]:
        """Embed the patches, add positions, go through all layers, average over patches, classify.

        Not allowed here: layers and attention of torch.

        Args:
            x: pictures.

        Returns:
            A score for each class.
        """
        ### BEGIN SOLUTION
        tokens = self.positional_encoding(self.patch_embed(x))
        for layer in self.layers:
            tokens = layer(tokens)
        return self.head(tokens.mean(dim=1))
        ### END SOLUTION


class ViT(nn.Module):
    """A class token, learned positions, pre-norm layers and a last norm (Dosovitskiy et al., 2021, 3.1)."""

    def __init__(
        self,
        img_size: int | tuple[int, int] = 32,
        patch_size: int = 8,
        in_channels: int = 3,
        embed_dim: int = 128,
        num_layers: int = 6,
        num_heads: int = 4,
        dim_feedforward: int = 256,
        num_classes: int = 10,
        dropout: float = 0.1,
        pool: str = "cls",
    ):
        """Make the parameters `cls` (1, 1, E) and `pos` (1, P + 1, E); the other parts are given.

        Both are drawn from a normal distribution with mean 0 and standard deviation 0.02. P is
        `self.patch_embed.num_patches`; position 0 is that of the class token.

        Args:
            img_size: height and width of the pictures; one number if they are square.
            patch_size: pixels along a side of a patch.
            in_channels: C, channels of the pictures.
            embed_dim: E, numbers in the vector of a token.
            num_layers: layers of the encoder.
            num_heads: heads in each of them.
            dim_feedforward: numbers in the middle of each feed-forward block.
            num_classes: K, scores to give.
            dropout: the probability, everywhere.
            pool: "cls" classifies the class token, "mean" the mean of the patches.

        Raises:
            ValueError: pool is neither.
        """
        super().__init__()
        if pool not in ("cls", "mean"):
            raise ValueError(f"pool={pool!r} is neither 'cls' nor 'mean'")
        self.pool = pool
        self.patch_embed = PatchEmbedding(img_size, patch_size, in_channels, embed_dim)
        self.dropout = nn.Dropout(p=dropout)
        self.layers = nn.ModuleList(
            TransformerEncoderLayer(embed_dim, num_heads, dim_feedforward, dropout, norm_first=True)
            for _ in range(num_layers)
        )
        self.norm = LayerNormalization(embed_dim, epsilon=1e-5)
        self.head = nn.Linear(embed_dim, num_classes)
        ### BEGIN SOLUTION
        self.cls = nn.Parameter(0.02 * torch.randn(1, 1, embed_dim))
        self.pos = nn.Parameter(0.02 * torch.randn(1, 1 + self.patch_embed.num_patches, embed_dim))
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N K"]:
        """Scores of pictures.

        Embed the patches; put the class token before them; add the positions; drop by `dropout`; go through
        all layers, then through `norm`. What `head` classifies is the class token's vector or, with
        pool="mean", the mean of the P patches' vectors, without the class token's.
        Not allowed here: attention of torch.

        Args:
            x: pictures.

        Returns:
            A score for each class.
        """
        ### BEGIN SOLUTION
        cls = self.cls.expand(len(x), -1, -1)
        tokens = self.dropout(torch.cat([cls, self.patch_embed(x)], dim=1) + self.pos)
        for layer in self.layers:
            tokens = layer(tokens)
        tokens = self.norm(tokens)
        return self.head(tokens[:, 0] if self.pool == "cls" else tokens[:, 1:].mean(dim=1))
        ### END SOLUTION
