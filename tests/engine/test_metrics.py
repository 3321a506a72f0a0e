"""Metrics against values worked out by hand or by other libraries, and the truth about held-out data."""

import json
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, jaccard_score

from exercise_code.support import data
from exercise_code.support.checking.declare import DeclarationError
from exercise_code.support.checking.declare import check as declare
from exercise_code.support.checking.evidence import Evidence, Run, leaves
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.metrics import METRICS, FormError, frechet_distance, mean_iou
from exercise_code.support.data.held_out import TRUTHS, HeldOut, draw
from exercise_code.support.data.shapes import CLASSES, Scenes


def measured(name: str, outputs, truth) -> float:
    """A metric of outputs and a truth as a check returns them."""
    return METRICS[name].measure(leaves(outputs), leaves(truth))


def test_accuracies_agree_with_scikit_learn():
    due, got = torch.tensor([[0, 1, 2], [2, 2, 1]]), torch.tensor([[0, 1, 1], [2, 0, 1]])
    for name in ("accuracy", "pixel_accuracy"):
        found = measured(name, {"labels": got}, {"labels": due})
        assert found == pytest.approx(accuracy_score(due.flatten(), got.flatten()))


def test_mean_iou_agrees_with_scikit_learn_and_skips_classes_that_are_not_there():
    draws = torch.Generator().manual_seed(0)
    due = torch.randint(0, 4, (5, 6, 7), generator=draws) * 2  # classes 1, 3 and 5 are not there
    got = torch.where(torch.rand(due.shape, generator=draws) < 0.3, 5, due)
    expected = jaccard_score(due.flatten(), got.flatten(), labels=[0, 2, 4, 6], average="macro")
    assert mean_iou({"labels": got}, {"labels": due}) == pytest.approx(expected)
    assert mean_iou({"labels": torch.zeros_like(due)}, {"labels": due}) < 0.1  # all ground is no segmentation


def test_average_precision_by_hand():
    """Two objects of one class: the best box is wrong, the second and third are right."""
    truth = {
        "boxes": torch.tensor([[0.0, 0, 10, 10], [20, 20, 30, 40]]),
        "labels": torch.tensor([3, 3]),
        "images": torch.tensor([0, 1]),
    }
    outputs = {
        "boxes": torch.tensor([[50.0, 50, 60, 60], [0, 0, 10, 9], [20, 20, 30, 39]]),
        "scores": torch.tensor([0.9, 0.8, 0.7]),
        "labels": torch.tensor([3, 3, 3]),
        "images": torch.tensor([0, 0, 1]),
    }
    found = measured("mean_average_precision", outputs, truth)
    assert found == pytest.approx(2 / 3, abs=0.01)  # precision 1/2, 2/3; the envelope is 2/3 at every recall
    swapped = {**outputs, "images": torch.tensor([0, 1, 0])}
    assert measured("mean_average_precision", swapped, truth) == 0
    nothing = {name: values[:0] for name, values in outputs.items()}
    assert measured("mean_average_precision", nothing, truth) == 0


def test_bleu_of_a_reference_is_one_and_falls_with_every_wrong_word():
    truth = {"captions": ["a small red circle left of a cross\na cross", "a large blue ring"]}
    right = ["a small red circle left of a cross", "a large blue ring"]
    worse = ["a small red circle right of a cross", "a large blue ring"]
    assert measured("bleu", {"captions": right}, truth) == pytest.approx(1)
    assert 0.3 < measured("bleu", {"captions": worse}, truth) < 0.9


def test_captions_are_judged_by_their_own_scene():
    wanted = HeldOut("captions", num=40, num_objects=2)
    _, truth = draw(wanted, 5)
    right = [text.split("\n")[0] for text in truth["captions"]]
    assert measured("true_captions", {"captions": right}, truth) == 1
    assert measured("true_captions", {"captions": right[1:] + right[:1]}, truth) < 0.2
    assert measured("true_captions", {"captions": [text + " of" for text in right]}, truth) == 0


