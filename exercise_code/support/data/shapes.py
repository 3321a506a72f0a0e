"""`shapes`: textured shapes over textured grounds, drawn from signed distance functions.

`Scenes` describes images in numbers; pixels, labels, masks and boxes are all read off that one description.
Lengths are in units of half the short side of the image: in a square image x runs from -1 (left) to 1 (right)
and y from -1 (top) to 1 (bottom). Every number is a hash of (split, index, draw), so an image does not depend
on which others are asked for, and per pixel there are only operations that IEEE 754 rounds exactly.

The images are made for a ladder of models: `python benchmarks/shapes.py --ladder` measures it. Busy grounds
mislead nearest neighbours; half the objects wear the favourite hue of their class, which linear models read;
the shape, in any place and orientation, takes a deep and then a convolutional network.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Plane = Float[Tensor, "#n #height #width"]


def _norm(x: Plane, y: Plane) -> Plane:
    return (x * x + y * y).sqrt()


def _box(x: Plane, y: Plane, half_width: float, half_height: float) -> Plane:
    return torch.maximum(x.abs() - half_width, y.abs() - half_height)


def _star(x: Plane, y: Plane) -> Plane:
    cos, sin = math.cos(math.pi / 5), math.sin(math.pi / 5)
    x = x.abs()
    for normal in (cos, -cos):  # fold all five points onto the upper one
        outside = 2 * (normal * x + sin * y).clamp(min=0)
        x, y = x - normal * outside, y - sin * outside
    notch_x, notch_y = 0.42 * sin, 1 - 0.42 * cos
    return (notch_y * x.abs() - notch_x * (y + 1)) / math.hypot(notch_x, notch_y)


def _heart(x: Plane, y: Plane) -> Plane:
    """A square on its corner, and half a disc on each of its upper sides."""
    x, y = x.abs(), 0.9 - y
    return torch.where(x + y > 1.6, _norm(x - 0.4, y - 1.2) - math.sqrt(0.32), math.sqrt(0.5) * (x - y))


def _drop(x: Plane, y: Plane) -> Plane:
    """A disc and the two tangents to it from a point above."""
    radius, height = 0.58, 1.3
    sin = radius / height
    cos = math.sqrt(1 - sin * sin)
    x, y = x.abs(), 0.38 - y
    return torch.where(cos * y < sin * x, _norm(x, y), cos * x + sin * y) - radius


def _arrow(x: Plane, y: Plane) -> Plane:
    head = torch.maximum(0.75 * x.abs() - math.sqrt(1 - 0.75**2) * (y + 0.95), y - 0.05)
    return torch.minimum(head, _box(x, y - 0.45, 0.27, 0.5))


# Shapes about 2 across, y down: signed distance to the edge, negative inside; a lower bound near corners.
_DISTANCES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "circle": lambda x, y: _norm(x, y) - 0.9,
    "square": lambda x, y: _box(x, y, 0.74, 0.74),
    "triangle": lambda x, y: torch.maximum(math.sqrt(0.75) * x.abs() - 0.5 * y, y) - 0.5,
    "star": _star,
    "cross": lambda x, y: torch.minimum(_box(x, y, 0.9, 0.3), _box(x, y, 0.3, 0.9)),
    "ring": lambda x, y: (_norm(x, y) - 0.68).abs() - 0.24,
    "heart": _heart,
    "crescent": lambda x, y: torch.maximum(_norm(x + 0.1, y) - 0.95, 0.75 - _norm(x - 0.42, y)),
    "drop": _drop,
    "arrow": _arrow,
}


def _saw(u: Plane) -> Plane:
    """Up and down in straight lines, from -1 to 1 and back in one period."""
    return (u - u.floor() - 0.5).abs() * 4 - 1


def _stripes(u: Plane, v: Plane, pixel: Plane) -> Plane:
    return (_saw(u) / (2 * pixel)).clamp(-1, 1)


def _dots(u: Plane, v: Plane, pixel: Plane) -> Plane:
    distance = _norm(u - u.floor() - 0.5, v - v.floor() - 0.5) - 0.3
    return (-2 * distance / pixel).clamp(-1, 1)


def _waves(u: Plane, v: Plane, pixel: Plane) -> Plane:
    total = _saw(0.7 * u + 0.2 * v) + _saw(0.5 * v - 0.3 * u + 0.3) + _saw(0.4 * u + 0.6 * v + 0.6)
    return (0.45 * total).clamp(-1, 1)


# Textures: tones from -1 to 1 over (u, v) and the side of a pixel, all in periods; edges are one pixel wide.
_TONES: dict[str, Callable[[Plane, Plane, Plane], Plane]] = {
    "gradient": lambda u, v, pixel: (u / 2).clamp(-1, 1),
    "stripes": _stripes,
    "checks": lambda u, v, pixel: _stripes(u, v, pixel) * _stripes(v, u, pixel),
    "dots": _dots,
    "waves": _waves,
}

CLASSES = tuple(_DISTANCES)
TEXTURES = tuple(_TONES)
SPLITS = ("train", "val", "test")
FACTORS = ("x", "y", "size", "cos angle", "sin angle")

FAVOURITE_HUES = (0.0, 0.4, 0.2, 0.1, 0.3, 0.5, 0.9, 0.7, 0.6, 0.8)  # of the classes, in turns
FAVOURITE_SHARE = 0.55  # of the objects have it; the others any hue but that of the ground
BRIGHT_SHARE = 0.6  # of the objects are brighter than the ground; the others are darker
DRAWS_PER_LAYER = 20


def shapes(
    num_train: int = 10_000, num_test: int = 2_000, x_dtype: torch.dtype = torch.float32
) -> tuple[
    Float[Tensor, "num_train 3 32 32"],
    Int[Tensor, " num_train"],
    Float[Tensor, "num_test 3 32 32"],
    Int[Tensor, " num_test"],
]:
    """Images of one shape each, and which of the ten `CLASSES` it is.

    Every ten images in a row show every class once. Fewer images are the first of more images.

    Args:
        num_train: number of training images, 0 or more.
        num_test: number of test images, 0 or more.
        x_dtype: float dtype of the images.

    Returns:
        x_train, y_train, x_test, y_test: images in [0, 1] and their labels, int64.

    Raises:
        ValueError: a number of images is negative.
    """
    if min(num_train, num_test) < 0:
        raise ValueError(f"num_train={num_train} and num_test={num_test} must be 0 or more.")
    train, test = Scenes.draw("train", torch.arange(num_train)), Scenes.draw("test", torch.arange(num_test))
    return train.render().to(x_dtype), train.labels, test.render().to(x_dtype), test.labels


@dataclass(frozen=True)
class Scenes:
    """What is to be seen in each image: a ground, and objects on it, the later ones in front.

    `shape` indexes CLASSES and `texture` TEXTURES. A layer is the ground (layer 0) or an object (layer 1 on).
    Centres are (x, y); angles are in radians, clockwise; frequencies are periods per unit of length, phases
    in periods; hues are in turns (0 red, 1/3 green, 2/3 blue); a texture spans lightness +- contrast.
    """

    shape: Int[Tensor, "num_scenes num_objects"]
    centre: Float[Tensor, "num_scenes num_objects 2"]
    size: Float[Tensor, "num_scenes num_objects"]
    angle: Float[Tensor, "num_scenes num_objects"]
    texture: Int[Tensor, "num_scenes num_layers"]
    frequency: Float[Tensor, "num_scenes num_layers"]
    direction: Float[Tensor, "num_scenes num_layers"]
    phase: Float[Tensor, "num_scenes num_layers 2"]
    hue: Float[Tensor, "num_scenes num_layers"]
    chroma: Float[Tensor, "num_scenes num_layers"]
    lightness: Float[Tensor, "num_scenes num_layers"]
    contrast: Float[Tensor, "num_scenes num_layers"]

    @classmethod
    def draw(cls, split: str, indices: Int[Tensor, " num_scenes"], num_objects: int = 1) -> "Scenes":
        """The scenes of a split at the given places.

        Args:
            split: one of SPLITS; they share no scene.
            indices: places in the split, int64, 0 or more, in any order; the scenes are made on their device.
            num_objects: objects per scene, 1 or more; several are smaller and lie further apart.

        Raises:
            ValueError: there is no such split, or no object.
        """
        if split not in SPLITS:
            raise ValueError(f"There is no split {split!r}: take one of {', '.join(SPLITS)}.")
        if num_objects < 1:
            raise ValueError(f"num_objects={num_objects} must be 1 or more.")
        stream = 2 * SPLITS.index(split) + 1
        order = _uniform(stream, indices // len(CLASSES), len(CLASSES)).argsort(dim=1)
        first_shape = order.gather(1, (indices % len(CLASSES))[:, None])

        layers = 1 + num_objects
        numbers = _uniform(stream + 1, indices, layers * DRAWS_PER_LAYER)
        draws: Iterator[Tensor] = iter(numbers.unflatten(1, (layers, DRAWS_PER_LAYER)).unbind(2))

        def between(low: float, high: float) -> Float[Tensor, "num_scenes num_layers"]:
            return low + (high - low) * next(draws)

        def choice(num: int) -> Int[Tensor, "num_scenes num_layers"]:
            return (num * next(draws)).long()

        def ground_or_object(of_ground: Tensor, of_object: Tensor) -> Float[Tensor, "num_scenes num_layers"]:
            return torch.cat([of_ground[:, :1], of_object[:, 1:]], dim=1)

        shape = torch.cat([first_shape, choice(len(CLASSES))[:, 2:]], dim=1)
        reach = 0.25 if num_objects == 1 else 0.65
        centre = torch.stack([between(-reach, reach), between(-reach, reach)], dim=2)[:, 1:]
        size = between(0.38, 0.68)[:, 1:] / math.sqrt(num_objects)
        angle = between(-math.pi, math.pi)[:, 1:]

        contrast = ground_or_object(between(0.06, 0.25), between(0.05, 0.15))
        ground = between(0.3, 0.7)[:, :1]
        sign = torch.where(next(draws) < BRIGHT_SHARE, 1, -1)
        lightness = ground_or_object(ground, ground + sign * (contrast + between(0.1, 0.3)))
        any_hue = next(draws)
        other_hue = any_hue[:, :1] + 0.2 + 0.6 * any_hue
        own_hue = any_hue.new_tensor(FAVOURITE_HUES)[shape] + between(0.0, 0.1)[:, 1:]
        is_own = next(draws)[:, 1:] < FAVOURITE_SHARE
        hue = torch.cat([any_hue[:, :1], torch.where(is_own, own_hue, other_hue[:, 1:])], dim=1)
        return cls(
            *(shape, centre, size, angle),
            texture=choice(len(TEXTURES)),
            frequency=between(0.8, 2.5),
            direction=between(-math.pi, math.pi),
            phase=torch.stack([next(draws), next(draws)], dim=2),
            hue=hue,
            chroma=ground_or_object(between(0.0, 0.12), between(0.1, 0.25)),
            lightness=lightness,
            contrast=contrast,
        )

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, chosen: slice | Int[Tensor, " n"] | Bool[Tensor, " num_scenes"]) -> "Scenes":
        return Scenes(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @property
    def labels(self) -> Int[Tensor, " num_scenes"]:
        """The class of the first object of each scene."""
        return self.shape[:, 0]

    def render(self, size: tuple[int, int] = (32, 32)) -> Float[Tensor, "num_scenes 3 height width"]:
        """Images, float32 multiples of 1/255 in [0, 1], with smooth edges; size is (height, width)."""
        return torch.cat([part._image(size) for part in self._parts(size)])

    def masks(self, size: tuple[int, int] = (32, 32)) -> Bool[Tensor, "num_scenes num_objects height width"]:
        """The pixels whose centre shows the object: inside it, and not behind a later one."""
        return torch.cat([part._visible(size) for part in self._parts(size)])

    def boxes(self, size: tuple[int, int] = (32, 32)) -> Int[Tensor, "num_scenes num_objects 4"]:
        """Tight boxes of the masks: left, top, right, bottom in pixels, the last two exclusive; 0 if none."""
        masks = self.masks(size)
        sides = []
        for line in (masks.any(dim=2), masks.any(dim=3)):
            line = line.byte()
            first, last = line.argmax(dim=2), line.shape[2] - line.flip(2).argmax(dim=2)
            sides.append((first, last * line.amax(dim=2)))
        (left, right), (top, bottom) = sides
        return torch.stack([left, top, right, bottom], dim=2)

    def visible_shares(self, size: tuple[int, int] = (32, 32)) -> Float[Tensor, "num_scenes num_objects"]:
        """The part of each object, 0 to 1, that no later one hides, by pixels of an image of that size."""
        parts = [(part._visible(size), part._distances(size) < 0) for part in self._parts(size)]
        shown, whole = (torch.cat([masks[i].flatten(2).sum(dim=2) for masks in parts]) for i in range(2))
        return shown / whole.clamp(min=1)

    def factors(self) -> Float[Tensor, "num_scenes 5"]:
        """What varies of the first object, by FACTORS: x, y, size, cosine and sine of the angle; float32."""
        angle = self.angle[:, 0]
        columns = [*self.centre[:, 0].unbind(dim=1), self.size[:, 0], angle.cos(), angle.sin()]
        return torch.stack(columns, dim=1).float()

    def semantic(self, size: tuple[int, int] = (32, 32)) -> Int[Tensor, "num_scenes height width"]:
        """The class of every pixel: 0 for the ground, 1 + the index in CLASSES for what is in front there."""
        masks = self.masks(size)
        return (masks * (1 + self.shape)[:, :, None, None]).sum(dim=1)

    def _parts(self, size: tuple[int, int]) -> Iterator["Scenes"]:
        """Runs of scenes whose planes fit into a processor's cache."""
        length = max(1, 2**19 // math.prod(size))
        return (self[start : start + length] for start in range(0, max(1, len(self)), length))

    def _distances(self, size: tuple[int, int]) -> Float[Tensor, "num_scenes num_objects height width"]:
        """Signed distance of every pixel's centre to the edge of every object, negative inside."""
        x, y, _ = _pixels(size, self.size.device)
        shape, scale, angle = self.shape.flatten(), self.size.flatten(), self.angle.flatten()
        x, y = x - _plane(self.centre[..., 0].flatten()), y - _plane(self.centre[..., 1].flatten())
        x, y = _turn(x, y, angle, 1 / scale)
        distances = _plane(scale) * _by_kind(shape, _DISTANCES.values(), x, y)
        return torch.unflatten(distances, 0, self.shape.shape)

    def _visible(self, size: tuple[int, int]) -> Bool[Tensor, "num_scenes num_objects height width"]:
        inside = self._distances(size) < 0
        at_or_before = inside.flip(1).cumsum(dim=1).flip(1)
        return inside & (at_or_before == 1)

    def _image(self, size: tuple[int, int]) -> Float[Tensor, "num_scenes 3 height width"]:
        _, _, pixel = _pixels(size, self.size.device)
        coverage = (0.5 - self._distances(size) / pixel).clamp(0, 1)
        image = self._layer(0, size)
        for i in range(coverage.shape[1]):
            image = image + coverage[:, i, None] * (self._layer(i + 1, size) - image)
        return (image.clamp(0, 1) * 255).round() / 255

    def _layer(self, layer: int, size: tuple[int, int]) -> Float[Tensor, "num_scenes 3 height width"]:
        """The colours of one layer, as if it covered the whole image."""
        x, y, pixel = _pixels(size, self.size.device)
        frequency, phase = self.frequency[:, layer], self.phase[:, layer]
        u, v = _turn(x, y, self.direction[:, layer], frequency)
        u, v = u + _plane(phase[:, 0]), v + _plane(phase[:, 1])
        tone = _by_kind(self.texture[:, layer], _TONES.values(), u, v, _plane(frequency * pixel))
        turns = self.hue[:, layer, None] - torch.arange(3, device=u.device) / 3
        colour = self.lightness[:, layer, None] + self.chroma[:, layer, None] * (2 * math.pi * turns).cos()
        return colour.float()[:, :, None, None] + (_plane(self.contrast[:, layer]) * tone)[:, None]


def _mix(z: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """The finaliser of splitmix64 (Steele, Lea and Flood, 2014): a bijection of 64 bits that looks random."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> shift & (1 << 64 - shift) - 1)) * (factor - (1 << 64))
    return z ^ (z >> 31 & (1 << 33) - 1)


def _uniform(stream: int, counter: Int[Tensor, " n"], num_draws: int) -> Float[Tensor, "n num_draws"]:
    """Numbers in [0, 1), float64, that depend on (stream, counter, draw) alone."""
    step = 0x9E3779B97F4A7C15 - (1 << 64)  # 2^64 / golden ratio, as in splitmix64
    state = _mix(_mix(torch.full_like(counter, stream)) + step * counter)
    bits = _mix(state[:, None] + step * torch.arange(1, num_draws + 1, device=counter.device))
    return (bits >> 11 & (1 << 53) - 1).double() * 2.0**-53


def _pixels(
    size: tuple[int, int], device: torch.device
) -> tuple[Float[Tensor, "1 1 width"], Float[Tensor, "1 height 1"], float]:
    """The centres of the pixels, x and y, and the side of a pixel."""
    height, width = size
    pixel = 2 / min(size)
    x = (torch.arange(width, device=device) + (1 - width) / 2) * pixel
    y = (torch.arange(height, device=device) + (1 - height) / 2) * pixel
    return x.view(1, 1, width), y.view(1, height, 1), pixel


def _plane(values: Float[Tensor, " n"]) -> Float[Tensor, "n 1 1"]:
    return values.float()[:, None, None]


def _turn(x: Plane, y: Plane, angle: Float[Tensor, " n"], scale: Float[Tensor, " n"]) -> tuple[Plane, Plane]:
    """The scaled coordinates in axes that are turned by the angle."""
    cos, sin = _plane(angle.cos() * scale), _plane(angle.sin() * scale)
    return cos * x + sin * y, cos * y - sin * x


def _by_kind(kind: Int[Tensor, " n"], functions: Iterable[Callable[..., Plane]], *planes: Plane) -> Plane:
    """functions[kind[i]] of the i-th planes, for all i."""
    result = torch.empty_like(planes[0])
    for k, function in enumerate(functions):
        chosen = (kind == k).nonzero().squeeze(1)
        result[chosen] = function(*(plane[chosen] for plane in planes))
    return result
