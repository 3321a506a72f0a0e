"""torchvision works here, whichever build it is, and so does the operator that may have to be supplied."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from exercise_code.support import vision
from exercise_code.support.vision import torchvision

ops = torchvision.ops


@given(seed=st.integers(0, 999), count=st.integers(0, 12), threshold=st.floats(0.05, 0.9))
def test_suppression_keeps_the_best_of_boxes_that_overlap(seed, count, threshold):
    """Kept boxes do not overlap; each of the others is overlapped by a better one that is kept."""
    draw = torch.Generator().manual_seed(seed)
    corner, size = torch.rand(count, 2, generator=draw), 0.1 + torch.rand(count, 2, generator=draw)
    boxes, scores = torch.cat([corner, corner + size], dim=1), torch.rand(count, generator=draw)
    overlaps = ops.box_iou(boxes, boxes)
    for suppress in (ops.nms, vision._nms):
        kept = suppress(boxes, scores, threshold)
        assert kept.dtype == torch.int64
        assert scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)
        among = overlaps[kept][:, kept] - torch.eye(len(kept))
        assert (among <= threshold).all()
        for box in {*range(count)} - {*kept.tolist()}:
            better = kept[scores[kept] > scores[box]]
            assert (overlaps[box, better] > threshold).any()


def test_models_and_transforms_are_there():
    scores = torchvision.models.squeezenet1_0().eval()(torch.zeros(1, 3, 64, 64))
    assert scores.shape == (1, 1000)
    flipped = torchvision.transforms.functional.hflip(torch.arange(6.0).view(1, 2, 3))
    assert flipped.tolist() == [[[2, 1, 0], [5, 4, 3]]]
    boxes = torch.tensor([[0, 0, 2, 2], [0, 0, 2, 2.1]])
    apart = ops.batched_nms(boxes, torch.tensor([0.1, 0.9]), torch.tensor([0, 1]), 0.5)
    assert apart.tolist() == [1, 0]