def test_elbo_by_hand():
    """Pixels 1 and 0 claimed at 1/2 cost log 2 each; a code N(1, 1) is 1/2 nat away from N(0, 1)."""
    images = torch.tensor([[[[255, 0]]], [[[255, 0]]]], dtype=torch.uint8)
    outputs = {
        "reconstruction": torch.full((2, 1, 1, 2), 0.5),
        "mean": torch.ones(2, 3),
        "logvar": torch.zeros(2, 3),
    }
    assert measured("elbo", outputs, {"images": images}) == pytest.approx(-2 * math.log(2) - 3 / 2)


def test_frechet_distance_is_that_of_the_normal_distributions(monkeypatch):
    """Features of unit variance, 3 apart in one direction: the distance is 9."""
    draws = torch.Generator().manual_seed(0)
    rows = torch.randn(4000, 4, generator=draws).double()
    far = rows * torch.tensor([2.0, 1, 1, 1]) + torch.tensor([3.0, 0, 0, 0])
    monkeypatch.setattr("exercise_code.support.checking.metrics.features", lambda images: images)
    monkeypatch.setattr("exercise_code.support.checking.metrics._images", lambda values: values["images"])
    found = frechet_distance({"images": far}, {"images": rows})
    moments = [(each.mean(dim=0).numpy(), np.cov(each.numpy().T)) for each in (rows, far)]
    roots = np.linalg.eigvals(moments[0][1] @ moments[1][1]) ** 0.5
    expected = ((moments[0][0] - moments[1][0]) ** 2).sum() - 2 * roots.real.sum()
    expected += sum(np.trace(covariance) for _, covariance in moments)
    assert found == pytest.approx(expected)
    assert found == pytest.approx(3**2 + (2 - 1) ** 2, rel=0.1)


def test_frechet_distance_grows_with_noise():
    _, truth = draw(HeldOut("images", num=200), 1)
    other, _ = draw(HeldOut("images", num=200), 2)
    draws = torch.Generator().manual_seed(0)
    noise = torch.randn(other.shape, generator=draws)
    found = [
        measured("frechet_distance", {"images": (other / 255 + sd * noise).clamp(0, 1)}, truth)
        for sd in (0, 0.1, 0.2)
    ]
    assert 0 < found[0] < found[1] < found[2]


def test_classifier_score_by_hand(monkeypatch):
    """Sure of one class each, all equally often: as many as classes; always the same, or never sure: 1."""
    scores = {}
    monkeypatch.setattr(
        "exercise_code.support.checking.metrics._classifier", lambda: lambda images: scores["now"]
    )
    images = {"images": torch.rand(8, 3, 32, 32)}
    for now, expected in (
        (50 * torch.eye(4).repeat(2, 1), 4),
        (50 * torch.eye(4)[[0] * 8], 1),
        (torch.zeros(8, 4), 1),
    ):
        scores["now"] = now
        assert measured("classifier_score", images, {}) == pytest.approx(expected)


def test_points_are_measured_in_pixels():
    due = torch.zeros(2, 3, 2)
    assert measured("keypoint_error", {"points": due + torch.tensor([3.0, 4.0])}, {"points": due}) == 5


def test_the_episode_is_played_by_the_table_of_actions():
    """Two states; action 1 earns 1 in state 1 and stays there, action 0 goes back to state 0."""
    truth = {
        "next_state": torch.tensor([[0, 1], [0, 1]]),
        "reward": torch.tensor([[0.0, 0], [0, 1]]),
        "start": 0,
        "steps": 5,
    }
    assert measured("episode_return", {"actions": torch.tensor([1, 1])}, truth) == 4
    assert measured("episode_return", {"actions": torch.tensor([0, 1])}, truth) == 0


@pytest.mark.parametrize("truth", TRUTHS)
def test_held_out_data_depend_on_the_secret_alone(truth):
    wanted = HeldOut(truth, num=20, size=(24, 40), num_objects=3)
    (one, known), (same, _), (other, _) = (draw(wanted, secret) for secret in (7, 7, 8))
    assert one.shape == (20, 3, 24, 40)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert leaves(known)


@pytest.mark.parametrize("dataset", ["shapes", "cifar10"])
def test_all_64_bits_of_the_secret_choose_the_held_out_images(dataset, monkeypatch):
    """Otherwise whoever draws the images of all secrets finds the labels."""
    real = torch.rand(300, 3, 4, 4), torch.arange(300)
    monkeypatch.setattr(data, "load", lambda name, num_train: (None, None, *real))
    wanted, secret = HeldOut(num=20, dataset=dataset), 2**63 + 5
    images = draw(wanted, secret)[0]
    for bit in range(0, 64, 9):
        assert not torch.equal(images, draw(wanted, secret ^ 1 << bit)[0]), bit


