"""How people get `attention.rotary` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

TURN = "attention.rotary.apply_rotary"


def _angles(x, positions, base, exponent=lambda i, d: -2 * i / d):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("Pairs are needed.")
    return positions.to(x.dtype)[:, None] * base ** exponent(
        torch.arange(d // 2, device=x.device).to(x.dtype), d
    )


def _turned(a, b, angles):
    return a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()


def _in_pairs(x, angles):
    return torch.stack(_turned(x[..., ::2], x[..., 1::2], angles), dim=-1).flatten(-2)


@mistake(TURN, hint="The pairs are turned backwards: a becomes a cos t - b sin t.")
def backwards(x, positions, base=10_000.0):
    return _in_pairs(x, -_angles(x, positions, base))


@mistake(TURN, hint="Entry i is paired with entry i + d/2: here neighbours, 2i and 2i + 1, are a pair.")
def halves_paired(x, positions, base=10_000.0):
    a, b = x[..., : x.shape[-1] // 2], x[..., (x.shape[-1] + 1) // 2 :]
    return torch.cat(_turned(a, b, _angles(x, positions, base)), dim=-1)


@mistake(TURN, hint="The turned pairs lie in two halves: put each pair back where it came from.")
def left_in_halves(x, positions, base=10_000.0):
    return torch.cat(_turned(x[..., ::2], x[..., 1::2], _angles(x, positions, base)), dim=-1)


@mistake(TURN, hint="All pairs turn at the same speed: the angle is m base^(-2i / d).")
def one_speed(x, positions, base=10_000.0):
    return _in_pairs(x, _angles(x, positions, base, lambda i, d: 0 * i))


@mistake(TURN, hint="The exponent lacks its factor 2: it is -2i / d.")
def half_the_exponent(x, positions, base=10_000.0):
    return _in_pairs(x, _angles(x, positions, base, lambda i, d: -i / d))


@mistake(TURN, hint="The exponent is positive, so later pairs turn faster: it has a minus.")
def faster_and_faster(x, positions, base=10_000.0):
    return _in_pairs(x, _angles(x, positions, base, lambda i, d: 2 * i / d))


@mistake(TURN, hint="`base` is not used: it is not always 10000.")
def base_fixed(x, positions, base=10_000.0):
    return _in_pairs(x, _angles(x, positions, 10_000.0))


@mistake(TURN, hint="The vectors are numbered from 0 to S - 1, whatever `positions` says.")
def positions_ignored(x, positions, base=10_000.0):
    return _in_pairs(x, _angles(x, torch.arange(len(positions), device=x.device), base))


@mistake(
    TURN, hint="The second entry is worked out from the first one that has been turned: keep the old pair."
)
def one_after_the_other(x, positions, base=10_000.0):
    angles = _angles(x, positions, base)
    a = x[..., ::2] * angles.cos() - x[..., 1::2] * angles.sin()
    return torch.stack([a, a * angles.sin() + x[..., 1::2] * angles.cos()], dim=-1).flatten(-2)


@mistake(TURN, hint="x itself is turned: the caller's tensor must stay as it is.")
def turned_in_place(x, positions, base=10_000.0):
    x[...] = _in_pairs(x, _angles(x, positions, base))
    return x


@mistake(TURN, hint="An odd number of entries is accepted, and one is lost: raise ValueError.")
def odd_accepted(x, positions, base=10_000.0):
    even = x[..., : x.shape[-1] // 2 * 2]
    return _in_pairs(even, _angles(even, positions, base))


@mistake(TURN, hint="The angles are float32 whatever x is: make them in the dtype of x.")
def angles_float32(x, positions, base=10_000.0):
    return _in_pairs(x, _angles(x.float(), positions, base)).to(x.dtype)


@mistake(
    TURN,
    hint="torch's RuntimeError comes of a pair with one entry, where d is odd: raise ValueError before.",
    raises=RuntimeError,
)
def odd_left_to_torch(x, positions, base=10_000.0):
    d = x.shape[-1]
    rates = base ** (-torch.arange(0, d, 2, device=x.device, dtype=x.dtype) / d)
    return torch.stack(_turned(x[..., ::2], x[..., 1::2], positions[:, None] * rates), dim=-1).flatten(-2)


@mistake(
    TURN,
    hint="An odd d cannot be reshaped into pairs, a RuntimeError: look at d first, and raise ValueError.",
    raises=RuntimeError,
)
def odd_left_to_reshape(x, positions, base=10_000.0):
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    return _in_pairs(pairs.flatten(-2), _angles(x, positions, base))


@mistake(
    TURN,
    hint="cos and sin are made for d entries, but meet half of them: a pair has one angle.",
    raises=RuntimeError,
)
def angles_twice_for_halves(x, positions, base=10_000.0):
    a, b = x.chunk(2, dim=-1)
    d = x.shape[-1]
    angles = positions[:, None] * base ** (-torch.arange(0, d, 2, device=x.device, dtype=x.dtype) / d)
    return torch.cat(_turned(a, b, torch.cat([angles, angles], dim=-1)), dim=-1)


@mistake(
    TURN,
    hint="An odd d gives more angles than entries, and torch a RuntimeError: raise ValueError first.",
    raises=RuntimeError,
)
def odd_with_double_angles(x, positions, base=10_000.0):
    d = x.shape[-1]
    angles = positions[:, None] * base ** (-torch.arange(0, d, 2, device=x.device, dtype=x.dtype) / d)
    angles = torch.cat([angles, angles], dim=-1)
    a, b = x.chunk(2, dim=-1)
    return x * angles.cos() + torch.cat([-b, a], dim=-1) * angles.sin()


@mistake(
    TURN,
    hint="Where d is odd there are more even entries than odd ones to stack: raise ValueError before.",
    raises=RuntimeError,
)
def odd_left_to_stack(x, positions, base=10_000.0):
    turned = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).flatten(-2)
    angles = _angles(x, positions, base).repeat_interleave(2, dim=-1)
    return x * angles.cos() + turned * angles.sin()


@mistake(
    TURN,
    hint="d // 2 pairs leave out one entry of an odd d, so `reshape` fails: raise ValueError before.",
    raises=RuntimeError,
)
def odd_left_to_counted_pairs(x, positions, base=10_000.0):
    pairs = x.reshape(*x.shape[:-1], x.shape[-1] // 2, 2)
    return _in_pairs(pairs.flatten(-2), _angles(x, positions, base))
