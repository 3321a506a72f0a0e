"""The solutions against torch, and what the figure says."""

import matplotlib.pyplot as plt
import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch.nn import functional

from assignments.a04_cnn import figures
from exercise_code.cnn import convolutional_networks


@given(n=st.integers(1, 7), d=st.integers(1, 9), seed=st.integers(0, 2**32))
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_unit_rows_agree_with_normalize(dtype, tolerance, n, d, seed):
    x = 0.1 + torch.rand(n, d, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    found = jaxtyped(typechecker=beartype)(convolutional_networks.unit_rows)(x)
    assert found.dtype == dtype
    torch.testing.assert_close(found, functional.normalize(x, dim=1), rtol=tolerance, atol=tolerance)


def test_the_figure_says_what_it_shows():
    points = torch.tensor([[3.0, 4.0], [0.0, -2.0]])
    fig, alt = figures.on_the_circle(points, functional.normalize(points, dim=1))
    assert fig.axes[0].lines[2].get_xydata() == pytest.approx(torch.tensor([[0.6, 0.8], [0.0, -1.0]]).numpy())
    assert alt.startswith("2 points at lengths from 2.00 to 5.00")
    plt.close(fig)
