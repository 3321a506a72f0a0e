"""How people get `cnn.convolutional_networks` wrong, and the hint each mistake deserves."""

from functools import partial
from itertools import pairwise, product

import torch
from torch.nn import functional

from exercise_code.cnn import convolutional_networks as nets
from exercise_code.cnn.convolutional_networks import (
    HALVE,
    KEEP,
    DeepConvNet,
    FastConv,
    FastMaxPool,
    MaxPool,
    SpatialBatchNorm,
    ThreeLayerConvNet,
    initial_weights,
    output_size,
)
from exercise_code.mlp.fully_connected_networks import Linear, ReLU
from exercise_code.mlp.losses import softmax_loss
from exercise_code.support.checking.declare import mistake

CNN = "cnn.convolutional_networks."


ON_CPU = "A tensor made without `device=` lives on the CPU: make it where x is (`x.new_zeros`, `zeros_like`)."


FLOAT32 = "The result is float32 whatever goes in: keep to the dtype of the input."


# Convolution and pooling
NOT_LIBRARY = "This is the layer itself, as a call of the library: write it out."


PERMUTED = "Right numbers in wrong places: `reshape` leaves the order of axes as it is; `permute` them first."


SWAPPED_WINDOW = (
    "Height and width of the window are swapped: rows go with the height, columns with the width."
)


def _positions(out):
    return product(*map(range, out.shape))


