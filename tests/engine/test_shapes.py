"""The procedural data set: reproducible, balanced, and one description behind pixels and annotations."""

from importlib import import_module

import pytest
import torch
from torch.nn.functional import avg_pool2d, max_pool2d

from exercise_code.support.data.shapes import CLASSES, SPLITS, TEXTURES, Scenes, shapes

module = import_module("exercise_code.support.data.shapes")
PER_OBJECT = ("shape", "centre", "size", "angle")
SIZES = [(32, 32), (24, 40), (48, 20), (33, 33)]


def scenes(num: int = 40, split: str = "train", num_objects: int = 1) -> Scenes:
    return Scenes.draw(split, torch.arange(num), num_objects)


def test_the_hash_is_splitmix64():
    """The first outputs of the published generator for seed 0."""
    step = 0x9E3779B97F4A7C15 - (1 << 64)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [z % (1 << 64) for z in module._mix(step * torch.arange(1, 4)).tolist()] == expected


def test_uniform_numbers_are_uniform_and_uncorrelated():
    u = module._uniform(1, torch.arange(20_000), 4)
    assert 0 <= u.min() < 1e-3 < 0.999 < u.max() < 1
    assert (u.mean(0) - 0.5).abs().max() < 5 * (1 / 12 / 20_000) ** 0.5
    neighbours = torch.corrcoef(torch.cat([u[1:], u[:-1]], dim=1).T) - torch.eye(8, dtype=torch.float64)
    assert neighbours.abs().max() < 5 / 20_000**0.5


def test_shapes_dtypes_and_ranges():
    x_train, y_train, x_test, y_test = shapes(30, 20, x_dtype=torch.float64)
    assert x_train.shape == (30, 3, 32, 32) and x_test.shape == (20, 3, 32, 32)
    assert x_train.dtype == x_test.dtype == torch.float64
    assert y_train.dtype == y_test.dtype == torch.int64
    assert 0 <= x_train.min() < 0.1 and 0.9 < x_train.max() <= 1
    assert not torch.equal(x_train[:20], x_test)


def test_same_images_every_time():
    assert all(map(torch.equal, shapes(50, 20), shapes(50, 20)))


def test_known_scene():
    """A change of the generator changes everybody's data: it must be meant."""
    scene = Scenes.draw("train", torch.tensor([7, 1_000_000]))
    assert [CLASSES[c] for c in scene.labels] == ["ring", "circle"]
    assert [TEXTURES[t] for t in scene.texture.flatten()] == ["stripes", "gradient", "stripes", "stripes"]


@pytest.mark.parametrize("num", [0, 1, 7, 513])
def test_fewer_images_are_a_prefix(num: int):
    for few, many in zip(shapes(num, num), shapes(600, 600), strict=True):
        assert torch.equal(few, many[:num])


@pytest.mark.parametrize("size", SIZES)
def test_images_do_not_depend_on_their_company(size: tuple[int, int]):
    indices = torch.tensor([731, 4, 4, 99_999, 50])
    whole = Scenes.draw("val", indices).render(size)
    single = torch.cat([Scenes.draw("val", index[None]).render(size) for index in indices])
    assert torch.equal(whole, single)
    assert torch.equal(whole[1], whole[2])


def test_splits_are_disjoint():
    images = torch.cat([scenes(300, split).render().flatten(1) for split in SPLITS])
    assert len(images.unique(dim=0)) == len(images)
    labels = [scenes(300, split).labels for split in SPLITS]
    assert not torch.equal(labels[0], labels[1]) and not torch.equal(labels[0], labels[2])


@pytest.mark.parametrize("num", [10, 25, 999])
def test_classes_are_balanced_in_every_prefix(num: int):
    counts = scenes(num).labels.bincount(minlength=len(CLASSES))
    assert counts.max() - counts.min() <= 1 and len(counts) == len(CLASSES)


def test_neighbouring_tens_are_ordered_differently():
    assert len(scenes(200).labels.view(20, 10).unique(dim=0)) == 20


@pytest.mark.parametrize("size", SIZES)
def test_any_size(size: tuple[int, int]):
    few = scenes(20, num_objects=3)
    assert few.render(size).shape == (20, 3, *size)
    assert few.masks(size).shape == (20, 3, *size)
    assert few.boxes(size).shape == (20, 3, 4)


def test_a_wider_image_shows_the_square_one_in_its_middle():
    assert torch.equal(scenes().render((32, 64))[..., 16:48], scenes().render((32, 32)))


