"""What each line of a function does to tensors is told as it is."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from exercise_code import knn
from exercise_code.support.notebook.tracing import Step, trace


def minus(a: Float[Tensor, "rows dim"], b: Float[Tensor, "cols dim"]) -> Float[Tensor, "rows cols"]:
    far = a[:, None] - b
    far = far.square()
    return far.sum(2)


def steps(function, *args):
    """Names and marks of all operations, in the order of the lines."""
    return [(s.name, s.output, s.marks) for line in trace(function, *args).lines.values() for s in line]


def test_each_line_has_its_operations_with_sizes_and_marks():
    found = steps(minus, torch.ones(3, 4), torch.ones(5, 4))
    assert found == [
        ("getitem", (3, 1, 4), ("shares memory",)),
        ("sub", (3, 5, 4), ("enlarged 3 times",)),
        ("square", (3, 5, 4), ()),
        ("sum", (3, 5), ()),
    ]


def test_sizes_have_the_names_of_the_annotations():
    text = repr(trace(minus, torch.ones(3, 4), torch.ones(5, 4)))
    assert "sub: (rows=3, 1, dim=4), (cols=5, dim=4) → (rows=3, cols=5, dim=4)  [enlarged 3 times]" in text
    assert "far = a[:, None] - b" in text


def test_a_size_that_two_axes_have_names_neither():
    text = repr(trace(minus, torch.ones(5, 4), torch.ones(5, 4)))
    assert "sub: (5, 1, dim=4), (5, dim=4) → (5, 5, dim=4)" in text


def test_repeated_operations_are_counted():
    found = trace(knn.compute_distances_two_loops, torch.rand(3, 3, 4, 2), torch.rand(5, 3, 4, 2))
    assert 15 in [times for line in found.lines.values() for times in line.values()]
    written = [step for line in found.lines.values() for step in line if step.name == "write into"]
    assert [step.marks for step in written] == [("in place",)]


@pytest.mark.parametrize(
    ("function", "name", "marks"),
    [
        (lambda x: x.T, "T", ("shares memory",)),
        (lambda x: x.reshape(-1), "reshape", ("shares memory",)),
        (lambda x: x.T.reshape(-1), "reshape", ()),
        (lambda x: x.clone().clamp_(min=0), "clamp_", ("in place",)),
        (lambda x: x[:1].expand(5, 4), "expand", ("shares memory", "enlarged 5 times")),
        (lambda x: x @ x.T, "matmul", ()),
        (lambda x: x - x.sum(1, keepdim=True), "sub", ("broadcast",)),
        (lambda x: x - x.sum(), "sub", ()),
        (lambda x: torch.cat([x, x]), "cat", ()),
        (lambda x: torch.zeros(9), "zeros", ()),
    ],
)
def test_views_copies_and_broadcasts_are_told_apart(function, name, marks):
    *_, (found, _, said) = steps(function, torch.ones(3, 4))
    assert (found, said) == (name.strip("_"), marks)


def test_an_error_is_shown_in_its_line():
    def wrong(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Tensor:
        far = a.square()
        return far @ b

    found = trace(wrong, torch.ones(3, 4), torch.ones(5, 4))
    assert [step.name for line in found.lines.values() for step in line] == ["square"]
    assert found.error and found.error[1].startswith("RuntimeError: mat1 and mat2")
    assert "return far @ b" in repr(found) and "mat1 and mat2" in found._repr_html_()
    assert "TypeError" in repr(trace(wrong, torch.ones(3, 4)))


def test_methods_are_traced_and_nothing_of_the_page_is_code():
    class Model:
        def scores(self, x: Float[Tensor, "n d"]) -> Tensor:
            return x.clamp(min=0) if x.shape[0] < 9 else x

    found = trace(Model().scores, torch.ones(2, 3))
    assert Step("clamp", ((2, 3),), (2, 3), ()) in next(iter(found.lines.values()))
    page = found._repr_html_()
    assert "clamp: (n=2, d=3) → (n=2, d=3)" in page
    assert "x.shape[0] &lt; 9" in page