def test_the_place_of_one_held_out_image_says_nothing_of_the_next(monkeypatch):
    """Neither in the data set nor in the order of the classes, each of which is there as often."""
    drawn = []
    scenes = Scenes.draw

    def watched(split, places, num_objects=1):
        drawn.append(places)
        return scenes(split, places, num_objects)

    monkeypatch.setattr(Scenes, "draw", watched)
    labels = draw(HeldOut(num=200), 7)[1]["labels"]
    assert labels.bincount().tolist() == [20] * 10
    assert max(len(ten.unique()) for ten in labels.split(10)) < 10
    (places,) = drawn
    assert len((places // 10).unique()) == 20
    assert (places // 10).unique().diff().min() > 2**40


def test_masks_boxes_and_factors_tell_of_one_scene():
    sizes = {"num": 30, "size": (40, 64), "num_objects": 2}
    (_, masks), (_, boxes), (_, factors) = (
        draw(HeldOut(t, **sizes), 3) for t in ("masks", "boxes", "factors")
    )
    assert masks["labels"].max() <= len(CLASSES)
    for (left, top, right, bottom), label, image in zip(
        boxes["boxes"].long().tolist(), boxes["labels"].tolist(), boxes["images"].tolist(), strict=True
    ):
        inside = masks["labels"][image, top:bottom, left:right]
        assert (inside == label + 1).any()
        assert (inside[0] == label + 1).any() and (inside[:, -1] == label + 1).any()
    assert ((factors["points"] > 0) & (factors["points"] < torch.tensor([64, 40]))).all()
    scene = json.loads(draw(HeldOut("captions", **sizes), 3)[1]["scenes"][0])
    assert len(scene) == 2


@pytest.mark.parametrize(
    "name, outputs, message",
    [
        ("accuracy", {}, "labels must be a tensor with 1 axes"),
        ("accuracy", {"labels": torch.zeros(5)}, "expected (4,), torch.int64"),
        ("elbo", {"reconstruction": torch.full((4, 3, 2, 2), math.nan)}, "reconstruction is not finite"),
        ("true_captions", {"captions": [1, 2]}, "must be a list of texts"),
        ("keypoint_error", {"points": torch.zeros(4, 1, 3)}, "expected (4, 1, 2)"),
    ],
)
def test_what_has_another_form_is_told_in_a_sentence(name, outputs, message):
    truth = {
        "labels": torch.zeros(4, dtype=torch.int64),
        "images": torch.zeros(4, 3, 2, 2, dtype=torch.uint8),
        "points": torch.zeros(4, 1, 2),
        "scenes": ["[]"],
    }
    with pytest.raises(FormError) as error:
        measured(name, outputs, truth)
    assert message in str(error.value)


@pytest.mark.parametrize("error, points", [(8.0, 0), (6.0, 0), (4.5, 1.5), (3.0, 3), (1.0, 3)])
def test_points_rise_as_an_error_falls(error, points):
    @declare("lab.work.train:points", points=3, floor=6.0, target=3.0, metric="keypoint_error")
    def found(code, case):
        """Points on new images."""

    due = torch.zeros(500, 1, 2)
    run = Run({"points": due + torch.tensor([error, 0.0])})
    reference = Evidence(found.id, {"float32": Run({"points": due})})
    verdict = judge(found, Evidence(found.id, {"float32": run}), reference, None)
    assert verdict.points == points
    assert points == 3 or "pixels off on average; all points are for 3, none for 6 or more" in verdict.message


def test_a_floor_is_worse_than_its_target():
    for settings in (
        {"floor": 0.5, "target": 0.4},
        {"floor": 3.0, "target": 6.0, "metric": "keypoint_error"},
        {"floor": 0.5, "target": 40.0, "metric": "mean_iou"},
        {"floor": 0.1, "target": 0.5, "metric": "beauty"},
    ):
        with pytest.raises(DeclarationError):
            declare("lab.work.train:x", points=1, **settings)(lambda code, case: {})