def test_a_large_image_shrinks_to_the_small_one():
    small, large = scenes(100).render((32, 32)), scenes(100).render((128, 128))
    difference = (avg_pool2d(large, 4) - small).abs()
    assert difference.mean() < 0.01
    assert difference.flatten(1).mean(dim=1).max() < 0.03


def test_every_shape_has_its_mask():
    """Areas in units of size squared, where geometry knows them."""
    some = scenes(100)
    areas = some.masks((256, 256)).sum((2, 3))[:, 0] / 128**2 / some.size[:, 0] ** 2
    expected = {
        "circle": torch.pi * 0.9**2,
        "square": 1.48**2,
        "triangle": 0.75 * 3**0.5,
        "cross": 4 * 0.9 * 0.3 * 2 - 0.6**2,
        "ring": torch.pi * (0.92**2 - 0.44**2),
        "heart": 1.6**2 / 2 + torch.pi * 0.32,
    }
    for name, area in expected.items():
        torch.testing.assert_close(
            areas[some.labels == CLASSES.index(name)], torch.full((10,), area).double(), rtol=0.02, atol=0
        )


@pytest.mark.parametrize(
    ("names", "pixels"), [(("circle", "square", "ring", "heart"), 1), (CLASSES, 3)], ids=["blunt", "all"]
)
def test_masks_follow_the_pixels(names: tuple[str, ...], pixels: int):
    """The object's colour shows where its mask is and fades beside it, at sharp tips over three pixels."""
    some = scenes(100)
    some = some[torch.isin(some.labels, torch.tensor([CLASSES.index(name) for name in names]))]
    paler = Scenes(**{**vars(some), "lightness": some.lightness + torch.tensor([0.0, 0.1])})
    changed = (paler.render((64, 64)) != some.render((64, 64))).any(dim=1)
    mask = some.masks((64, 64))[:, 0]
    near = max_pool2d(mask.float(), 2 * pixels + 1, stride=1, padding=pixels).bool()
    assert not (changed & ~near).any()
    assert (changed & mask).sum() > 0.5 * mask.sum()


def test_later_objects_hide_earlier_ones():
    scene = scenes(60, num_objects=4)
    masks = scene.masks((48, 64))
    assert masks.sum(dim=1).max() == 1
    front = Scenes(**{**vars(scene), **{name: getattr(scene, name)[:, 3:] for name in PER_OBJECT}})
    assert torch.equal(masks[:, 3:], front.masks((48, 64)))
    alone = Scenes(**{**vars(scene), **{name: getattr(scene, name)[:, :1] for name in PER_OBJECT}})
    hidden = alone.masks((48, 64)) & ~masks[:, :1]
    assert hidden.any() and not (masks[:, :1] & ~alone.masks((48, 64))).any()
    assert torch.equal(hidden, alone.masks((48, 64)) & masks[:, 1:].any(dim=1, keepdim=True))


def test_boxes_are_tight():
    scene = scenes(60, num_objects=4)
    masks, boxes = scene.masks((40, 56)), scene.boxes((40, 56))
    for mask, box in zip(masks.flatten(0, 1), boxes.flatten(0, 1), strict=True):
        rows, columns = mask.nonzero().unbind(1)
        expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if mask.any() else [0] * 4
        assert box.tolist() == [int(side) for side in expected]


def test_the_box_of_something_hidden_is_zero():
    scene = scenes(5, num_objects=2)
    behind = Scenes(
        **{
            **vars(scene),
            **{name: getattr(scene, name)[:, :1].expand_as(getattr(scene, name)) for name in PER_OBJECT},
        }
    )
    boxes = behind.boxes()
    assert (boxes[:, 0] == 0).all() and (boxes[:, 1, 2:] > 0).all()


def test_a_single_object_lies_inside_the_image():
    masks = scenes(1000).masks()
    assert not masks[..., 0, :].any() and not masks[..., -1, :].any()
    assert not masks[..., 0].any() and not masks[..., -1].any()


def test_part_of_the_scenes():
    assert torch.equal(scenes(40)[10:30].render(), scenes(40).render()[10:30])
    assert torch.equal(scenes(40)[scenes(40).labels == 3].labels, torch.full((4,), 3))


def test_bad_input():
    with pytest.raises(ValueError, match="no split 'training': take one of train, val, test"):
        Scenes.draw("training", torch.arange(3))
    with pytest.raises(ValueError, match="num_objects=0"):
        Scenes.draw("train", torch.arange(3), 0)
    with pytest.raises(ValueError, match="num_train=-1"):
        shapes(-1)