@mistake(CNN + "output_size", hint="A window that just fits has one position, not none: add 1.")
def size_without_one(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return (size + 2 * pad - kernel) // stride


@mistake(
    CNN + "output_size",
    hint="`size // stride` is a rule of thumb for a few kernels: count the places where a window still fits.",
)
def size_halved(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return size // stride


@mistake(CNN + "output_size", hint="Zeros are added at both ends: the axis grows by 2 pad.")
def size_padded_once(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return 1 + (size + pad - kernel) // stride


@mistake(
    CNN + "output_size", hint="A window that would stick out at the end does not count: round down, not up."
)
def size_rounded_up(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return 1 - (kernel - size - 2 * pad) // stride


@mistake(CNN + "output_size", hint="This is the nearest whole number: windows that stick out must not count.")
def size_rounded(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return round(1.01 + (size + 2 * pad - kernel) / stride)


@mistake(CNN + "output_size", hint="`/` gives a float; a size is an integer, from `//`.")
def size_as_float(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return 1 + (size + 2 * pad - kernel) / stride


@mistake(CNN + "output_size", hint="The stride is left out: fewer windows fit when each step is longer.")
def size_without_stride(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return 1 + size + 2 * pad - kernel


@mistake(
    CNN + "output_size:too_large",
    hint="A kernel larger than the padded axis gets a number: raise a ValueError that says so.",
)
def size_never_refused(size, kernel, stride=1, pad=0):
    return 1 + (size + 2 * pad - kernel) // stride


@mistake(
    CNN + "output_size:too_large",
    hint="A kernel larger than the padded axis gets 0 positions: raise a ValueError, so that nobody goes on.",
)
def size_zero_when_too_large(size, kernel, stride=1, pad=0):
    return max(0, 1 + (size + 2 * pad - kernel) // stride)


@mistake(
    CNN + "output_size:too_large",
    hint="A kernel that exactly fills the padded axis is refused: it has one position.",
)
def size_refuses_exact_fit(size, kernel, stride=1, pad=0):
    if kernel >= size + 2 * pad:
        raise ValueError("too large")
    return 1 + (size + 2 * pad - kernel) // stride


@mistake(
    CNN + "output_size:too_large",
    hint="A kernel that fits is refused: compare it with the axis as it is padded, at both ends.",
)
def size_refuses_what_padding_holds(size, kernel, stride=1, pad=0):
    if kernel > size:
        raise ValueError("too large")
    return 1 + (size + 2 * pad - kernel) // stride


@mistake(
    CNN + "output_size:too_large",
    hint="`/` gives a float, where a kernel fits; a size is an integer, from `//`.",
)
def size_as_float_where_it_fits(size, kernel, stride=1, pad=0):
    if kernel > size + 2 * pad:
        raise ValueError("too large")
    return 1 + (size + 2 * pad - kernel) / stride


def _conv(x, w, b, conv_param, *, at=None, flip=False):
    """`Conv.forward` with windows that start elsewhere, or with turned filters."""
    stride, pad = conv_param["stride"], conv_param["pad"]
    height, width = w.shape[2:]
    x_pad = functional.pad(x, (pad,) * 4)
    w_used = w.flip(2, 3) if flip else w
    sizes = output_size(x.shape[2], height, stride, pad), output_size(x.shape[3], width, stride, pad)
    out = x.new_zeros(len(x), len(w), *sizes)
    for n, f, i, j in _positions(out):
        top, left = at(i, j) if at else (i * stride, j * stride)
        window = x_pad[n, :, top : top + height, left : left + width]
        out[n, f, i, j] = (window * w_used[f]).sum() + b[f]
    return out, (x_pad, w, stride, pad)


@mistake(CNN + "Conv.forward", hint="The bias is missing: every filter adds its own.")
def conv_without_bias(x, w, b, conv_param):
    return _conv(x, w, torch.zeros_like(b), conv_param)


@mistake(
    CNN + "Conv.forward",
    hint="The filters are flipped. That is the convolution of mathematics; a layer does not flip.",
)
def conv_flipped(x, w, b, conv_param):
    return _conv(x, w, b, conv_param, flip=True)


@mistake(
    CNN + "Conv.forward",
    hint="The output has the right size, but windows move by one pixel: position i starts at i * stride.",
)
def conv_steps_of_one(x, w, b, conv_param):
    return _conv(x, w, b, conv_param, at=lambda i, j: (i, j))


@mistake(
    CNN + "Conv.forward",
    hint="The bias is added to each product before they are summed: add it once, to the sum.",
)
def conv_bias_inside_the_sum(x, w, b, conv_param):
    return _conv(x, w, b * w[0].numel(), conv_param)


@mistake(
    CNN + "Conv.forward",
    hint="Each filter looks at one channel only: a filter has all C channels, and their products are summed.",
)
def conv_one_channel(x, w, b, conv_param):
    only_first = torch.zeros_like(w)
    only_first[:, :1] = w[:, :1]
    return _conv(x, only_first, b, conv_param)


@mistake(
    CNN + "Conv.forward",
    hint="Only the last channel is left: each one overwrites the sum of those before it, so `+=`.",
)
def conv_last_channel(x, w, b, conv_param):
    only_last = torch.zeros_like(w)
    only_last[:, -1:] = w[:, -1:]
    return _conv(x, only_last, b, conv_param)


@mistake(CNN + "Conv.forward", hint="The bias is added once for each channel: add it once to the whole sum.")
def conv_bias_for_each_channel(x, w, b, conv_param):
    return _conv(x, w, b * w.shape[1], conv_param)


@mistake(
    CNN + "Conv.forward",
    hint="An `assert` refuses allowed sizes: windows need not be square, and the stride may leave a rest.",
    raises=AssertionError,
)
def conv_refuses_a_rest(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    for axis in (2, 3):
        assert (x.shape[axis] + 2 * pad - w.shape[axis]) % stride == 0
    return _conv(x, w, b, conv_param)


@mistake(CNN + "Conv.forward", hint="This is the mean over the window; the layer takes the sum.")
def conv_mean(x, w, b, conv_param):
    return _conv(x, w / w[0].numel(), b, conv_param)


@mistake(
    CNN + "Conv.forward",
    hint="A window differs from its filter in shape: frame the last two axes only, cut HH rows, WW columns.",
    raises=RuntimeError,
)
def conv_pads_all_axes(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    height, width = w.shape[2:]
    x_pad = functional.pad(x, (pad,) * 8)
    sizes = output_size(x.shape[2], height, stride, pad), output_size(x.shape[3], width, stride, pad)
    out = x.new_zeros(len(x), len(w), *sizes)
    for n, f, i, j in _positions(out):
        top, left = i * stride, j * stride
        out[n, f, i, j] = (x_pad[n, :, top : top + height, left : left + width] * w[f]).sum() + b[f]
    return out, (x_pad, w, stride, pad)


@mistake(CNN + "Conv.forward", hint="Images come without their frame of zeros: pad before you cut windows.")
def conv_without_padding(x, w, b, conv_param):
    return _conv(x, w, b, {**conv_param, "pad": 0})


@mistake(CNN + "Conv.forward", hint=FLOAT32)
def conv_float32(x, w, b, conv_param):
    out, cache = _conv(x, w, b, conv_param)
    return out.float(), cache


@mistake(CNN + "Conv.forward", hint=ON_CPU)
def conv_on_cpu(x, w, b, conv_param):
    right, cache = _conv(x, w, b, conv_param)
    out = torch.zeros(right.shape, dtype=x.dtype)
    for place in _positions(out):
        out[place] = right[place]
    return out, cache


@mistake(CNN + "Conv.forward", hint=NOT_LIBRARY)
def conv_by_library(x, w, b, conv_param):
    return functional.conv2d(x, w, b, stride=conv_param["stride"], padding=conv_param["pad"]), None


def _conv_backward(dout, cache, *, add=True, step=None, flip=False):
    """`Conv.backward` with its frame, which may forget to add, step otherwise, or turn filters."""
    x_pad, w, stride, _ = cache
    height, width = w.shape[2:]
    step, filters = step or stride, w.flip(2, 3) if flip else w
    dx, dw = torch.zeros_like(x_pad), torch.zeros_like(w)
    for n, f, i, j in _positions(dout):
        rows = slice(i * step, i * step + height)
        columns = slice(j * step, j * step + width)
        if add:
            dx[n, :, rows, columns] += dout[n, f, i, j] * filters[f]
        else:
            dx[n, :, rows, columns] = dout[n, f, i, j] * filters[f]
        top, left = i * stride, j * stride
        dw[f] += dout[n, f, i, j] * x_pad[n, :, top : top + height, left : left + width]
    return dx, dw, dout.sum((0, 2, 3))


def _trimmed(dx, pad):
    return dx[:, :, pad : dx.shape[2] - pad, pad : dx.shape[3] - pad]


@mistake(
    CNN + "Conv.backward",
    hint="`[pad:-pad]` is empty when pad is 0, since -0 is 0: count the end from the front.",
)
def conv_backward_trims_to_nothing(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    pad = cache[3]
    return dx[:, :, pad:-pad, pad:-pad], dw, db


@mistake(
    CNN + "Conv.backward", hint="dx still has the frame of zeros around it: cut it off, as x came without."
)
def conv_backward_keeps_the_frame(dout, cache):
    return _conv_backward(dout, cache)


@mistake(
    CNN + "Conv.backward",
    hint="dx is cut at the top and the left only: the frame is on all four sides.",
)
def conv_backward_trims_one_side(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    pad = cache[3]
    return dx[:, :, pad:, pad:], dw, db


@mistake(
    CNN + "Conv.backward",
    hint="A frame of one pixel is cut off dx, whatever the padding: the frame is `pad` pixels wide.",
)
def conv_backward_trims_one_pixel(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    return dx[:, :, 1:-1, 1:-1], dw, db


@mistake(
    CNN + "Conv.backward",
    hint="Where windows overlap, the last one wins in dx: gradients of one pixel add up, so `+=`.",
)
def conv_backward_assigns_dx(dout, cache):
    dx, dw, db = _conv_backward(dout, cache, add=False)
    return _trimmed(dx, cache[3]), dw, db


@mistake(
    CNN + "Conv.backward",
    hint="dw holds the share of one window only: all windows of all images add to it.",
)
def conv_backward_assigns_dw(dout, cache):
    x_pad, w, stride, pad = cache
    dx, _, db = _conv_backward(dout, cache)
    dw = torch.zeros_like(w)
    for n, f, i, j in _positions(dout):
        top, left = i * stride, j * stride
        dw[f] = dout[n, f, i, j] * x_pad[n, :, top : top + w.shape[2], left : left + w.shape[3]]
    return _trimmed(dx, pad), dw, db


@mistake(
    CNN + "Conv.backward",
    hint="dx is spread as if the stride were 1: an entry goes back to the window that it came from.",
)
def conv_backward_steps_of_one(dout, cache):
    dx, dw, db = _conv_backward(dout, cache, step=1)
    return _trimmed(dx, cache[3]), dw, db


@mistake(
    CNN + "Conv.backward",
    hint="Filters are flipped on the way back: where each entry goes to its own window, nothing is flipped.",
)
def conv_backward_flipped(dout, cache):
    dx, dw, db = _conv_backward(dout, cache, flip=True)
    return _trimmed(dx, cache[3]), dw, db


@mistake(
    CNN + "Conv.backward",
    hint="dout is read at the pixel where a window starts: it has one place for each window, in steps of 1.",
    raises=IndexError,
)
def conv_backward_reads_at_pixels(dout, cache):
    x_pad, w, stride, _ = cache
    height, width = w.shape[2:]
    tops, lefts = (range(0, x_pad.shape[axis] - w.shape[axis] + 1, stride) for axis in (2, 3))
    dw = torch.zeros_like(w)
    for n, f, top, left in product(range(len(dout)), range(len(w)), tops, lefts):
        dw[f] += dout[n, f, top, left] * x_pad[n, :, top : top + height, left : left + width]
    return _conv_backward(dout, cache)[0], dw, dout.sum((0, 2, 3))


@mistake(
    CNN + "Conv.backward",
    hint="db has an entry for each filter: sum over images, rows and columns, and keep axis 1.",
)
def conv_backward_db_over_filters(dout, cache):
    dx, dw, _ = _conv_backward(dout, cache)
    return _trimmed(dx, cache[3]), dw, dout.sum((1, 2, 3))


@mistake(CNN + "Conv.backward", hint="db is summed over the batch only: every position counts as well.")
def conv_backward_db_over_batch(dout, cache):
    dx, dw, _ = _conv_backward(dout, cache)
    return _trimmed(dx, cache[3]), dw, dout.sum(0)


@mistake(CNN + "Conv.backward", hint="dw is divided by N once more: the loss has done that already.")
def conv_backward_dw_mean(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    return _trimmed(dx, cache[3]), dw / len(dout), db


@mistake(CNN + "Conv.backward", hint="db is a mean over images and positions: their shares add up.")
def conv_backward_db_mean(dout, cache):
    dx, dw, _ = _conv_backward(dout, cache)
    return _trimmed(dx, cache[3]), dw, dout.mean((0, 2, 3))


@mistake(CNN + "Conv.backward", hint="Gradients come back in the order dx, dw, db.")
def conv_backward_other_order(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    return dw, _trimmed(dx, cache[3]), db


@mistake(
    CNN + "Conv.backward",
    hint="`dx = x` is no copy: gradients are added to the images. Start from zeros.",
)
def conv_backward_adds_to_x(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    return _trimmed(cache[0] + dx, cache[3]), dw, db


@mistake(
    CNN + "Conv.backward",
    hint="`full(shape, 0)` makes integers, to which no fraction can be added: `zeros_like` keeps the dtype.",
    raises=RuntimeError,
)
def conv_backward_integers(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    dx = torch.full(dx.shape, 0, device=dout.device).add_(dx)
    return _trimmed(dx, cache[3]), dw, db


@mistake(CNN + "Conv.backward", hint=FLOAT32)
def conv_backward_float32(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    return _trimmed(dx, cache[3]).float(), dw.float(), db


@mistake(CNN + "Conv.backward", hint=ON_CPU)
def conv_backward_on_cpu(dout, cache):
    right, dw, db = _conv_backward(dout, cache)
    dx = torch.zeros(right.shape, dtype=dout.dtype)
    for n, c in product(range(len(dx)), range(dx.shape[1])):
        dx[n, c] += right[n, c]
    return _trimmed(dx, cache[3]), dw, db


def _pool(x, pool_param, reduce, *, turned=False):
    """`MaxPool.forward` with another reduction of windows."""
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    out = x.new_zeros(
        *x.shape[:2], output_size(x.shape[2], height, stride), output_size(x.shape[3], width, stride)
    )
    if turned:
        height, width = width, height
    for n, c, i, j in _positions(out):
        top, left = i * stride, j * stride
        out[n, c, i, j] = reduce(x[n, c, top : top + height, left : left + width])
    return out, (x, pool_param["pool_height"], pool_param["pool_width"], stride)


@mistake(
    CNN + "MaxPool.forward",
    hint="Windows of negative numbers come to 0: the search for the maximum must not start from 0.",
)
def pool_starts_from_zero(x, pool_param):
    return _pool(x, pool_param, lambda window: window.max().clamp(min=0))


@mistake(CNN + "MaxPool.forward", hint="This is mean pooling: take the largest number of each window.")
def pool_mean(x, pool_param):
    return _pool(x, pool_param, torch.mean)


@mistake(
    CNN + "MaxPool.forward",
    hint="The largest magnitude is taken: of negative numbers the largest is the one nearest to 0.",
)
def pool_magnitude(x, pool_param):
    return _pool(x, pool_param, lambda window: window.abs().max())


@mistake(CNN + "MaxPool.forward", hint=SWAPPED_WINDOW)
def pool_swapped_window(x, pool_param):
    return _pool(x, pool_param, torch.max, turned=True)


@mistake(
    CNN + "MaxPool.forward",
    hint="Windows lie side by side as if the stride were their size: they start every `stride` pixels.",
)
def pool_without_overlap(x, pool_param):
    height, width, _ = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    out = x.new_zeros(*x.shape[:2], x.shape[2] // height, x.shape[3] // width)
    for n, c, i, j in _positions(out):
        out[n, c, i, j] = x[n, c, i * height : (i + 1) * height, j * width : (j + 1) * width].max()
    return out, (x, *pool_param.values())


@mistake(
    CNN + "MaxPool.forward",
    hint="The stride is taken for the size of a window: that is pool_height by pool_width.",
)
def pool_window_of_stride(x, pool_param):
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    sizes = output_size(x.shape[2], height, stride), output_size(x.shape[3], width, stride)
    out = x.new_zeros(*x.shape[:2], *sizes)
    for n, c, i, j in _positions(out):
        top, left = i * stride, j * stride
        out[n, c, i, j] = x[n, c, top : top + stride, left : left + stride].max()
    return out, (x, height, width, stride)


@mistake(
    CNN + "MaxPool.forward",
    hint="An `assert` refuses allowed sizes: windows need not be square, and the stride may leave a rest.",
    raises=AssertionError,
)
def pool_refuses_a_rest(x, pool_param):
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    assert (x.shape[2] - height) % stride == 0
    assert (x.shape[3] - width) % stride == 0
    return _pool(x, pool_param, torch.max)


@mistake(
    CNN + "MaxPool.forward",
    hint="The output has a row or column too many, from windows that stick out: see `output_size`.",
)
def pool_with_partial_windows(x, pool_param):
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    sizes = (1 - (height - x.shape[2]) // stride, 1 - (width - x.shape[3]) // stride)
    out = x.new_zeros(*x.shape[:2], *sizes)
    for n, c, i, j in _positions(out):
        top, left = i * stride, j * stride
        window = x[n, c, top : top + height, left : left + width]
        out[n, c, i, j] = window.max() if window.numel() else 0
    return out, (x, height, width, stride)


@mistake(CNN + "MaxPool.forward", hint="The maximum is taken over channels too: each channel is on its own.")
def pool_over_channels(x, pool_param):
    out, cache = _pool(x, pool_param, torch.max)
    return out.amax(1, keepdim=True).expand_as(out).clone(), cache


@mistake(CNN + "MaxPool.forward", hint=FLOAT32)
def pool_float32(x, pool_param):
    out, cache = _pool(x, pool_param, torch.max)
    return out.float(), cache


@mistake(CNN + "MaxPool.forward", hint=ON_CPU)
def pool_on_cpu(x, pool_param):
    right, cache = _pool(x, pool_param, torch.max)
    out = torch.zeros(right.shape, dtype=x.dtype)
    for place in _positions(out):
        out[place] = right[place]
    return out, cache


@mistake(CNN + "MaxPool.forward", hint=NOT_LIBRARY)
def pool_by_library(x, pool_param):
    window = pool_param["pool_height"], pool_param["pool_width"]
    return functional.max_pool2d(x, window, stride=pool_param["stride"]), None


def _pool_backward(dout, cache, place=lambda top, left, row, column: (top + row, left + column), value=None):
    """`MaxPool.backward` which sends gradients elsewhere, or other numbers."""
    x, height, width, stride = cache
    dx = torch.zeros_like(x)
    for n, c, i, j in _positions(dout):
        top, left = i * stride, j * stride
        row, column = divmod(int(x[n, c, top : top + height, left : left + width].argmax()), width)
        dx[(n, c, *place(top, left, row, column))] += dout[n, c, i, j] if value is None else value
    return dx


@mistake(
    CNN + "MaxPool.backward",
    hint="A pixel that wins in several windows keeps the last gradient only: they add up, so `+=`.",
)
def pool_backward_assigns(dout, cache):
    x, height, width, stride = cache
    dx = torch.zeros_like(x)
    for n, c, i, j in _positions(dout):
        top, left = i * stride, j * stride
        row, column = divmod(int(x[n, c, top : top + height, left : left + width].argmax()), width)
        dx[n, c, top + row, left + column] = dout[n, c, i, j]
    return dx


@mistake(
    CNN + "MaxPool.backward",
    hint="A later window wipes out what an earlier one has put there: add to dx, overwrite nothing.",
)
def pool_backward_overwrites_windows(dout, cache):
    x, height, width, stride = cache
    dx = torch.zeros_like(x)
    for n, c, i, j in _positions(dout):
        rows, columns = slice(i * stride, i * stride + height), slice(j * stride, j * stride + width)
        window = x[n, c, rows, columns]
        dx[n, c, rows, columns] = (window == window.max()) * dout[n, c, i, j]
    return dx


@mistake(
    CNN + "MaxPool.backward",
    hint="All pixels that are as large as the largest get the gradient: the first of them alone gets it.",
)
def pool_backward_to_equal_ones(dout, cache):
    x, height, width, stride = cache
    dx = torch.zeros_like(x)
    for n, c, i, j in _positions(dout):
        rows, columns = slice(i * stride, i * stride + height), slice(j * stride, j * stride + width)
        window = x[n, c, rows, columns]
        dx[n, c, rows, columns] += (window == window.max()) * dout[n, c, i, j]
    return dx


@mistake(
    CNN + "MaxPool.backward",
    hint="Of several pixels that are the largest, the last one wins: it is the first that counts.",
)
def pool_backward_to_the_last(dout, cache):
    x, height, width, stride = cache
    dx = torch.zeros_like(x)
    for n, c, i, j in _positions(dout):
        top, left = i * stride, j * stride
        turned = x[n, c, top : top + height, left : left + width].flatten().flip(0)
        row, column = divmod(height * width - 1 - int(turned.argmax()), width)
        dx[n, c, top + row, left + column] += dout[n, c, i, j]
    return dx


@mistake(
    CNN + "MaxPool.backward",
    hint="Every pixel of a window gets the gradient: only the winner had an influence on the output.",
)
def pool_backward_to_all(dout, cache):
    x, height, width, stride = cache
    dx = torch.zeros_like(x)
    for n, c, i, j in _positions(dout):
        top, left = i * stride, j * stride
        dx[n, c, top : top + height, left : left + width] += dout[n, c, i, j]
    return dx


@mistake(
    CNN + "MaxPool.backward",
    hint="This is the gradient of mean pooling: the winner gets all, the others get nothing.",
)
def pool_backward_mean(dout, cache):
    return pool_backward_to_all.function(dout, cache) / (cache[1] * cache[2])


@mistake(
    CNN + "MaxPool.backward",
    hint="`argmax` counts within its window: add where the window starts to get the pixel of the image.",
)
def pool_backward_within_the_window(dout, cache):
    return _pool_backward(dout, cache, place=lambda top, left, row, column: (row, column))


@mistake(
    CNN + "MaxPool.backward",
    hint="Windows are sought as if the stride were 1: output i comes from pixels i * stride on.",
)
def pool_backward_steps_of_one(dout, cache):
    x, height, width, _ = cache
    return _pool_backward(dout, (x, height, width, 1))


@mistake(
    CNN + "MaxPool.backward",
    hint="The flat index of `argmax` is split by the wrong side: a row of the window has `width` pixels.",
)
def pool_backward_split_by_height(dout, cache):
    x, height, width, stride = cache
    dx = torch.zeros_like(x)
    for n, c, i, j in _positions(dout):
        top, left = i * stride, j * stride
        row, column = divmod(int(x[n, c, top : top + height, left : left + width].argmax()), height)
        dx[n, c, min(top + row, x.shape[2] - 1), min(left + column, x.shape[3] - 1)] += dout[n, c, i, j]
    return dx


@mistake(CNN + "MaxPool.backward", hint="Winners get 1: by the chain rule each gets its entry of dout.")
def pool_backward_slope_alone(dout, cache):
    return _pool_backward(dout, cache, value=1.0)


@mistake(CNN + "MaxPool.backward", hint=FLOAT32)
def pool_backward_float32(dout, cache):
    return _pool_backward(dout, cache).float()


@mistake(CNN + "MaxPool.backward", hint=ON_CPU)
def pool_backward_on_cpu(dout, cache):
    right = _pool_backward(dout, cache)
    dx = torch.zeros(right.shape, dtype=dout.dtype)
    for n, c in product(range(len(dx)), range(dx.shape[1])):
        dx[n, c] += right[n, c]
    return dx


def _fast_conv(x, w, b, conv_param, *, pad=None, window=None, rows=None):
    """`FastConv.forward` with another frame, window, or filters as other rows."""
    stride, frame = conv_param["stride"], conv_param["pad"]
    columns = functional.unfold(
        x, window or w.shape[2:], stride=stride, padding=frame if pad is None else pad
    )
    out = (w.flatten(1) if rows is None else rows) @ columns + b[:, None]
    sizes = [output_size(x.shape[axis], w.shape[axis], stride, frame) for axis in (2, 3)]
    return out.unflatten(2, sizes), (columns, w, x.shape[2:], stride, frame)


@mistake(CNN + "FastConv.forward", hint="The bias is missing: every filter adds its own.")
def fast_conv_without_bias(x, w, b, conv_param):
    return _fast_conv(x, w, torch.zeros_like(b), conv_param)


@mistake(CNN + "FastConv.forward", hint=PERMUTED)
def fast_conv_images_mixed(x, w, b, conv_param):
    out, cache = _fast_conv(x, w, b, conv_param)
    return out.transpose(0, 1).reshape(out.shape), cache


@mistake(
    CNN + "FastConv.forward",
    hint="Positions are read column by column: `unfold` lists them row by row, so height comes before width.",
)
def fast_conv_positions_turned(x, w, b, conv_param):
    out, cache = _fast_conv(x, w, b, conv_param)
    return out.flatten(2).unflatten(2, (out.shape[3], out.shape[2])).transpose(2, 3), cache


@mistake(
    CNN + "FastConv.forward",
    hint="Height and width of the output are swapped: the output has the shape (N, F, H_out, W_out).",
)
def fast_conv_sizes_swapped(x, w, b, conv_param):
    out, cache = _fast_conv(x, w, b, conv_param)
    return out.reshape(*out.shape[:2], out.shape[3], out.shape[2]), cache


@mistake(
    CNN + "FastConv.forward",
    hint="The weights are in another order than the numbers of a window: `unfold` goes channel by channel.",
)
def fast_conv_channels_last(x, w, b, conv_param):
    return _fast_conv(x, w, b, conv_param, rows=w.permute(0, 2, 3, 1).flatten(1))


@mistake(
    CNN + "FastConv.forward",
    hint="Filters and weights are mixed up: a `reshape` to (K, F) is no transpose; each row is one filter.",
)
def fast_conv_filters_mixed(x, w, b, conv_param):
    return _fast_conv(x, w, b, conv_param, rows=w.reshape(-1, len(w)).T)


@mistake(
    CNN + "FastConv.forward",
    hint="`unfold` is not told of the padding, so that it finds fewer windows than there should be.",
    raises=RuntimeError,
)
def fast_conv_without_padding(x, w, b, conv_param):
    return _fast_conv(x, w, b, conv_param, pad=0)


@mistake(
    CNN + "FastConv.forward",
    hint="b (F,) is added along the last axis, which holds positions: make it a column.",
    raises=RuntimeError,
)
def fast_conv_bias_along_positions(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    columns = functional.unfold(x, w.shape[2:], stride=stride, padding=pad)
    sizes = [output_size(x.shape[axis], w.shape[axis], stride, pad) for axis in (2, 3)]
    return (w.flatten(1) @ columns + b).unflatten(2, sizes), (columns, w, x.shape[2:], stride, pad)


@mistake(
    CNN + "FastConv.forward",
    hint="There is still a loop: a matrix product works on all images and windows at once.",
)
def fast_conv_image_by_image(x, w, b, conv_param):
    outs = [_fast_conv(image[None], w, b, conv_param)[0] for image in x]
    return torch.cat(outs), _fast_conv(x, w, b, conv_param)[1]


@mistake(CNN + "FastConv.forward", hint=NOT_LIBRARY)
def fast_conv_by_library(x, w, b, conv_param):
    return functional.conv2d(x, w, b, stride=conv_param["stride"], padding=conv_param["pad"]), None


def _fast_conv_backward(dout, cache):
    columns, w, image, stride, pad = cache
    dout = dout.flatten(2)
    dw = torch.einsum("nfl,nkl->fk", dout, columns).reshape(w.shape)
    dx = functional.fold(w.flatten(1).T @ dout, image, w.shape[2:], stride=stride, padding=pad)
    return dx, dw, dout.sum((0, 2))


@mistake(
    CNN + "FastConv.backward",
    hint="`reshape` to (F, positions) mixes images and filters: bring the filters' axis to the front first.",
)
def fast_conv_backward_images_mixed(dout, cache):
    columns, w, *_ = cache
    dx, _, db = _fast_conv_backward(dout, cache)
    dw = dout.reshape(len(w), -1) @ columns.transpose(1, 2).flatten(0, 1)
    return dx, dw.reshape(w.shape), db


@mistake(
    CNN + "FastConv.backward",
    hint="dw is computed as (K, F) and then reshaped: that is not its transpose, which is due.",
)
def fast_conv_backward_dw_turned(dout, cache):
    columns, w, *_ = cache
    dx, _, db = _fast_conv_backward(dout, cache)
    return dx, torch.einsum("nfl,nkl->kf", dout.flatten(2), columns).reshape(w.shape), db


@mistake(
    CNN + "FastConv.backward",
    hint="dx is divided by the number of windows over each pixel: gradients add up, they are not averaged.",
)
def fast_conv_backward_averages(dout, cache):
    columns, w, image, stride, pad = cache
    dx, dw, db = _fast_conv_backward(dout, cache)
    count = functional.fold(torch.ones_like(columns), image, w.shape[2:], stride=stride, padding=pad)
    return dx / count.clamp(min=1), dw, db


@mistake(
    CNN + "FastConv.backward",
    hint="Weights are mixed up on the way back: transpose the (F, K) matrix, do not reshape to (K, F).",
)
def fast_conv_backward_weights_mixed(dout, cache):
    _, w, image, stride, pad = cache
    _, dw, db = _fast_conv_backward(dout, cache)
    patches = w.reshape(-1, len(w)) @ dout.flatten(2)
    return functional.fold(patches, image, w.shape[2:], stride=stride, padding=pad), dw, db


@mistake(
    CNN + "FastConv.backward",
    hint="`fold` is not told of the padding, so that it expects another number of windows.",
    raises=RuntimeError,
)
def fast_conv_backward_without_padding(dout, cache):
    _, w, image, stride, _ = cache
    _, dw, db = _fast_conv_backward(dout, cache)
    patches = w.flatten(1).T @ dout.flatten(2)
    return functional.fold(patches, image, w.shape[2:], stride=stride), dw, db


@mistake(
    CNN + "FastConv.backward",
    hint="dx still has the frame of zeros around it: tell `fold` of the padding, or cut it off.",
)
def fast_conv_backward_keeps_the_frame(dout, cache):
    _, w, (height, width), stride, pad = cache
    _, dw, db = _fast_conv_backward(dout, cache)
    frame = height + 2 * pad, width + 2 * pad
    return functional.fold(w.flatten(1).T @ dout.flatten(2), frame, w.shape[2:], stride=stride), dw, db


@mistake(
    CNN + "FastConv.backward",
    hint="db has an entry for each filter: sum over images and positions, and keep the filters' axis.",
)
def fast_conv_backward_db_over_filters(dout, cache):
    dx, dw, _ = _fast_conv_backward(dout, cache)
    return dx, dw, dout.sum((1, 2, 3))


@mistake(CNN + "FastConv.backward", hint="dw is averaged over the images: their shares add up.")
def fast_conv_backward_dw_mean(dout, cache):
    dx, dw, db = _fast_conv_backward(dout, cache)
    return dx, dw / len(dout), db


@mistake(CNN + "FastConv.backward", hint="dw holds the share of the first image only: sum over all of them.")
def fast_conv_backward_dw_of_first(dout, cache):
    columns, w, *_ = cache
    dx, _, db = _fast_conv_backward(dout, cache)
    return dx, (dout[0].flatten(1) @ columns[0].T).reshape(w.shape), db


@mistake(CNN + "FastConv.backward", hint="Gradients come back in the order dx, dw, db.")
def fast_conv_backward_other_order(dout, cache):
    dx, dw, db = _fast_conv_backward(dout, cache)
    return dw, dx, db


@mistake(
    CNN + "FastConv.backward",
    hint="dw is still computed image by image: one batched product, then a sum over its first axis.",
)
def fast_conv_backward_image_by_image(dout, cache):
    columns, w, *_ = cache
    dx, _, db = _fast_conv_backward(dout, cache)
    dw = torch.zeros_like(w.flatten(1))
    for slope, patches in zip(dout.flatten(2), columns, strict=True):
        dw += slope @ patches.T
    return dx, dw.reshape(w.shape), db


def _fast_pool(x, pool_param):
    window, stride = (pool_param["pool_height"], pool_param["pool_width"]), pool_param["stride"]
    windows = functional.unfold(x.flatten(0, 1)[:, None], window, stride=stride)
    sizes = [output_size(x.shape[axis], window[axis - 2], stride) for axis in (2, 3)]
    return windows, (*x.shape[:2], *sizes), window, stride


@mistake(
    CNN + "FastMaxPool.forward",
    hint="`unfold` puts all channels of a window into one column: make each channel an image first.",
    raises=RuntimeError,
)
def fast_pool_over_channels(x, pool_param):
    _, shape, window, stride = _fast_pool(x, pool_param)
    out = functional.unfold(x, window, stride=stride).amax(dim=1)
    return out.reshape(shape), None


@mistake(
    CNN + "FastMaxPool.forward",
    hint="The columns of `unfold` are split in the wrong order: the channel comes first, then the window.",
)
def fast_pool_split_backwards(x, pool_param):
    _, shape, window, stride = _fast_pool(x, pool_param)
    windows = functional.unfold(x, window, stride=stride).unflatten(1, (-1, x.shape[1]))
    return windows.amax(dim=1).reshape(shape), None


@mistake(
    CNN + "FastMaxPool.forward",
    hint="Windows of negative numbers come to 0: the search for the maximum must not start from 0.",
)
def fast_pool_starts_from_zero(x, pool_param):
    windows, shape, *_ = _fast_pool(x, pool_param)
    return windows.amax(dim=1).clamp(min=0).reshape(shape), None


@mistake(CNN + "FastMaxPool.forward", hint="This is mean pooling: take the largest number of each window.")
def fast_pool_mean(x, pool_param):
    windows, shape, *_ = _fast_pool(x, pool_param)
    return windows.mean(dim=1).reshape(shape), None


@mistake(
    CNN + "FastMaxPool.forward",
    hint="Height and width of the output are swapped: the output has the shape (N, C, H_out, W_out).",
)
def fast_pool_sizes_swapped(x, pool_param):
    windows, (N, C, height, width), *_ = _fast_pool(x, pool_param)
    return windows.amax(dim=1).reshape(N, C, width, height), None


@mistake(
    CNN + "FastMaxPool.forward", hint="There is still a loop: `max` over one axis takes all windows at once."
)
def fast_pool_by_loops(x, pool_param):
    return MaxPool.forward(x, pool_param)


@mistake(CNN + "FastMaxPool.forward", hint=PERMUTED)
def fast_pool_channels_mixed(x, pool_param):
    windows, (N, C, height, width), *_ = _fast_pool(x, pool_param)
    return windows.amax(dim=1).reshape(C, N, height, width).transpose(0, 1), None


@mistake(CNN + "FastMaxPool.forward", hint=NOT_LIBRARY)
def fast_pool_by_library(x, pool_param):
    window = pool_param["pool_height"], pool_param["pool_width"]
    return functional.max_pool2d(x, window, stride=pool_param["stride"]), None


def _fast_pool_windows(dout, cache):
    winners, _, (height, width), _ = cache
    windows = dout.new_zeros(len(winners), height * width, winners.shape[1])
    return windows.scatter(1, winners[:, None], dout.reshape(len(winners), 1, -1))


@mistake(
    CNN + "FastMaxPool.backward",
    hint="A pixel that wins in several windows keeps one of its gradients only: add them up, as `fold` does.",
)
def fast_pool_backward_assigns(dout, cache):
    winners, (N, C, H, W), window, stride = cache
    places = torch.arange(H * W, dtype=torch.float64, device=dout.device).view(1, 1, H, W)
    places = functional.unfold(places, window, stride=stride).long().expand(len(winners), -1, -1)
    places = places.gather(1, winners[:, None])[:, 0]
    return dout.new_zeros(N * C, H * W).scatter(1, places, dout.reshape(N * C, -1)).view(N, C, H, W)


@mistake(
    CNN + "FastMaxPool.backward",
    hint="Every pixel of a window gets the gradient: only the winner had an influence on the output.",
)
def fast_pool_backward_to_all(dout, cache):
    _, shape, window, stride = cache
    windows = dout.reshape(-1, 1, dout[0, 0].numel()).expand(-1, window[0] * window[1], -1)
    return functional.fold(windows, shape[2:], window, stride=stride).reshape(shape)


@mistake(
    CNN + "FastMaxPool.backward",
    hint="dx is divided by the number of windows over each pixel: gradients add up, they are not averaged.",
)
def fast_pool_backward_averages(dout, cache):
    _, shape, window, stride = cache
    windows = _fast_pool_windows(dout, cache)
    dx = functional.fold(windows, shape[2:], window, stride=stride)
    count = functional.fold(torch.ones_like(windows), shape[2:], window, stride=stride)
    return (dx / count.clamp(min=1)).reshape(shape)


@mistake(CNN + "FastMaxPool.backward", hint="Winners get 1: by the chain rule each gets its entry of dout.")
def fast_pool_backward_slope_alone(dout, cache):
    _, shape, window, stride = cache
    windows = _fast_pool_windows(torch.ones_like(dout), cache)
    return functional.fold(windows, shape[2:], window, stride=stride).reshape(shape)


@mistake(
    CNN + "FastMaxPool.backward",
    hint="dx has every channel as an image of its own: bring it back into the shape of x.",
)
def fast_pool_backward_flat(dout, cache):
    _, shape, window, stride = cache
    return functional.fold(_fast_pool_windows(dout, cache), shape[2:], window, stride=stride)


@mistake(CNN + "FastMaxPool.backward", hint=PERMUTED)
def fast_pool_backward_channels_mixed(dout, cache):
    _, (N, C, H, W), window, stride = cache
    dx = functional.fold(_fast_pool_windows(dout, cache), (H, W), window, stride=stride)
    return dx.reshape(C, N, H, W).transpose(0, 1)


@mistake(CNN + "FastMaxPool.backward", hint=FLOAT32)
def fast_pool_backward_float32(dout, cache):
    _, shape, window, stride = cache
    windows = _fast_pool_windows(dout, cache).float()
    return functional.fold(windows, shape[2:], window, stride=stride).reshape(shape)


@mistake(
    CNN + "FastMaxPool.backward",
    hint="There is still a loop: `scatter` and `fold` work on all images and channels at once.",
)
def fast_pool_backward_one_by_one(dout, cache):
    _, shape, window, stride = cache
    patches = [
        functional.fold(windows[None], shape[2:], window, stride=stride)
        for windows in _fast_pool_windows(dout, cache)
    ]
    return torch.cat(patches).reshape(shape)


# Normalisation
NO_GAMMA = "gamma has not found its way into dx: the gradient passes through the scale before anything else."


PAST_MEAN = (
    "The mean depends on x as well, and so passes gradient back: dx is not the gradient of x_hat over std."
)


TEST_BACKWARD = (
    "When testing, mean and variance are constants: only the division by the standard deviation is left."
)


UNBIASED = "The variance has N - 1 below: `var` does that unless told otherwise, and here N is due."


GAMMA_GRADIENT = "dgamma misses x_hat, which gamma was multiplied by."


def _batch_norm(
    x,
    gamma,
    beta,
    bn_param,
    *,
    axis=0,
    correction=0,
    root=lambda var, eps: (var + eps).sqrt(),
    update=lambda old, new, momentum: momentum * old + (1 - momentum) * new,
    test=lambda param, x: (param["running_mean"], param["running_var"]),
    affine=lambda x_hat, gamma, beta: gamma * x_hat + beta,
    store=("running_mean", "running_var"),
):
    """Batch norm, right but for what is asked to be otherwise."""
    momentum, mode = bn_param.get("momentum", 0.9), bn_param["mode"]
    keep = axis == 1
    mean, var = x.mean(axis, keepdim=keep), x.var(axis, correction=correction, keepdim=keep)
    if mode == "train":
        for name, new in (("running_mean", mean), ("running_var", var)):
            old = bn_param.get(name, torch.zeros_like(gamma))
            bn_param[name] = update(old, new, momentum) if name in store else old
    else:
        mean, var = test(bn_param, x)
    std = root(var, bn_param.get("eps", 1e-5))
    x_hat = (x - mean) / std
    return affine(x_hat, gamma, beta), (x_hat, std, gamma, mode)


@mistake(CNN + "BatchNorm.forward", hint=UNBIASED)
def batch_norm_unbiased(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, correction=1)


@mistake(
    CNN + "BatchNorm.forward",
    hint="The running averages are never stored: put them back into `bn_param`, which outlives the call.",
)
def batch_norm_forgets(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, store=())


@mistake(
    CNN + "BatchNorm.forward",
    hint="`momentum` is on the wrong side: it is the share of the old average (in torch that of the new).",
)
def batch_norm_momentum_reversed(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, update=lambda old, new, m: (1 - m) * old + m * new)


@mistake(
    CNN + "BatchNorm.forward",
    hint="The running average is the last batch alone: keep a share `momentum` of the old one.",
)
def batch_norm_without_momentum(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, update=lambda old, new, m: new)


@mistake(CNN + "BatchNorm.forward", hint="eps belongs under the root, with the variance.")
def batch_norm_eps_outside(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, root=lambda var, eps: var.sqrt() + eps)


@mistake(
    CNN + "BatchNorm.forward",
    hint="eps gets into the running variance: keep the variance itself, and add eps under the root only.",
)
def batch_norm_remembers_eps(x, gamma, beta, bn_param):
    found = _batch_norm(x, gamma, beta, bn_param)
    if bn_param["mode"] == "train":
        share = 1 - bn_param.get("momentum", 0.9)
        bn_param["running_var"] = bn_param["running_var"] + share * bn_param.get("eps", 1e-5)
    return found


@mistake(CNN + "BatchNorm.forward", hint="eps is a fixed number here: take the one in `bn_param`, if any.")
def batch_norm_fixed_eps(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, root=lambda var, eps: (var + 1e-5).sqrt())


@mistake(
    CNN + "BatchNorm.forward",
    hint="The running averages are (1, D): they have the shape (D,) of gamma, so average without `keepdim`.",
)
def batch_norm_remembers_rows(x, gamma, beta, bn_param):
    found = _batch_norm(x, gamma, beta, bn_param)
    for name in ("running_mean", "running_var"):
        bn_param[name] = bn_param[name].reshape(1, -1)
    return found


@mistake(
    CNN + "BatchNorm.forward",
    hint="Training normalises by the running averages: take mean and variance of the batch itself.",
)
def batch_norm_trains_by_averages(x, gamma, beta, bn_param):
    if bn_param["mode"] != "train":
        return _batch_norm(x, gamma, beta, bn_param)
    _batch_norm(x, gamma, beta, bn_param)
    return _batch_norm(x, gamma, beta, {**bn_param, "mode": "test"})


@mistake(CNN + "BatchNorm.forward", hint="This divides by the variance: take the root.")
def batch_norm_by_variance(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, root=lambda var, eps: var + eps)


@mistake(CNN + "BatchNorm.forward", hint="gamma and beta are not used: scale and shift what is normalised.")
def batch_norm_bare(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, affine=lambda x_hat, gamma, beta: x_hat)


@mistake(CNN + "BatchNorm.forward", hint="gamma scales, beta shifts: yours have changed places.")
def batch_norm_swapped(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, affine=lambda x_hat, gamma, beta: beta * x_hat + gamma)


@mistake(
    CNN + "BatchNorm.forward",
    hint="The running variance is never stored: both averages have to be.",
)
def batch_norm_forgets_variance(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, store=("running_mean",))


@mistake(
    CNN + "BatchNorm.forward",
    hint="This is the layer itself, as a call of the library: write out mean, variance and division.",
)
def batch_norm_by_library(x, gamma, beta, bn_param):
    out, cache = _batch_norm(x, gamma, beta, bn_param)
    if bn_param["mode"] == "train":
        eps = bn_param.get("eps", 1e-5)
        out = functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    return out, cache


@mistake(
    CNN + "BatchNorm.forward:test_mode",
    hint="Testing uses the batch's own mean and variance: take the running averages.",
)
def batch_norm_always_trains(x, gamma, beta, bn_param):
    return _batch_norm(x, gamma, beta, bn_param, test=lambda param, x: (x.mean(0), x.var(0, correction=0)))


@mistake(
    CNN + "BatchNorm.forward:test_mode",
    hint="Testing changes the running averages: they belong to training.",
)
def batch_norm_learns_when_testing(x, gamma, beta, bn_param):
    def learn(param, x):
        known = param["running_mean"], param["running_var"]
        param["running_mean"] = 0.7 * known[0] + 0.3 * x.mean(0)
        param["running_var"] = 0.7 * known[1] + 0.3 * x.var(0, correction=0)
        return known

    return _batch_norm(x, gamma, beta, bn_param, test=learn)


@mistake(
    CNN + "BatchNorm.forward:test_mode",
    hint="When testing, x passes as it came: it is normalised then, too, by the running averages.",
)
def batch_norm_rests_when_testing(x, gamma, beta, bn_param):
    if bn_param["mode"] == "test":
        return gamma * x + beta, None
    return _batch_norm(x, gamma, beta, bn_param)


@mistake(CNN + "BatchNorm.forward:test_mode", hint="When testing, gamma and beta are used as well.")
def batch_norm_bare_when_testing(x, gamma, beta, bn_param):
    out, cache = _batch_norm(x, gamma, beta, bn_param)
    return (cache[0] if bn_param["mode"] == "test" else out), cache


@mistake(
    CNN + "BatchNorm.forward:test_mode",
    hint="When testing, the eps of `bn_param` is not used: it is added to the variance then, too.",
)
def batch_norm_without_eps_when_testing(x, gamma, beta, bn_param):
    def root(var, eps):
        return (var + eps * (bn_param["mode"] == "train")).sqrt()

    return _batch_norm(x, gamma, beta, bn_param, root=root)


@mistake(
    CNN + "BatchNorm.forward:test_mode",
    hint="There is a cache in training only, and testing stops where it is returned: make one there, too.",
    raises=UnboundLocalError,
)
def batch_norm_without_cache_when_testing(x, gamma, beta, bn_param):
    out, made = _batch_norm(x, gamma, beta, bn_param)
    if bn_param["mode"] == "train":
        cache = made
    return out, cache


def _batch_norm_gradients(dout, cache, *, mean=1, projection=1, gamma_in=True, per=None, test=False):
    """Gradients of batch norm, right but for what is asked to be otherwise."""
    x_hat, std, gamma, mode = cache
    dgamma, dbeta = (dout * x_hat).sum(0), dout.sum(0)
    weighted = dout * gamma if gamma_in else dout
    if mode == "train" or test:
        N = per or len(dout)
        weighted = weighted - mean * weighted.sum(0) / N - projection * x_hat * (weighted * x_hat).sum(0) / N
    return weighted / std, dgamma, dbeta


@mistake(CNN + "BatchNorm.backward", hint=NO_GAMMA)
def batch_norm_without_gamma(dout, cache):
    return _batch_norm_gradients(dout, cache, gamma_in=False)


@mistake(
    CNN + "BatchNorm.backward",
    hint="The mean depends on x, too: one term of dx, the mean over the batch, is missing.",
)
def batch_norm_past_the_mean(dout, cache):
    return _batch_norm_gradients(dout, cache, mean=0)


@mistake(
    CNN + "BatchNorm.backward",
    hint="The variance depends on x, too: the term that holds x_hat once more is missing in dx.",
)
def batch_norm_past_the_variance(dout, cache):
    return _batch_norm_gradients(dout, cache, projection=0)


@mistake(
    CNN + "BatchNorm.backward",
    hint="Mean and variance count as constants here: in training, gradient flows through both of them.",
)
def batch_norm_through_neither(dout, cache):
    return _batch_norm_gradients(dout, cache, mean=0, projection=0)


@mistake(
    CNN + "BatchNorm.backward",
    hint="The term of the variance has the wrong sign: a larger variance makes x_hat smaller.",
)
def batch_norm_variance_with_wrong_sign(dout, cache):
    return _batch_norm_gradients(dout, cache, projection=-1)


@mistake(CNN + "BatchNorm.backward", hint=GAMMA_GRADIENT)
def batch_norm_gamma_without_x_hat(dout, cache):
    dx, _, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dbeta, dbeta


@mistake(
    CNN + "BatchNorm.backward",
    hint="dgamma and dbeta are means over the batch: a shared parameter collects a sum.",
)
def batch_norm_means_for_sums(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dgamma / len(dout), dbeta / len(dout)


@mistake(
    CNN + "BatchNorm.backward",
    hint="dgamma has a row for each input: gamma is shared by the batch, so sum over axis 0.",
)
def batch_norm_gamma_for_each_input(dout, cache):
    dx, _, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dout * cache[0], dbeta


@mistake(CNN + "BatchNorm.backward", hint="Gradients come back in the order dx, dgamma, dbeta.")
def batch_norm_in_other_order(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dbeta, dgamma


@mistake(CNN + "BatchNorm.backward:test_mode", hint=TEST_BACKWARD)
def batch_norm_trains_when_testing(dout, cache):
    return _batch_norm_gradients(dout, cache, test=True)


@mistake(
    CNN + "BatchNorm.backward:test_mode",
    hint="When testing, dx is divided by the running standard deviation, as x was: yours is not.",
)
def batch_norm_undivided_when_testing(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return (dout * cache[2] if cache[3] == "test" else dx), dgamma, dbeta


@mistake(CNN + "BatchNorm.backward:test_mode", hint=f"When testing: {NO_GAMMA}")
def batch_norm_without_gamma_when_testing(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return (dout / cache[1] if cache[3] == "test" else dx), dgamma, dbeta


@mistake(
    CNN + "BatchNorm.backward:test_mode",
    hint="Testing has a backward pass, too: a picture's gradient is asked of trained networks.",
    raises=ValueError,
)
def batch_norm_none_when_testing(dout, cache):
    if cache[3] == "test":
        raise ValueError("backward is for training")
    return _batch_norm_gradients(dout, cache)


@mistake(
    CNN + "BatchNorm.backward:test_mode",
    hint="There is no cache to unpack, only None: `forward` must leave one, in test mode as well.",
    raises=TypeError,
)
def batch_norm_unpacks_none(dout, cache):
    x_hat, std, gamma, mode = cache if cache[3] == "train" else None
    return _batch_norm_gradients(dout, (x_hat, std, gamma, mode))


@mistake(
    CNN + "BatchNorm.backward:test_mode",
    hint="The cache is None: `forward` must leave in it what `backward` reads, when testing as well.",
    raises=TypeError,
)
def batch_norm_reads_none(dout, cache):
    cache = cache if cache[3] == "train" else None
    return _batch_norm_gradients(dout, tuple(cache[place] for place in range(4)))


@mistake(CNN + "BatchNorm.backward_alt", hint=NO_GAMMA)
def alt_without_gamma(dout, cache):
    return _batch_norm_gradients(dout, cache, gamma_in=False)


@mistake(
    CNN + "BatchNorm.backward_alt",
    hint="The mean depends on x, too: one term of dx, the mean over the batch, is missing.",
)
def alt_past_the_mean(dout, cache):
    return _batch_norm_gradients(dout, cache, mean=0)


@mistake(
    CNN + "BatchNorm.backward_alt",
    hint="The variance depends on x, too: the term that holds x_hat once more is missing in dx.",
)
def alt_past_the_variance(dout, cache):
    return _batch_norm_gradients(dout, cache, projection=0)


@mistake(
    CNN + "BatchNorm.backward_alt",
    hint="Mean and variance count as constants here: in training, gradient flows through both of them.",
)
def alt_through_neither(dout, cache):
    return _batch_norm_gradients(dout, cache, mean=0, projection=0)


@mistake(
    CNN + "BatchNorm.backward_alt",
    hint="The term of the variance has the wrong sign: a larger variance makes x_hat smaller.",
)
def alt_variance_with_wrong_sign(dout, cache):
    return _batch_norm_gradients(dout, cache, projection=-1)


@mistake(CNN + "BatchNorm.backward_alt", hint=GAMMA_GRADIENT)
def alt_gamma_without_x_hat(dout, cache):
    dx, _, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dbeta, dbeta


@mistake(
    CNN + "BatchNorm.backward_alt",
    hint="dgamma and dbeta are means over the batch: a shared parameter collects a sum.",
)
def alt_means_for_sums(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dgamma / len(dout), dbeta / len(dout)


@mistake(
    CNN + "BatchNorm.backward_alt",
    hint="dgamma has a row for each input: gamma is shared by the batch, so sum over axis 0.",
)
def alt_gamma_for_each_input(dout, cache):
    dx, _, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dout * cache[0], dbeta


@mistake(CNN + "BatchNorm.backward_alt", hint="Gradients come back in the order dx, dgamma, dbeta.")
def alt_in_other_order(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return dx, dbeta, dgamma


@mistake(CNN + "BatchNorm.backward_alt:test_mode", hint=TEST_BACKWARD)
def alt_trains_when_testing(dout, cache):
    return _batch_norm_gradients(dout, cache, test=True)


@mistake(
    CNN + "BatchNorm.backward_alt:test_mode",
    hint="When testing, dx is divided by the running standard deviation, as x was: yours is not.",
)
def alt_undivided_when_testing(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return (dout * cache[2] if cache[3] == "test" else dx), dgamma, dbeta


@mistake(CNN + "BatchNorm.backward_alt:test_mode", hint=f"When testing: {NO_GAMMA}")
def alt_without_gamma_when_testing(dout, cache):
    dx, dgamma, dbeta = _batch_norm_gradients(dout, cache)
    return (dout / cache[1] if cache[3] == "test" else dx), dgamma, dbeta


@mistake(
    CNN + "BatchNorm.backward_alt:test_mode",
    hint="Testing has a backward pass, too: a picture's gradient is asked of trained networks.",
    raises=ValueError,
)
def alt_none_when_testing(dout, cache):
    if cache[3] == "test":
        raise ValueError("backward is for training")
    return _batch_norm_gradients(dout, cache)


@mistake(
    CNN + "BatchNorm.backward_alt:test_mode",
    hint="There is no cache to unpack, only None: `forward` must leave one, in test mode as well.",
    raises=TypeError,
)
def alt_unpacks_none(dout, cache):
    x_hat, std, gamma, mode = cache if cache[3] == "train" else None
    return _batch_norm_gradients(dout, (x_hat, std, gamma, mode))


@mistake(
    CNN + "BatchNorm.backward_alt:test_mode",
    hint="The cache is None: `forward` must leave in it what `backward` reads, when testing as well.",
    raises=TypeError,
)
def alt_reads_none(dout, cache):
    cache = cache if cache[3] == "train" else None
    return _batch_norm_gradients(dout, tuple(cache[place] for place in range(4)))


def _spatial(x, gamma, beta, bn_param, to_rows, from_rows, **otherwise):
    out, cache = _batch_norm(to_rows(x), gamma, beta, bn_param, **otherwise)
    return from_rows(out, x.shape), cache


def _rows(x):
    return x.movedim(1, -1).flatten(0, 2)


def _maps(rows, shape):
    N, C, H, W = shape
    return rows.reshape(N, H, W, C).movedim(-1, 1)


@mistake(
    CNN + "SpatialBatchNorm.forward",
    hint="`reshape(-1, C)` without `permute` mixes channels: move C to the end first.",
)
def spatial_by_reshape(x, gamma, beta, bn_param):
    return _spatial(
        x, gamma, beta, bn_param, lambda x: x.reshape(-1, len(gamma)), lambda out, shape: out.reshape(shape)
    )


@mistake(
    CNN + "SpatialBatchNorm.forward",
    hint="The way back is wrong: shape (N, H, W, C) first, then move C to its place.",
)
def spatial_back_by_reshape(x, gamma, beta, bn_param):
    return _spatial(x, gamma, beta, bn_param, _rows, lambda out, shape: out.reshape(shape))


@mistake(CNN + "SpatialBatchNorm.forward", hint=UNBIASED)
def spatial_unbiased(x, gamma, beta, bn_param):
    return _spatial(x, gamma, beta, bn_param, _rows, _maps, correction=1)


@mistake(
    CNN + "SpatialBatchNorm.forward",
    hint="Every image has a mean of its own here (that is instance norm): the batch shares one.",
)
def spatial_each_image(x, gamma, beta, bn_param):
    out, cache = _spatial(x, gamma, beta, bn_param, _rows, _maps)
    if bn_param["mode"] == "test":
        return out, cache
    shape, eps = (1, -1, 1, 1), bn_param.get("eps", 1e-5)
    mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
    return gamma.view(shape) * (x - mean) / (var + eps).sqrt() + beta.view(shape), cache


@mistake(
    CNN + "SpatialBatchNorm.forward",
    hint="Every place has a mean of its own here: H and W are averaged over as well.",
)
def spatial_each_place(x, gamma, beta, bn_param):
    out, cache = _spatial(x, gamma, beta, bn_param, _rows, _maps)
    if bn_param["mode"] == "test":
        return out, cache
    shape, eps = (1, -1, 1, 1), bn_param.get("eps", 1e-5)
    mean, var = x.mean(0), x.var(0, correction=0)
    return gamma.view(shape) * (x - mean) / (var + eps).sqrt() + beta.view(shape), cache


@mistake(
    CNN + "SpatialBatchNorm.forward",
    hint="The settings are a copy, so the running averages are lost: hand on `bn_param` itself.",
)
def spatial_forgets(x, gamma, beta, bn_param):
    return _spatial(x, gamma, beta, dict(bn_param), _rows, _maps)


@mistake(
    CNN + "SpatialBatchNorm.forward",
    hint="Batch norm gets settings of its own: hand on `bn_param`, with its eps, momentum and averages.",
)
def spatial_own_settings(x, gamma, beta, bn_param):
    own = {"mode": "train"}
    out, cache = _spatial(x, gamma, beta, own, _rows, _maps)
    return out, cache


def _spatial_gradients(dout, cache, to_rows=_rows, from_rows=_maps, **otherwise):
    dx, dgamma, dbeta = _batch_norm_gradients(to_rows(dout), cache, **otherwise)
    return from_rows(dx, dout.shape), dgamma, dbeta


@mistake(
    CNN + "SpatialBatchNorm.backward",
    hint="`reshape(-1, C)` mixes the channels of dout: move C to the end first, as in `forward`.",
)
def spatial_backward_by_reshape(dout, cache):
    return _spatial_gradients(dout, cache, to_rows=lambda dout: dout.reshape(-1, dout.shape[1]))


@mistake(
    CNN + "SpatialBatchNorm.backward",
    hint="The numbers of dx are in wrong places: shape (N, H, W, C) first, then move C to its place.",
)
def spatial_backward_back_by_reshape(dout, cache):
    return _spatial_gradients(dout, cache, from_rows=lambda dx, shape: dx.reshape(shape))


@mistake(
    CNN + "SpatialBatchNorm.backward",
    hint="The means of dx are over N numbers here: each channel has N times H times W.",
)
def spatial_backward_per_image(dout, cache):
    return _spatial_gradients(dout, cache, per=len(dout))


@mistake(CNN + "SpatialBatchNorm.backward", hint=TEST_BACKWARD)
def spatial_backward_always_trains(dout, cache):
    return _spatial_gradients(dout, cache, test=True)


@mistake(
    CNN + "SpatialBatchNorm.backward",
    hint="dgamma and dbeta are means over images and places: they collect sums.",
)
def spatial_backward_means(dout, cache):
    dx, dgamma, dbeta = _spatial_gradients(dout, cache)
    count = dout[:, 0].numel()
    return dx, dgamma / count, dbeta / count


@mistake(CNN + "SpatialBatchNorm.backward", hint=PAST_MEAN)
def spatial_backward_through_neither(dout, cache):
    return _spatial_gradients(dout, cache, mean=0, projection=0)


@mistake(
    CNN + "SpatialBatchNorm.backward",
    hint="There is no cache to unpack, only None: `forward` must leave one, in test mode as well.",
    raises=TypeError,
)
def spatial_unpacks_none(dout, cache):
    x_hat, std, gamma, mode = cache if cache[3] == "train" else None
    return _spatial_gradients(dout, (x_hat, std, gamma, mode))


@mistake(
    CNN + "SpatialBatchNorm.backward",
    hint="The cache is None: `forward` must leave in it what `backward` reads, when testing as well.",
    raises=TypeError,
)
def spatial_reads_none(dout, cache):
    cache = cache if cache[3] == "train" else None
    return _spatial_gradients(dout, tuple(cache[place] for place in range(4)))


@mistake(
    CNN + "SpatialBatchNorm.backward",
    hint="dgamma and dbeta are divided by H W: they collect sums over places, as over images.",
)
def spatial_backward_means_over_places(dout, cache):
    dx, dgamma, dbeta = _spatial_gradients(dout, cache)
    count = dout[0, 0].numel()
    return dx, dgamma / count, dbeta / count


def _layer_norm(x, gamma, beta, ln_param, *, axis=1, correction=0, root=lambda var, eps: (var + eps).sqrt()):
    mean, var = x.mean(axis, keepdim=True), x.var(axis, keepdim=True, correction=correction)
    std = root(var, ln_param.get("eps", 1e-5))
    x_hat = (x - mean) / std
    return gamma * x_hat + beta, (x_hat, std, gamma)


@mistake(
    CNN + "LayerNorm.forward",
    hint="This is batch norm: the mean goes over the features of one input, axis 1.",
)
def layer_norm_over_the_batch(x, gamma, beta, ln_param):
    return _layer_norm(x, gamma, beta, ln_param, axis=0)


@mistake(
    CNN + "LayerNorm.forward", hint="The variance has D - 1 below: tell `var` that it is D (`correction=0`)."
)
def layer_norm_unbiased(x, gamma, beta, ln_param):
    return _layer_norm(x, gamma, beta, ln_param, correction=1)


@mistake(
    CNN + "LayerNorm.forward",
    hint="Means of shape (N,) do not broadcast against (N, D): keep the axis (`keepdim=True`).",
    raises=RuntimeError,
)
def layer_norm_without_keepdim(x, gamma, beta, ln_param):
    std = (x.var(1, correction=0) + ln_param.get("eps", 1e-5)).sqrt()
    x_hat = (x - x.mean(1)) / std
    return gamma * x_hat + beta, (x_hat, std, gamma)


@mistake(CNN + "LayerNorm.forward", hint="eps belongs under the root, with the variance of each input.")
def layer_norm_eps_outside(x, gamma, beta, ln_param):
    return _layer_norm(x, gamma, beta, ln_param, root=lambda var, eps: var.sqrt() + eps)


@mistake(CNN + "LayerNorm.forward", hint="One mean for all inputs together: each input has its own.")
def layer_norm_of_everything(x, gamma, beta, ln_param):
    return _layer_norm(x, gamma, beta, ln_param, axis=(0, 1))


@mistake(CNN + "LayerNorm.forward", hint="gamma and beta are not used: there is one of each for a feature.")
def layer_norm_bare(x, gamma, beta, ln_param):
    _, cache = _layer_norm(x, gamma, beta, ln_param)
    return cache[0], cache


def _layer_norm_gradients(dout, cache, *, axis=1, mean=1, projection=1, gamma_first=True):
    x_hat, std, gamma = cache
    weighted = dout * gamma if gamma_first else dout
    dx = weighted - mean * weighted.mean(axis, keepdim=True)
    dx = (dx - projection * x_hat * (weighted * x_hat).mean(axis, keepdim=True)) / std
    return (dx if gamma_first else dx * gamma), (dout * x_hat).sum(0), dout.sum(0)


@mistake(
    CNN + "LayerNorm.backward",
    hint="gamma varies within the row that is averaged, so it cannot wait: multiply dout by it first.",
)
def layer_norm_gamma_last(dout, cache):
    return _layer_norm_gradients(dout, cache, gamma_first=False)


@mistake(CNN + "LayerNorm.backward", hint="The means in dx go over the features of one input, axis 1.")
def layer_norm_backward_over_the_batch(dout, cache):
    return _layer_norm_gradients(dout, cache, axis=0)


@mistake(
    CNN + "LayerNorm.backward",
    hint="dgamma and dbeta have one entry for each feature: they are sums over the batch, axis 0.",
)
def layer_norm_gamma_axis(dout, cache):
    dx, _, _ = _layer_norm_gradients(dout, cache)
    return dx, (dout * cache[0]).sum(1), dout.sum(1)


@mistake(CNN + "LayerNorm.backward", hint="The mean of a row depends on x, too: its term is missing in dx.")
def layer_norm_past_the_mean(dout, cache):
    return _layer_norm_gradients(dout, cache, mean=0)


@mistake(
    CNN + "LayerNorm.backward", hint="The variance of a row depends on x: the term with x_hat is missing."
)
def layer_norm_past_the_variance(dout, cache):
    return _layer_norm_gradients(dout, cache, projection=0)


@mistake(CNN + "LayerNorm.backward", hint=GAMMA_GRADIENT)
def layer_norm_gamma_without_x_hat(dout, cache):
    dx, _, dbeta = _layer_norm_gradients(dout, cache)
    return dx, dbeta, dbeta


def _group_norm(x, gamma, beta, G, gn_param, *, order=lambda x: x, back=lambda x: x, **otherwise):
    if x.shape[1] % G:
        raise ValueError("G does not divide C")
    rows = order(x).reshape(len(x) * G, -1)
    x_hat, cache = _layer_norm(rows, torch.ones_like(rows[0]), 0, gn_param, **otherwise)
    x_hat = back(x_hat.reshape(x.shape))
    return gamma * x_hat + beta, (x_hat, gamma, G, cache)


@mistake(
    CNN + "GroupNorm.forward",
    hint="Every channel is normalised on its own (instance norm): a group has C / G channels with one mean.",
)
def group_norm_of_channels(x, gamma, beta, G, gn_param):
    return _group_norm(x, gamma, beta, x.shape[1], gn_param)


@mistake(
    CNN + "GroupNorm.forward", hint="All channels make one group here: there are G groups, each with a mean."
)
def group_norm_of_all(x, gamma, beta, G, gn_param):
    return _group_norm(x, gamma, beta, 1, gn_param)


@mistake(
    CNN + "GroupNorm.forward",
    hint="G is taken for the size of a group: it is their number, and a group has C / G channels.",
)
def group_norm_sizes(x, gamma, beta, G, gn_param):
    return _group_norm(x, gamma, beta, x.shape[1] // G, gn_param)


@mistake(
    CNN + "GroupNorm.forward",
    hint="Groups are of neighbouring channels, in order; yours take every G-th channel.",
)
def group_norm_dealt_out(x, gamma, beta, G, gn_param):
    C = x.shape[1]
    places = torch.arange(C, device=x.device).reshape(-1, G).T.reshape(-1)
    return _group_norm(
        x,
        gamma,
        beta,
        G,
        gn_param,
        order=lambda x: x[:, places],
        back=lambda x_hat: x_hat[:, places.argsort()],
    )


@mistake(CNN + "GroupNorm.forward", hint="The images of the batch share a mean here: each image has its own.")
def group_norm_over_the_batch(x, gamma, beta, G, gn_param):
    _, cache = _group_norm(x, gamma, beta, G, gn_param)
    groups = x.reshape(len(x), G, -1)
    mean, var = groups.mean((0, 2), keepdim=True), groups.var((0, 2), keepdim=True, correction=0)
    x_hat = ((groups - mean) / (var + gn_param.get("eps", 1e-5)).sqrt()).reshape(x.shape)
    return gamma * x_hat + beta, cache


@mistake(
    CNN + "GroupNorm.forward",
    hint="The variance of a group has one too few below: it is divided by the count of its numbers.",
)
def group_norm_unbiased(x, gamma, beta, G, gn_param):
    return _group_norm(x, gamma, beta, G, gn_param, correction=1)


@mistake(
    CNN + "GroupNorm.forward:indivisible",
    hint="Channels that do not make equal groups must be refused with a ValueError.",
    raises=RuntimeError,
)
def group_norm_lets_torch_complain(x, gamma, beta, G, gn_param):
    rows = x.reshape(len(x), G, x.shape[1] // G, -1)
    return rows, None


@mistake(
    CNN + "GroupNorm.forward:indivisible",
    hint="G above C or between its divisors is silently taken: compare C with a multiple of G.",
)
def group_norm_takes_any_number(x, gamma, beta, G, gn_param):
    if x[0].numel() % G:
        raise ValueError("these groups are not of one size")
    rows = x.reshape(len(x) * G, -1)
    x_hat, cache = _layer_norm(rows, 1, 0, gn_param)
    return gamma * x_hat.reshape(x.shape) + beta, (x_hat.reshape(x.shape), gamma, G, cache)


@mistake(CNN + "GroupNorm.forward", hint="eps belongs under the root, with the variance of each group.")
def group_norm_eps_outside(x, gamma, beta, G, gn_param):
    return _group_norm(x, gamma, beta, G, gn_param, root=lambda var, eps: var.sqrt() + eps)


def _group_norm_gradients(dout, cache, *, weigh=True, **otherwise):
    x_hat, gamma, G, (rows, std, _) = cache
    weighted = (dout * gamma if weigh else dout).reshape(len(dout) * G, -1)
    dx, _, _ = _layer_norm_gradients(weighted, (rows, std, torch.ones_like(rows[0])), **otherwise)
    dgamma = (dout * x_hat).sum((0, 2, 3), keepdim=True)
    return dx.reshape(dout.shape), dgamma, dout.sum((0, 2, 3), keepdim=True)


@mistake(CNN + "GroupNorm.backward", hint=NO_GAMMA)
def group_norm_without_gamma(dout, cache):
    return _group_norm_gradients(dout, cache, weigh=False)


@mistake(
    CNN + "GroupNorm.backward",
    hint="dgamma and dbeta lack axes: they have the shape (1, C, 1, 1) of gamma (`keepdim=True`).",
)
def group_norm_flat_parameters(dout, cache):
    dx, dgamma, dbeta = _group_norm_gradients(dout, cache)
    return dx, dgamma.flatten(), dbeta.flatten()


@mistake(
    CNN + "GroupNorm.backward",
    hint="gamma is shared by all images: dgamma and dbeta are summed over N as well.",
)
def group_norm_parameters_per_image(dout, cache):
    dx, _, _ = _group_norm_gradients(dout, cache)
    return dx, (dout * cache[0]).sum((2, 3), keepdim=True), dout.sum((2, 3), keepdim=True)


@mistake(
    CNN + "GroupNorm.backward",
    hint="The mean of a group depends on x: a term of dx, the mean of the group, is missing.",
)
def group_norm_past_the_mean(dout, cache):
    return _group_norm_gradients(dout, cache, mean=0)


@mistake(
    CNN + "GroupNorm.backward", hint="The variance of a group depends on x: the term with x_hat is missing."
)
def group_norm_past_the_variance(dout, cache):
    return _group_norm_gradients(dout, cache, projection=0)


@mistake(CNN + "GroupNorm.backward", hint=GAMMA_GRADIENT)
def group_norm_gamma_without_x_hat(dout, cache):
    dx, _, dbeta = _group_norm_gradients(dout, cache)
    return dx, dbeta, dbeta


@mistake(CNN + "InstanceNorm.backward", hint=NO_GAMMA)
def instance_norm_without_gamma(dout, cache):
    return _group_norm_gradients(dout, cache, weigh=False)


@mistake(
    CNN + "InstanceNorm.backward",
    hint="dgamma and dbeta lack axes: they have the shape (1, C, 1, 1) of gamma (`keepdim=True`).",
)
def instance_norm_flat_parameters(dout, cache):
    dx, dgamma, dbeta = _group_norm_gradients(dout, cache)
    return dx, dgamma.flatten(), dbeta.flatten()


@mistake(
    CNN + "InstanceNorm.backward",
    hint="gamma is shared by all images: dgamma and dbeta are summed over N as well.",
)
def instance_norm_parameters_per_image(dout, cache):
    dx, _, _ = _group_norm_gradients(dout, cache)
    return dx, (dout * cache[0]).sum((2, 3), keepdim=True), dout.sum((2, 3), keepdim=True)


@mistake(
    CNN + "InstanceNorm.backward",
    hint="The mean of a group depends on x: a term of dx, the mean of the group, is missing.",
)
def instance_norm_past_the_mean(dout, cache):
    return _group_norm_gradients(dout, cache, mean=0)


@mistake(
    CNN + "InstanceNorm.backward",
    hint="The variance of a group depends on x: the term with x_hat is missing.",
)
def instance_norm_past_the_variance(dout, cache):
    return _group_norm_gradients(dout, cache, projection=0)


@mistake(CNN + "InstanceNorm.backward", hint=GAMMA_GRADIENT)
def instance_norm_gamma_without_x_hat(dout, cache):
    dx, _, dbeta = _group_norm_gradients(dout, cache)
    return dx, dbeta, dbeta


@mistake(
    CNN + "InstanceNorm.forward",
    hint="All channels of an image share a mean here (layer norm): each channel has its own.",
)
def instance_norm_over_channels(x, gamma, beta, in_param):
    return _group_norm(x, gamma, beta, 1, in_param)


@mistake(
    CNN + "InstanceNorm.forward",
    hint="The images of the batch share a mean here (batch norm): each image has its own.",
)
def instance_norm_over_the_batch(x, gamma, beta, in_param):
    _, cache = _group_norm(x, gamma, beta, x.shape[1], in_param)
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
    return gamma * (x - mean) / (var + in_param.get("eps", 1e-5)).sqrt() + beta, cache


@mistake(
    CNN + "InstanceNorm.forward", hint="The variance has H W - 1 below: it is divided by the count of places."
)
def instance_norm_unbiased(x, gamma, beta, in_param):
    return _group_norm(x, gamma, beta, x.shape[1], in_param, correction=1)


@mistake(CNN + "InstanceNorm.forward", hint="eps belongs under the root, with the variance of each channel.")
def instance_norm_eps_outside(x, gamma, beta, in_param):
    return _group_norm(x, gamma, beta, x.shape[1], in_param, root=lambda var, eps: var.sqrt() + eps)


@mistake(
    CNN + "InstanceNorm.forward", hint="`in_param` is not handed on: eps is its default, whatever was asked."
)
def instance_norm_forgets_eps(x, gamma, beta, in_param):
    return _group_norm(x, gamma, beta, x.shape[1], {})


@mistake(
    CNN + "InstanceNorm.forward", hint="gamma and beta are not used: there is one of each for a channel."
)
def instance_norm_bare(x, gamma, beta, in_param):
    _, cache = _group_norm(x, gamma, beta, x.shape[1], in_param)
    return cache[0], cache


def _normalized(
    self,
    X,
    y=None,
    *,
    after=False,
    skip_grads=(),
    decay=("W",),
    modes=None,
    through=True,
    drop=True,
    drop_first=False,
    through_mask=True,
    seeded=True,
):
    """The network, right but for what is asked to be otherwise."""
    params, caches, out = self.params, [], X.to(self.dtype)
    mode = "test" if y is None else "train"
    norm = {"batch": nets.BatchNorm, "layer": nets.LayerNorm, None: None}[self.normalization]
    dropout_param = {"p": self.dropout if drop else 0.0, "mode": mode, "seed": self.seed if seeded else None}
    for layer in range(1, self.num_layers):
        out, linear = nets.Linear.forward(out, params[f"W{layer}"], params[f"b{layer}"])
        if after:
            out, active = self.activation.forward(out)
        normed = None
        if norm:
            self.norm_params[layer - 1]["mode"] = modes or mode
            affine = params[f"gamma{layer}"], params[f"beta{layer}"]
            out, normed = norm.forward(out, *affine, self.norm_params[layer - 1])
        if drop_first:
            out, dropped = nets.Dropout.forward(out, dropout_param)
        if not after:
            out, active = self.activation.forward(out)
        if not drop_first:
            out, dropped = nets.Dropout.forward(out, dropout_param)
        caches.append((linear, active, normed, dropped))
    top = self.num_layers
    scores, linear = nets.Linear.forward(out, params[f"W{top}"], params[f"b{top}"])
    if y is None:
        return scores
    loss, dout = nets.softmax_loss(scores, y)
    grads = {}
    dout, grads[f"W{top}"], grads[f"b{top}"] = nets.Linear.backward(dout, linear)
    for layer in reversed(range(1, top)):
        linear, active, normed, dropped = caches[layer - 1]
        if through_mask and not drop_first:
            dout = nets.Dropout.backward(dout, dropped)
        if not after:
            dout = self.activation.backward(dout, active)
        if drop_first:
            dout = nets.Dropout.backward(dout, dropped)
        if norm:
            dx, grads[f"gamma{layer}"], grads[f"beta{layer}"] = norm.backward(dout, normed)
            dout = dx if through else dout
        if after:
            dout = self.activation.backward(dout, active)
        dout, grads[f"W{layer}"], grads[f"b{layer}"] = nets.Linear.backward(dout, linear)
    for name in params:
        if name.startswith(tuple(decay)):
            loss = loss + self.reg * params[name].square().sum()
            grads[name] = grads[name] + 2 * self.reg * params[name]
    return loss, {name: slope for name, slope in grads.items() if not name.startswith(tuple(skip_grads))}


@mistake(
    CNN + "NormalizedNet.loss",
    hint="The norm comes after the activation here: it stands between product and activation.",
)
def normalized_after_activation(self, X, y=None):
    return _normalized(self, X, y, after=True)


@mistake(
    CNN + "NormalizedNet.loss",
    hint="The gradients of the gammas and betas are missing: they are learned, too.",
)
def normalized_without_gammas(self, X, y=None):
    return _normalized(self, X, y, skip_grads=("gamma", "beta"))


@mistake(CNN + "NormalizedNet.loss", hint="The gammas are penalised: the penalty is on the weights alone.")
def normalized_decays_gammas(self, X, y=None):
    return _normalized(self, X, y, decay=("W", "gamma"))


@mistake(
    CNN + "NormalizedNet.loss",
    hint="The gradient goes past the norm: hand on the dx that its `backward` returns.",
)
def normalized_past_the_norm(self, X, y=None):
    return _normalized(self, X, y, through=False)


@mistake(
    CNN + "NormalizedNet.loss", hint="The penalty is missing in the loss and in the gradients of the weights."
)
def normalized_without_penalty(self, X, y=None):
    return _normalized(self, X, y, decay=())


@mistake(
    CNN + "NormalizedNet.loss",
    hint='Training uses running averages: with labels, the norms are in "train" mode.',
)
def normalized_trains_in_test_mode(self, X, y=None):
    for param, layer in zip(self.norm_params, range(1, self.num_layers), strict=True):
        if self.normalization == "batch":
            width = self.params[f"b{layer}"]
            param.setdefault("running_mean", torch.zeros_like(width))
            param.setdefault("running_var", torch.ones_like(width))
    return _normalized(self, X, y, modes="test")


NORMALIZED_DROPOUT = CNN + "NormalizedNet.loss:dropout"


@mistake(NORMALIZED_DROPOUT, hint="No unit is ever dropped: Dropout follows each activation in training.")
def normalized_without_dropout(self, X, y=None):
    return _normalized(self, X, y, drop=False)


@mistake(NORMALIZED_DROPOUT, hint="Dropout comes before the activation, which bends what was scaled.")
def normalized_drops_too_early(self, X, y=None):
    return _normalized(self, X, y, drop_first=True)


@mistake(NORMALIZED_DROPOUT, hint="The gradient does not go back through the mask of the dropout.")
def normalized_backward_without_mask(self, X, y=None):
    return _normalized(self, X, y, through_mask=False)


@mistake(
    NORMALIZED_DROPOUT,
    hint="The seed does not reach the dropout, so no gradient can be checked: hand on all of dropout_param.",
)
def normalized_without_seed(self, X, y=None):
    return _normalized(self, X, y, seeded=False)


@mistake(
    CNN + "NormalizedNet.loss:test_mode",
    hint="Without labels the norms still use the batch: scores must not depend on the other images.",
)
def normalized_tests_in_train_mode(self, X, y=None):
    return _normalized(self, X, y, modes="train")


@mistake(
    CNN + "NormalizedNet.loss:test_mode", hint="Without labels the norms are left out: testing has them, too."
)
def normalized_without_norms_when_testing(self, X, y=None):
    if y is not None:
        return _normalized(self, X, y)
    out = X.to(self.dtype)
    for layer in range(1, self.num_layers):
        out, _ = nets.Linear.forward(out, self.params[f"W{layer}"], self.params[f"b{layer}"])
        out, _ = self.activation.forward(out)
    top = self.num_layers
    return nets.Linear.forward(out, self.params[f"W{top}"], self.params[f"b{top}"])[0]


# Networks
def _kaiming(Din, Dout, K, relu, dtype, device, *, gain=None, fan_in=None, power=0.5, draw=torch.randn):
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)
    fan_in = Din * (K or 1) ** 2 if fan_in is None else fan_in
    gain = (2 if relu else 1) if gain is None else gain
    return (gain / fan_in) ** power * draw(shape, dtype=dtype, device=device)


@mistake(CNN + "kaiming_initializer", hint="This is the variance: the standard deviation is its root.")
def kaiming_without_root(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, power=1)


@mistake(CNN + "kaiming_initializer", hint="The gain stands outside the root: the variance is gain / fan_in.")
def kaiming_gain_outside(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, gain=4 if relu else 1)


@mistake(CNN + "kaiming_initializer", hint="An output of a filter sums over K x K places of every channel.")
def kaiming_channels_only(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, fan_in=Din)


@mistake(CNN + "kaiming_initializer", hint="The window has K^2 places, not K.")
def kaiming_one_side(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, fan_in=Din * (K or 1))


@mistake(CNN + "kaiming_initializer", hint="What an output sums up counts: Din, not Dout.")
def kaiming_by_outputs(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, fan_in=Dout * (K or 1) ** 2)


@mistake(CNN + "kaiming_initializer", hint="Without a ReLU no power is lost, and the gain is 1.")
def kaiming_always_two(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, gain=2)


@mistake(CNN + "kaiming_initializer", hint="A ReLU throws away half of the power, so the gain is 2.")
def kaiming_always_one(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, gain=1)


@mistake(CNN + "kaiming_initializer", hint="`rand` is even between 0 and 1: draw normal numbers.")
def kaiming_positive(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, draw=torch.rand)


@mistake(CNN + "kaiming_initializer", hint="Filters come first: the shape is (Dout, Din, K, K).")
def kaiming_channels_first(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    weights = _kaiming(Din, Dout, K, relu, dtype, device)
    return weights if K is None else weights.transpose(0, 1).contiguous()


@mistake(CNN + "kaiming_initializer", hint="dtype and device are ignored: hand them on.")
def kaiming_default_dtype(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, torch.float32, "cpu")


@mistake(CNN + "kaiming_initializer", hint="All weights are equal, as zeros are: draw them at random.")
def kaiming_unfilled(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    return _kaiming(Din, Dout, K, relu, dtype, device, draw=torch.zeros)


def _three_start(net, input_dims, num_filters, filter_size, hidden_dim, num_classes, scale, dtype, device):
    channels, height, width = input_dims
    shapes = {
        "W1": (num_filters, channels, filter_size, filter_size),
        "b1": (num_filters,),
        "W2": (num_filters * (height // 2) * (width // 2), hidden_dim),
        "b2": (hidden_dim,),
        "W3": (hidden_dim, num_classes),
        "b3": (num_classes,),
    }
    net.params = {
        name: (scale if name[0] == "W" else 0) * torch.randn(shape, dtype=dtype, device=device)
        for name, shape in shapes.items()
    }


@mistake(
    CNN + "ThreeLayerConvNet.__init__",
    hint="Linear weights are (inputs, outputs). W2 takes what the pool leaves: `side // 2` both ways.",
)
def three_without_pool(
    self,
    input_dims=(3, 32, 32),
    num_filters=32,
    filter_size=7,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    doubled = (input_dims[0], 2 * input_dims[1], 2 * input_dims[2])
    self.reg, self.dtype = reg, dtype
    _three_start(
        self, doubled, num_filters, filter_size, hidden_dim, num_classes, weight_scale, dtype, device
    )


@mistake(
    CNN + "ThreeLayerConvNet.__init__",
    hint="Filters have another shape: (num_filters, channels, filter_size, filter_size).",
)
def three_channels_first(
    self,
    input_dims=(3, 32, 32),
    num_filters=32,
    filter_size=7,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg, self.dtype = reg, dtype
    _three_start(
        self, input_dims, num_filters, filter_size, hidden_dim, num_classes, weight_scale, dtype, device
    )
    self.params["W1"] = self.params["W1"].transpose(0, 1).contiguous()


@mistake(CNN + "ThreeLayerConvNet.__init__", hint="`weight_scale` is ignored: it multiplies every weight.")
def three_unscaled(
    self,
    input_dims=(3, 32, 32),
    num_filters=32,
    filter_size=7,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg, self.dtype = reg, dtype
    _three_start(self, input_dims, num_filters, filter_size, hidden_dim, num_classes, 1.0, dtype, device)


@mistake(CNN + "ThreeLayerConvNet.__init__", hint="The biases are drawn too: they start at 0.")
def three_random_biases(
    self,
    input_dims=(3, 32, 32),
    num_filters=32,
    filter_size=7,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg, self.dtype = reg, dtype
    _three_start(
        self, input_dims, num_filters, filter_size, hidden_dim, num_classes, weight_scale, dtype, device
    )
    self.params["b1"] = weight_scale * torch.randn_like(self.params["b1"])


@mistake(
    CNN + "ThreeLayerConvNet.__init__", hint="All filters are equal, and would stay equal: draw the weights."
)
def three_equal_weights(
    self,
    input_dims=(3, 32, 32),
    num_filters=32,
    filter_size=7,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg, self.dtype = reg, dtype
    _three_start(
        self, input_dims, num_filters, filter_size, hidden_dim, num_classes, weight_scale, dtype, device
    )
    self.params["W1"] = torch.full_like(self.params["W1"], weight_scale)


@mistake(CNN + "ThreeLayerConvNet.__init__", hint="dtype is ignored: make every parameter with it.")
def three_default_dtype(
    self,
    input_dims=(3, 32, 32),
    num_filters=32,
    filter_size=7,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg, self.dtype = reg, dtype
    _three_start(
        self,
        input_dims,
        num_filters,
        filter_size,
        hidden_dim,
        num_classes,
        weight_scale,
        torch.float32,
        device,
    )


def _three_pass(self, X, y, *, active=True, penalised="123", penalty=1.0, last_active=False, through=True):
    params, grads = self.params, {}
    conv_param = {"stride": 1, "pad": params["W1"].shape[2] // 2}
    out, conv = FastConv.forward(X.to(self.dtype), params["W1"], params["b1"], conv_param)
    out, relu = ReLU.forward(out)
    out, pool = FastMaxPool.forward(out, HALVE)
    out, hidden = Linear.forward(out, params["W2"], params["b2"])
    out, relu2 = ReLU.forward(out) if active else (out, None)
    scores, linear = Linear.forward(out, params["W3"], params["b3"])
    scores = scores.clamp(min=0) if last_active else scores
    if y is None:
        return scores
    loss, dout = softmax_loss(scores, y)
    dout, grads["W3"], grads["b3"] = Linear.backward(dout, linear)
    dout = ReLU.backward(dout, relu2) if active else dout
    dout, grads["W2"], grads["b2"] = Linear.backward(dout, hidden)
    dout = FastMaxPool.backward(dout, pool)
    dout = ReLU.backward(dout, relu) if through else dout
    _, grads["W1"], grads["b1"] = FastConv.backward(dout, conv)
    for layer in penalised:
        loss = loss + penalty * self.reg * params[f"W{layer}"].square().sum()
        grads[f"W{layer}"] = grads[f"W{layer}"] + 2 * penalty * self.reg * params[f"W{layer}"]
    return loss, grads


THREE = CNN + "ThreeLayerConvNet.loss"


@mistake(THREE, hint="The filters are not penalised: W1 is one of the weights.")
def three_penalty_on_linear(self, X, y=None):
    return _three_pass(self, X, y, penalised="23")


@mistake(THREE, hint="The penalty of the filters is missing in the loss; in the gradient of W1 it is there.")
def three_penalty_on_linear_in_loss(self, X, y=None):
    if y is None:
        return _three_pass(self, X, y)
    return _three_pass(self, X, y, penalised="23")[0], _three_pass(self, X, y)[1]


@mistake(THREE, hint="There is a half in the penalty: it is reg * sum(W^2).")
def three_half_penalty(self, X, y=None):
    return _three_pass(self, X, y, penalty=0.5)


@mistake(THREE, hint="The penalty is in the loss, but not in the gradients.")
def three_penalty_in_loss_only(self, X, y=None):
    if y is None:
        return _three_pass(self, X, y)
    loss, _ = _three_pass(self, X, y)
    return loss, _three_pass(self, X, y, penalised="")[1]


@mistake(THREE, hint="The biases are penalised too: only weights are.")
def three_penalty_on_biases(self, X, y=None):
    found = _three_pass(self, X, y)
    if y is None:
        return found
    loss, grads = found
    for name in ("b1", "b2", "b3"):
        loss = loss + self.reg * self.params[name].square().sum()
        grads[name] = grads[name] + 2 * self.reg * self.params[name]
    return loss, grads


@mistake(THREE, hint="There is no nonlinearity behind the hidden linear layer.")
def three_without_hidden_relu(self, X, y=None):
    return _three_pass(self, X, y, active=False)


@mistake(THREE, hint="On the way back the ReLU of the convolution is left out.")
def three_backward_without_relu(self, X, y=None):
    return _three_pass(self, X, y, through=False)


@mistake(
    THREE,
    hint="The padding of the convolution is not (F - 1) / 2, which keeps height and width.",
    raises=RuntimeError,
)
def three_without_padding(self, X, y=None):
    out, _ = FastConv.forward(X, self.params["W1"], self.params["b1"], {"stride": 1, "pad": 0})
    out, _ = FastMaxPool.forward(out.clamp(min=0), HALVE)
    return Linear.forward(out, self.params["W2"], self.params["b2"])


@mistake(THREE, hint="The gradient of the mean loss is divided by the number of images once more.")
def three_mean_twice(self, X, y=None):
    found = _three_pass(self, X, y)
    return found if y is None else (found[0], {name: grad / len(X) for name, grad in found[1].items()})


@mistake(THREE + ":scores", hint="There is a ReLU on the scores: the last layer is linear.")
def three_relu_on_scores(self, X, y=None):
    return _three_pass(self, X, y, last_active=True)


@mistake(THREE + ":scores", hint="These are probabilities: scores are what goes into the softmax.")
def three_softmax_on_scores(self, X, y=None):
    found = _three_pass(self, X, y)
    return found.softmax(dim=1) if y is None else found


@mistake(THREE + ":scores", hint="Without labels the scores are asked for, not their largest entry.")
def three_labels_for_scores(self, X, y=None):
    found = _three_pass(self, X, y)
    return found.argmax(dim=1) if y is None else found


def _deep_start(
    net, input_dims, filters, pools, batchnorm, classes, scale, reg, initializer, dtype, device, last=False
):
    net.num_layers = len(filters) + 1
    net.max_pools, net.batchnorm, net.reg, net.dtype = sorted(pools), batchnorm, reg, dtype
    net.mean = torch.zeros(input_dims[0], 1, 1, dtype=dtype, device=device)
    net.bn_params = [{} for _ in filters] if batchnorm else []
    new = {"dtype": dtype, "device": device}
    draw = initializer or partial(initial_weights, weight_scale=scale)
    net.params = {}
    for layer, (Din, Dout) in enumerate(pairwise([input_dims[0], *filters]), start=1):
        net.params[f"W{layer}"] = draw(Din, Dout, 3, **new)
        net.params[f"b{layer}"] = torch.zeros(Dout, **new)
        if batchnorm:
            net.params[f"gamma{layer}"] = torch.ones(Dout, **new)
            net.params[f"beta{layer}"] = torch.zeros(Dout, **new)
    side = 2 ** len(net.max_pools)
    Din = filters[-1] * (input_dims[1] // side) * (input_dims[2] // side)
    net.params[f"W{len(filters) + 1}"] = draw(Din, classes, relu=last, **new)
    net.params[f"b{len(filters) + 1}"] = torch.zeros(classes, **new)


@mistake(CNN + "DeepConvNet.__init__", hint="No ReLU follows the last layer: its gain is 1.")
def deep_last_gain(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, weight_scale, reg, weight_initializer, dtype, device)
    _deep_start(self, input_dims, num_filters, max_pools, *settings, last=True)


@mistake(
    CNN + "DeepConvNet.__init__",
    hint="The last layer sees what the pools of max_pools leave: each halves both sides, rounded down.",
)
def deep_without_halving(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, weight_scale, reg, weight_initializer, dtype, device)
    _deep_start(self, input_dims, num_filters, (), *settings)


@mistake(
    CNN + "DeepConvNet.__init__", hint="With batch norm each convolution has a gamma and a beta as well."
)
def deep_without_gammas(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, weight_scale, reg, weight_initializer, dtype, device)
    _deep_start(self, input_dims, num_filters, max_pools, *settings)
    self.params = {name: p for name, p in self.params.items() if name[0] in "Wb" and name[:2] != "be"}


@mistake(CNN + "DeepConvNet.__init__", hint="A gamma of 0 lets nothing through: gammas start at 1.")
def deep_gammas_zero(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, weight_scale, reg, weight_initializer, dtype, device)
    _deep_start(self, input_dims, num_filters, max_pools, *settings)
    self.params = {name: 0 * p if name.startswith("gamma") else p for name, p in self.params.items()}


@mistake(
    CNN + "DeepConvNet.__init__",
    hint="This W has another shape: layers count from 1, and filters are (filters, channels, 3, 3).",
)
def deep_names_from_zero(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, weight_scale, reg, weight_initializer, dtype, device)
    _deep_start(self, input_dims, num_filters, max_pools, *settings)
    self.params = {f"{name[:-1]}{int(name[-1]) - 1}": p for name, p in self.params.items()}


@mistake(CNN + "DeepConvNet.__init__", hint="The linear layer at the end is missing.")
def deep_without_linear(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, weight_scale, reg, weight_initializer, dtype, device)
    _deep_start(self, input_dims, num_filters, max_pools, *settings)
    del self.params[f"W{self.num_layers}"], self.params[f"b{self.num_layers}"]


@mistake(
    CNN + "DeepConvNet.__init__",
    hint="`weight_initializer` is ignored: where it is given, it draws all weights.",
)
def deep_without_initializer(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, weight_scale, reg, None, dtype, device)
    _deep_start(self, input_dims, num_filters, max_pools, *settings)


@mistake(
    CNN + "DeepConvNet.__init__",
    hint='weight_scale may also be "kaiming": `draw` knows what to do with either.',
    raises=TypeError,
)
def deep_numbers_only(
    self,
    input_dims=(3, 32, 32),
    num_filters=(8, 8, 8, 8, 8),
    max_pools=(0, 1, 2, 3, 4),
    batchnorm=False,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    weight_initializer=None,
    dtype=torch.float32,
    device="cpu",
):
    settings = (batchnorm, num_classes, 1.0, reg, weight_initializer, dtype, device)
    _deep_start(self, input_dims, num_filters, max_pools, *settings)
    self.params = {
        name: torch.mul(p, weight_scale) if name[0] == "W" else p for name, p in self.params.items()
    }


def _deep_pass(
    self,
    X,
    y,
    *,
    pools=None,
    norm_first=True,
    penalty=1.0,
    penalised=None,
    gammas=False,
    mode=None,
    shared=False,
    forgetful=False,
    mean=True,
    norm_back=True,
):
    params, grads, caches = self.params, {}, []
    pools = self.max_pools if pools is None else pools
    out = X.to(self.dtype) - self.mean if mean else X.to(self.dtype)
    last = self.num_layers
    for layer in range(1, last):
        out, conv = FastConv.forward(out, params[f"W{layer}"], params[f"b{layer}"], KEEP)
        remembered = self.bn_params[0 if shared else layer - 1] if self.batchnorm else {}
        param = {**remembered, "mode": mode or ("test" if y is None else "train")}
        norm = active = pool = None
        if not norm_first:
            out, active = ReLU.forward(out)
        if self.batchnorm:
            out, norm = SpatialBatchNorm.forward(out, params[f"gamma{layer}"], params[f"beta{layer}"], param)
            if not forgetful:
                remembered.update(param)
        if norm_first:
            out, active = ReLU.forward(out)
        if layer - 1 in pools:
            out, pool = FastMaxPool.forward(out, HALVE)
        caches.append((conv, norm, active, pool))
    scores, linear = Linear.forward(out, params[f"W{last}"], params[f"b{last}"])
    if y is None:
        return scores
    loss, dout = softmax_loss(scores, y)
    dout, grads[f"W{last}"], grads[f"b{last}"] = Linear.backward(dout, linear)
    for layer in reversed(range(1, last)):
        conv, norm, active, pool = caches[layer - 1]
        if layer - 1 in pools:
            dout = FastMaxPool.backward(dout, pool)
        if norm_first:
            dout = ReLU.backward(dout, active)
        if norm is not None:
            dx, grads[f"gamma{layer}"], grads[f"beta{layer}"] = SpatialBatchNorm.backward(dout, norm)
            dout = dx if norm_back else dout
        if not norm_first:
            dout = ReLU.backward(dout, active)
        dout, grads[f"W{layer}"], grads[f"b{layer}"] = FastConv.backward(dout, conv)
    names = [f"W{layer}" for layer in penalised or range(1, last + 1)]
    for name in [*names, *(n for n in params if gammas and n.startswith("gamma"))]:
        loss = loss + penalty * self.reg * params[name].square().sum()
        grads[name] = grads[name] + 2 * penalty * self.reg * params[name]
    return loss, grads


DEEP = CNN + "DeepConvNet.loss"


@mistake(DEEP, hint="There is a half in the penalty: it is reg * sum(W^2).")
def deep_half_penalty(self, X, y=None):
    return _deep_pass(self, X, y, penalty=0.5)


@mistake(DEEP, hint="The last layer's weights are not penalised: the sum ends one too early.")
def deep_penalty_without_last(self, X, y=None):
    return _deep_pass(self, X, y, penalised=range(1, self.num_layers))


@mistake(DEEP, hint="The filters are not penalised: all weights are, of convolutions too.")
def deep_penalty_on_linear(self, X, y=None):
    return _deep_pass(self, X, y, penalised=[self.num_layers])


@mistake(
    DEEP,
    hint="The maps that reach the linear layer have another size: mind the padding; max_pools counts from 0.",
    raises=RuntimeError,
)
def deep_pools_one_off(self, X, y=None):
    return _deep_pass(self, X, y, pools=[place + 1 for place in self.max_pools])


@mistake(DEEP, hint="The gradient reaches the first convolution only: each layer has its own.")
def deep_grads_overwritten(self, X, y=None):
    found = _deep_pass(self, X, y)
    if y is None or self.num_layers < 3:
        return found
    loss, grads = found
    return loss, {name: grad for name, grad in grads.items() if name not in ("W2", "b2")}


@mistake(DEEP + ":batchnorm", hint="Batch norm follows the convolution, and the ReLU follows the norm.")
def deep_relu_before_norm(self, X, y=None):
    return _deep_pass(self, X, y, norm_first=False)


@mistake(
    DEEP + ":batchnorm",
    hint="The gradient of the convolution skips the norm: `SpatialBatchNorm.backward` gives it, too.",
)
def deep_around_the_norm(self, X, y=None):
    return _deep_pass(self, X, y, norm_back=False)


@mistake(DEEP + ":batchnorm", hint="Gammas are penalised too: only weights are.")
def deep_penalty_on_gammas(self, X, y=None):
    return _deep_pass(self, X, y, gammas=True)


@mistake(
    DEEP + ":batchnorm",
    hint="The norm is handed a copy of its bn_param, so what it remembers is lost.",
    raises=KeyError,
)
def deep_forgetful(self, X, y=None):
    return _deep_pass(self, X, y, forgetful=True)


@mistake(
    DEEP + ":batchnorm",
    hint="All norms share one bn_param: each has its own, `self.bn_params[layer - 1]`.",
    raises=RuntimeError,
)
def deep_shared_memory(self, X, y=None):
    return _deep_pass(self, X, y, shared=True)


@mistake(DEEP + ":scores", hint="Without labels the norms are still in train mode.")
def deep_always_training(self, X, y=None):
    return _deep_pass(self, X, y, mode="train")


@mistake(DEEP + ":scores", hint="The mean colour is not taken off: work with X as the given lines leave it.")
def deep_with_mean(self, X, y=None):
    return _deep_pass(self, X, y, mean=False)


@mistake(DEEP + ":scores", hint="These are probabilities: scores are what goes into the softmax.")
def deep_softmax_on_scores(self, X, y=None):
    found = _deep_pass(self, X, y)
    return found.softmax(dim=1) if y is None else found


# Training
@mistake(
    CNN + "find_overfit_parameters",
    hint="The weights are so small that no signal comes through: raise the scale.",
)
def overfit_vanishing():
    return 1e-3, 5e-3


@mistake(
    CNN + "find_overfit_parameters",
    hint="The steps are too small for 100 of them: raise the learning rate.",
)
def overfit_too_slow():
    return 1.5e-1, 2e-4


@mistake(
    CNN + "find_overfit_parameters",
    hint="The steps are too large, and the network forgets what it learns: lower the learning rate.",
)
def overfit_too_fast():
    return 2e-1, 0.3


def _solver(data_dict, model, **settings):
    from exercise_code.mlp.solver import Solver

    return Solver(model, data_dict, **settings)


SOLVER = CNN + "create_convolutional_solver_instance"


@mistake(SOLVER, hint="dtype is ignored: hand it, and the device, on to the network.")
def solver_default_dtype(data_dict, dtype=torch.float32, device="cpu"):
    return _solver(data_dict, DeepConvNet(device=device))


@mistake(
    SOLVER,
    hint="The network is returned: the solver around it is asked for.",
    raises=AttributeError,
)
def solver_is_the_model(data_dict, dtype=torch.float32, device="cpu"):
    return DeepConvNet(dtype=dtype, device=device)


@mistake(SOLVER, hint="This is another network: a `DeepConvNet` is asked for.")
def solver_of_three_layers(data_dict, dtype=torch.float32, device="cpu"):
    model = ThreeLayerConvNet(dtype=dtype, device=device)
    model.num_layers = 3
    return _solver(data_dict, model)


@mistake(SOLVER, hint="Validation images are handed over as training images, or the other way round.")
def solver_validates_on_training(data_dict, dtype=torch.float32, device="cpu"):
    turned = {**data_dict, "X_val": data_dict["X_train"], "y_val": data_dict["y_train"]}
    return _solver(turned, DeepConvNet(dtype=dtype, device=device))


@mistake(SOLVER, hint="There are 10 classes, however few of them are among the labels.")
def solver_counts_labels(data_dict, dtype=torch.float32, device="cpu"):
    classes = int(data_dict["y_train"].max()) + 1
    return _solver(data_dict, DeepConvNet(num_classes=classes, dtype=dtype, device=device))


@mistake(SOLVER + ":steps", hint="With a learning rate of 0 nothing moves.")
def solver_without_steps(data_dict, dtype=torch.float32, device="cpu"):
    model = DeepConvNet(weight_scale="kaiming", dtype=dtype, device=device)
    return _solver(data_dict, model, optim_config={"learning_rate": 0.0})
