"""Right versions of `cnn.convolutional_networks`, written otherwise."""

import math
from functools import partial

import torch
from torch.nn import functional

from exercise_code.cnn import convolutional_networks as nets
from exercise_code.mlp import update_rules
from exercise_code.mlp.fully_connected_networks import Linear, Linear_ReLU, ReLU
from exercise_code.mlp.losses import softmax_loss
from exercise_code.mlp.solver import Solver
from exercise_code.support.checking.declare import variant

CNN = "cnn.convolutional_networks."


# Convolution and pooling
@variant(CNN + "output_size")
def size_by_range(size, kernel, stride=1, pad=0):
    places = range(-pad, size + pad - kernel + 1, stride)
    if not places:
        raise ValueError("the kernel is too large")
    return len(places)


@variant(CNN + "output_size")
def size_by_floor(size, kernel, stride=1, pad=0):
    free = (size - kernel + 2 * pad) / stride
    if free < 0:
        raise ValueError("no room for the kernel")
    return math.floor(free) + 1


@variant(CNN + "output_size")
def size_by_counting(size, kernel, stride=1, pad=0):
    count, start = 0, -pad
    while start + kernel <= size + pad:
        count, start = count + 1, start + stride
    if count == 0:
        raise ValueError("the kernel is too large")
    return count


@variant(CNN + "Conv.forward")
def conv_all_filters_at_once(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    x_pad = functional.pad(x, (pad,) * 4)
    height, width = w.shape[2:]
    rows = range(0, x_pad.shape[2] - height + 1, stride)
    columns = range(0, x_pad.shape[3] - width + 1, stride)
    out = torch.zeros(len(x), len(w), len(rows), len(columns), dtype=x.dtype, device=x.device)
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            window = x_pad[:, :, top : top + height, left : left + width].flatten(1)
            out[:, :, i, j] = window @ w.flatten(1).T + b
    return out, (x_pad, w, stride, pad)


@variant(CNN + "Conv.forward")
def conv_weight_by_weight(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    x_pad = x.new_zeros(*x.shape[:2], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad)
    x_pad[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]] = x
    height, width = w.shape[2:]
    out = b[:, None, None]
    for k in range(height):
        for m in range(width):
            below, right = x_pad.shape[2] - height + k + 1, x_pad.shape[3] - width + m + 1
            shifted = x_pad[:, :, k:below:stride, m:right:stride]
            out = out + torch.einsum("nchw,fc->nfhw", shifted, w[:, :, k, m])
    return out, (x_pad, w, stride, pad)


@variant(CNN + "Conv.forward")
def conv_by_windows(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    x_pad = functional.pad(x, (pad, pad, pad, pad))
    windows = x_pad.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)
    out = torch.einsum("nchwkm,fckm->nfhw", windows, w) + b.view(-1, 1, 1)
    return out, (x_pad, w, stride, pad)


@variant(CNN + "Conv.backward")
def conv_backward_all_filters_at_once(dout, cache):
    x_pad, w, stride, pad = cache
    height, width = w.shape[2:]
    dx, dw = torch.zeros_like(x_pad), torch.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * stride, i * stride + height)
            columns = slice(j * stride, j * stride + width)
            dx[:, :, rows, columns] += torch.einsum("nf,fckm->nckm", dout[:, :, i, j], w)
            dw += torch.einsum("nf,nckm->fckm", dout[:, :, i, j], x_pad[:, :, rows, columns])
    if pad:
        dx = dx[:, :, pad:-pad, pad:-pad]
    return dx, dw, dout.sum((0, 2, 3))


@variant(CNN + "Conv.backward")
def conv_backward_weight_by_weight(dout, cache):
    x_pad, w, stride, pad = cache
    dx, dw = torch.zeros_like(x_pad), torch.zeros_like(w)
    height, width = dout.shape[2:]
    for k in range(w.shape[2]):
        for m in range(w.shape[3]):
            rows = slice(k, k + stride * (height - 1) + 1, stride)
            columns = slice(m, m + stride * (width - 1) + 1, stride)
            dw[:, :, k, m] = torch.einsum("nfij,ncij->fc", dout, x_pad[:, :, rows, columns])
            dx[:, :, rows, columns] += torch.einsum("nfij,fc->ncij", dout, w[:, :, k, m])
    last_row, last_column = dx.shape[2] - pad, dx.shape[3] - pad
    return dx[:, :, pad:last_row, pad:last_column].clone(), dw, torch.einsum("nfij->f", dout)


@variant(CNN + "Conv.backward")
def conv_backward_by_index_add(dout, cache):
    x_pad, w, stride, pad = cache
    N, C, H, W = x_pad.shape
    kernel = tuple(w.shape[2:])
    places = torch.arange(H * W, device=dout.device, dtype=torch.float64).view(1, 1, H, W)
    places = functional.unfold(places, kernel, stride=stride)[0].long()
    patches = torch.einsum("nfl,fck->nckl", dout.flatten(2), w.flatten(2))
    dx = dout.new_zeros(N, C, H * W).index_add(2, places.flatten(), patches.flatten(2)).view(N, C, H, W)
    seen = x_pad.flatten(2)[:, :, places]
    dw = torch.einsum("nfl,nckl->fck", dout.flatten(2), seen).view(w.shape)
    return dx[:, :, pad : H - pad, pad : W - pad], dw, dout.transpose(0, 1).flatten(1).sum(1)


@variant(CNN + "MaxPool.forward")
def pool_all_channels_at_once(x, pool_param):
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    rows = range(0, x.shape[2] - height + 1, stride)
    columns = range(0, x.shape[3] - width + 1, stride)
    lines = [
        torch.stack([x[:, :, i : i + height, j : j + width].amax((2, 3)) for j in columns], dim=2)
        for i in rows
    ]
    return torch.stack(lines, dim=2), (x, height, width, stride)


@variant(CNN + "MaxPool.forward")
def pool_by_windows(x, pool_param):
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    windows = x.unfold(2, height, stride).unfold(3, width, stride)
    return windows.flatten(4).max(dim=4).values, (x, height, width, stride)


@variant(CNN + "MaxPool.forward")
def pool_from_minus_infinity(x, pool_param):
    height, width, stride = (pool_param[name] for name in ("pool_height", "pool_width", "stride"))
    below, right = (x.shape[2] - height) // stride, (x.shape[3] - width) // stride
    out = torch.full_like(x[:, :, : below + 1, : right + 1], float("-inf"))
    for k in range(height):
        for m in range(width):
            shifted = x[:, :, k : k + stride * below + 1 : stride, m : m + stride * right + 1 : stride]
            out = torch.maximum(out, shifted)
    return out, (x, height, width, stride)


@variant(CNN + "MaxPool.backward")
def pool_backward_unravelled(dout, cache):
    x, height, width, stride = cache
    dx = x.new_zeros(x.shape)
    for n in range(len(x)):
        for c in range(x.shape[1]):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    window = x[n, c, i * stride : i * stride + height, j * stride : j * stride + width]
                    row, column = torch.unravel_index(window.argmax(), window.shape)
                    dx[n, c, i * stride + row, j * stride + column] += dout[n, c, i, j]
    return dx


@variant(CNN + "MaxPool.backward")
def pool_backward_by_scatter(dout, cache):
    x, height, width, stride = cache
    N, C, H, W = x.shape
    winners = x.unfold(2, height, stride).unfold(3, width, stride).flatten(4).argmax(4)
    rows = stride * torch.arange(dout.shape[2], device=x.device)[:, None] + winners // width
    columns = stride * torch.arange(dout.shape[3], device=x.device) + winners % width
    places = (rows * W + columns).flatten(2)
    return x.new_zeros(N, C, H * W).scatter_add(2, places, dout.flatten(2)).view(x.shape)


@variant(CNN + "FastConv.forward")
def fast_conv_one_product(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    columns = functional.unfold(x, w.shape[2:], stride=stride, padding=pad)
    height = (x.shape[2] + 2 * pad - w.shape[2]) // stride + 1
    out = columns.transpose(1, 2).reshape(-1, w[0].numel()) @ w.reshape(len(w), -1).T + b
    out = out.view(len(x), height, -1, len(w)).permute(0, 3, 1, 2)
    return out, (columns, w, x.shape[2:], stride, pad)


@variant(CNN + "FastConv.forward")
def fast_conv_by_windows(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    windows = functional.pad(x, (pad,) * 4).unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)
    out = torch.tensordot(windows, w, dims=([1, 4, 5], [1, 2, 3])).permute(0, 3, 1, 2) + b[:, None, None]
    columns = windows.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)
    return out, (columns, w, x.shape[2:], stride, pad)


@variant(CNN + "FastConv.forward")
def fast_conv_einsum(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    columns = functional.unfold(x, w.shape[2:], stride=(stride, stride), padding=(pad, pad))
    out = torch.einsum("fk,nkl->nfl", w.flatten(1), columns) + b.unsqueeze(1)
    width = 1 + (x.shape[3] + 2 * pad - w.shape[3]) // stride
    return out.reshape(len(x), len(w), -1, width), (columns, w, x.shape[2:], stride, pad)


@variant(CNN + "FastConv.backward")
def fast_conv_backward_batched(dout, cache):
    columns, w, image, stride, pad = cache
    flat = dout.reshape(*dout.shape[:2], -1)
    dw = torch.einsum("nfl,nkl->fk", flat, columns).view(w.shape)
    patches = torch.einsum("fk,nfl->nkl", w.flatten(1), flat)
    return functional.fold(patches, image, w.shape[2:], stride=stride, padding=pad), dw, flat.sum((0, 2))


@variant(CNN + "FastConv.backward")
def fast_conv_backward_one_product(dout, cache):
    columns, w, image, stride, pad = cache
    flat = dout.permute(1, 0, 2, 3).reshape(len(w), -1)
    dw = (flat @ columns.permute(0, 2, 1).reshape(flat.shape[1], -1)).reshape(w.shape)
    patches = (w.reshape(len(w), -1).T @ flat).reshape(-1, len(dout), columns.shape[2]).transpose(0, 1)
    return functional.fold(patches, image, w.shape[2:], stride=stride, padding=pad), dw, flat.sum(1)


@variant(CNN + "FastConv.backward")
def fast_conv_backward_trimmed(dout, cache):
    columns, w, (height, width), stride, pad = cache
    frame = (height + 2 * pad, width + 2 * pad)
    dw = torch.tensordot(dout.flatten(2), columns, dims=([0, 2], [0, 2])).reshape(w.shape)
    dx = functional.fold(w.flatten(1).mT @ dout.flatten(2), frame, w.shape[2:], stride=stride)
    return dx[:, :, pad : pad + height, pad : pad + width], dw, dout.sum((0, 2, 3))


@variant(CNN + "FastMaxPool.forward")
def fast_pool_split(x, pool_param):
    window, stride = (pool_param["pool_height"], pool_param["pool_width"]), pool_param["stride"]
    windows = functional.unfold(x, window, stride=stride).unflatten(1, (x.shape[1], -1))
    out, winners = windows.max(dim=2)
    height = 1 + (x.shape[2] - window[0]) // stride
    return out.reshape(*x.shape[:2], height, -1), (winners.flatten(0, 1), x.shape, window, stride)


@variant(CNN + "FastMaxPool.forward")
def fast_pool_by_windows(x, pool_param):
    window, stride = (pool_param["pool_height"], pool_param["pool_width"]), pool_param["stride"]
    out, winners = x.unfold(2, window[0], stride).unfold(3, window[1], stride).flatten(4).max(dim=4)
    return out, (winners.flatten(2).flatten(0, 1), x.shape, window, stride)


@variant(CNN + "FastMaxPool.forward")
def fast_pool_by_gather(x, pool_param):
    window, stride = (pool_param["pool_height"], pool_param["pool_width"]), pool_param["stride"]
    windows = functional.unfold(x.flatten(0, 1)[:, None], window, stride=stride)
    winners = windows.argmax(dim=1, keepdim=True)
    width = 1 + (x.shape[3] - window[1]) // stride
    out = windows.gather(1, winners).reshape(*x.shape[:2], -1, width)
    return out, (winners[:, 0], x.shape, window, stride)


@variant(CNN + "FastMaxPool.backward")
def fast_pool_backward_one_hot(dout, cache):
    winners, shape, window, stride = cache
    won = functional.one_hot(winners, window[0] * window[1]).to(dout.dtype).transpose(1, 2)
    patches = won * dout.reshape(len(winners), 1, -1)
    return functional.fold(patches, shape[2:], window, stride=stride).view(shape)


@variant(CNN + "FastMaxPool.backward")
def fast_pool_backward_scatter_add(dout, cache):
    winners, (N, C, H, W), window, stride = cache
    height, width = dout.shape[2:]
    rows = stride * torch.arange(height, device=dout.device)[:, None]
    columns = stride * torch.arange(width, device=dout.device)
    rows = rows + winners.view(N, C, height, width) // window[1]
    columns = columns + winners.view(N, C, height, width) % window[1]
    places = (rows * W + columns).flatten(2)
    return dout.new_zeros(N, C, H * W).scatter_add(2, places, dout.flatten(2)).view(N, C, H, W)


@variant(CNN + "FastMaxPool.backward")
def fast_pool_backward_by_comparison(dout, cache):
    winners, shape, window, stride = cache
    places = torch.arange(window[0] * window[1], device=dout.device)[:, None]
    patches = torch.where(winners[:, None] == places, dout.reshape(len(winners), 1, -1), 0.0)
    return functional.fold(patches, shape[2:], window, stride=stride).reshape(shape)


# Normalisation
def _settings(bn_param):
    return bn_param["mode"] == "train", bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)


def _old(bn_param, gamma):
    return [bn_param.get(name, torch.zeros_like(gamma)) for name in ("running_mean", "running_var")]


@variant(CNN + "BatchNorm.forward")
def batch_norm_by_rsqrt(x, gamma, beta, bn_param):
    training, eps, momentum = _settings(bn_param)
    mean, var = _old(bn_param, gamma)
    if training:
        own_mean, own_var = x.mean(0), (x - x.mean(0)).square().mean(0)
        bn_param["running_mean"] = mean + (1 - momentum) * (own_mean - mean)
        bn_param["running_var"] = var + (1 - momentum) * (own_var - var)
        mean, var = own_mean, own_var
    scale = torch.rsqrt(var + eps)
    x_hat = (x - mean) * scale
    return torch.addcmul(beta, gamma, x_hat), (x_hat, 1 / scale, gamma, "train" if training else "test")


@variant(CNN + "BatchNorm.forward")
def batch_norm_as_a_line(x, gamma, beta, bn_param):
    training, eps, momentum = _settings(bn_param)
    mean, var = _old(bn_param, gamma)
    if training:
        own_var, own_mean = torch.var_mean(x, 0, correction=0)
        bn_param.update(running_mean=momentum * mean + (1 - momentum) * own_mean)
        bn_param.update(running_var=momentum * var + (1 - momentum) * own_var)
        mean, var = own_mean, own_var
    std = torch.sqrt(var + eps)
    slope = gamma / std
    cache = (x - mean) / std, std, gamma, bn_param["mode"]
    return slope * x + (beta - slope * mean), cache


@variant(CNN + "BatchNorm.forward")
def batch_norm_of_columns(x, gamma, beta, bn_param):
    training, eps, momentum = _settings(bn_param)
    means, variances = _old(bn_param, gamma)
    if training:
        columns = list(x.unbind(1))
        own_mean = torch.stack([column.sum() / len(column) for column in columns])
        own_var = torch.stack([column.square().mean() - column.mean() ** 2 for column in columns])
        for name, old, own in (("running_mean", means, own_mean), ("running_var", variances, own_var)):
            bn_param[name] = momentum * old + (1 - momentum) * own
        means, variances = own_mean, own_var
    std = (variances + eps) ** 0.5
    x_hat = (x - means) / std
    return x_hat * gamma + beta, (x_hat, std, gamma, bn_param["mode"])


@variant(CNN + "BatchNorm.backward")
def batch_norm_backward_by_matrix(dout, cache):
    x_hat, std, gamma, mode = cache
    N = len(dout)
    dgamma, dbeta = torch.einsum("nd,nd->d", dout, x_hat), torch.ones_like(dout[:, 0]) @ dout
    if mode == "test":
        return dout * (gamma / std), dgamma, dbeta
    jacobian = torch.eye(N, dtype=dout.dtype, device=dout.device)[..., None] - 1 / N
    jacobian = jacobian - x_hat[:, None] * x_hat[None] / N
    return torch.einsum("nmd,md->nd", jacobian, dout * gamma / std), dgamma, dbeta


@variant(CNN + "BatchNorm.backward_alt")
def alt_by_matrix(dout, cache):
    x_hat, std, gamma, mode = cache
    N = len(dout)
    dgamma, dbeta = torch.einsum("nd,nd->d", dout, x_hat), torch.ones_like(dout[:, 0]) @ dout
    if mode == "test":
        return dout * (gamma / std), dgamma, dbeta
    jacobian = torch.eye(N, dtype=dout.dtype, device=dout.device)[..., None] - 1 / N
    jacobian = jacobian - x_hat[:, None] * x_hat[None] / N
    return torch.einsum("nmd,md->nd", jacobian, dout * gamma / std), dgamma, dbeta


@variant(CNN + "BatchNorm.backward")
def batch_norm_backward_in_three_terms(dout, cache):
    x_hat, std, gamma, mode = cache
    dbeta, dgamma = dout.sum(0), torch.sum(dout * x_hat, 0)
    dx_hat = gamma * dout
    if mode == "train":
        dx_hat = len(dout) * dx_hat - dx_hat.sum(0) - x_hat * (dx_hat * x_hat).sum(0)
        return dx_hat / std / len(dout), dgamma, dbeta
    return dx_hat / std, dgamma, dbeta


@variant(CNN + "BatchNorm.backward_alt")
def alt_in_three_terms(dout, cache):
    x_hat, std, gamma, mode = cache
    dbeta, dgamma = dout.sum(0), torch.sum(dout * x_hat, 0)
    dx_hat = gamma * dout
    if mode == "train":
        dx_hat = len(dout) * dx_hat - dx_hat.sum(0) - x_hat * (dx_hat * x_hat).sum(0)
        return dx_hat / std / len(dout), dgamma, dbeta
    return dx_hat / std, dgamma, dbeta


@variant(CNN + "BatchNorm.backward")
def batch_norm_backward_through_the_mean_first(dout, cache):
    x_hat, std, gamma, mode = cache
    weighted = dout * (gamma / std)
    dx = weighted.clone()
    if mode == "train":
        dx = dx - weighted.mean(0, keepdim=True)
        dx = dx - x_hat * torch.mean(weighted * x_hat, 0, keepdim=True)
    return dx, (x_hat * dout).sum(dim=0), dout.sum(dim=0)


@variant(CNN + "BatchNorm.backward_alt")
def alt_through_the_mean_first(dout, cache):
    x_hat, std, gamma, mode = cache
    weighted = dout * (gamma / std)
    dx = weighted.clone()
    if mode == "train":
        dx = dx - weighted.mean(0, keepdim=True)
        dx = dx - x_hat * torch.mean(weighted * x_hat, 0, keepdim=True)
    return dx, (x_hat * dout).sum(dim=0), dout.sum(dim=0)


@variant(CNN + "SpatialBatchNorm.forward")
def spatial_by_axes(x, gamma, beta, bn_param):
    training, eps, momentum = _settings(bn_param)
    mean, var = _old(bn_param, gamma)
    if training:
        own_mean, own_var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        bn_param["running_mean"] = momentum * mean + (1 - momentum) * own_mean
        bn_param["running_var"] = momentum * var + (1 - momentum) * own_var
        mean, var = own_mean, own_var
    std = (var + eps).sqrt()
    x_hat = (x - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)
    out = gamma.view(1, -1, 1, 1) * x_hat + beta.view(1, -1, 1, 1)
    return out, (x_hat.movedim(1, -1).flatten(0, 2), std, gamma, bn_param["mode"])


@variant(CNN + "SpatialBatchNorm.backward")
def spatial_backward_by_graph(dout, cache):
    rows = dout.movedim(1, -1)
    dx, dgamma, dbeta = nets.BatchNorm.backward(rows.flatten(0, 2), cache)
    return dx.view(rows.shape).movedim(-1, 1), dgamma, dbeta


@variant(CNN + "LayerNorm.forward")
def layer_norm_by_transposing(x, gamma, beta, ln_param):
    columns = x.T
    std = (columns.var(0, correction=0) + ln_param.get("eps", 1e-5)).sqrt()
    x_hat = ((columns - columns.mean(0)) / std).T
    return x_hat * gamma + beta, (x_hat, std[:, None], gamma)


@variant(CNN + "LayerNorm.forward")
def layer_norm_row_by_row(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    std = torch.stack([((row - row.mean()).square().mean() + eps).sqrt() for row in x])[:, None]
    x_hat = torch.stack([row - row.mean() for row in x]) / std
    return torch.addcmul(beta, x_hat, gamma), (x_hat, std, gamma)


@variant(CNN + "LayerNorm.backward")
def layer_norm_backward_by_graph(dout, cache):
    x_hat, std, gamma = cache
    dx_hat, centred, D = dout * gamma, x_hat * std, dout.shape[1]
    dvar = -(dx_hat * centred).sum(1, keepdim=True) / (2 * std**3)
    dcentred = dx_hat / std + 2 * centred * dvar / D
    return dcentred - dcentred.mean(1, keepdim=True), torch.einsum("nd,nd->d", dout, x_hat), dout.sum(0)


@variant(CNN + "LayerNorm.backward")
def layer_norm_backward_times_D(dout, cache):
    x_hat, std, gamma = cache
    D, weighted = dout.shape[1], dout * gamma
    dx = D * weighted - weighted.sum(-1, keepdim=True) - x_hat * (weighted * x_hat).sum(-1, keepdim=True)
    return dx / (D * std), (dout * x_hat).sum(0), dout.sum(0)


@variant(CNN + "GroupNorm.forward")
def group_norm_with_five_axes(x, gamma, beta, G, gn_param):
    N, C, H, W = x.shape
    if C % G != 0:
        raise ValueError("C is no multiple of G")
    groups = x.reshape(N, G, C // G, H, W)
    var, mean = torch.var_mean(groups, (2, 3, 4), correction=0, keepdim=True)
    std = (var + gn_param.get("eps", 1e-5)).sqrt()
    x_hat = ((groups - mean) / std).reshape(N, C, H, W)
    rows = x_hat.reshape(N * G, -1), std.reshape(-1, 1), torch.ones_like(x_hat.reshape(N * G, -1)[0])
    return x_hat * gamma + beta, (x_hat, gamma, G, rows)


@variant(CNN + "GroupNorm.forward")
def group_norm_group_by_group(x, gamma, beta, G, gn_param):
    if x.shape[1] % G:
        raise ValueError("channels do not divide")
    eps, parts, stds = gn_param.get("eps", 1e-5), [], []
    for part in x.chunk(G, dim=1):
        std = (part.var((1, 2, 3), correction=0, keepdim=True) + eps).sqrt()
        parts.append((part - part.mean((1, 2, 3), keepdim=True)) / std)
        stds.append(std.flatten())
    x_hat, std = torch.cat(parts, 1), torch.stack(stds, 1).reshape(-1, 1)
    rows = x_hat.reshape(len(x) * G, -1)
    return gamma * x_hat + beta, (x_hat, gamma, G, (rows, std, torch.ones_like(rows[0])))


@variant(CNN + "GroupNorm.backward")
def group_norm_backward_by_axes(dout, cache):
    x_hat, gamma, G, (_, std, _) = cache
    split = (len(dout), G, -1)
    dgroups, groups = (dout * gamma).reshape(split), x_hat.reshape(split)
    dx = dgroups - dgroups.mean(2, keepdim=True) - groups * (dgroups * groups).mean(2, keepdim=True)
    dgamma = torch.einsum("nchw,nchw->c", dout, x_hat).reshape(gamma.shape)
    return (dx / std.reshape(split)).reshape(dout.shape), dgamma, dout.sum_to_size(gamma.shape)


@variant(CNN + "InstanceNorm.forward")
def instance_norm_by_axes(x, gamma, beta, in_param):
    var, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    std = (var + in_param.get("eps", 1e-5)).sqrt()
    x_hat = (x - mean) / std
    rows = x_hat.reshape(-1, x[0, 0].numel())
    return gamma * x_hat + beta, (
        x_hat,
        gamma,
        x.shape[1],
        (rows, std.reshape(-1, 1), torch.ones_like(rows[0])),
    )


@variant(CNN + "InstanceNorm.backward")
def instance_norm_backward_by_axes(dout, cache):
    x_hat, gamma, C, (_, std, _) = cache
    weighted = dout * gamma / std.reshape(-1, C, 1, 1)
    dx = weighted - weighted.mean((2, 3), keepdim=True)
    dx = dx - x_hat * (weighted * x_hat).mean((2, 3), keepdim=True)
    return dx, (dout * x_hat).sum_to_size(gamma.shape), dout.sum_to_size(gamma.shape)


@variant(CNN + "NormalizedNet.loss")
def normalized_loss_by_steps(self, X, y=None):
    params, out, back = self.params, X.to(self.dtype), []
    mode = "test" if y is None else "train"
    norm = {"batch": nets.BatchNorm, "layer": nets.LayerNorm}.get(self.normalization)

    def step(layer, names, *inputs):
        out, cache = layer.forward(*inputs)
        back.append((layer, names, cache))
        return out

    for number in range(1, self.num_layers):
        names = [f"W{number}", f"b{number}"]
        out = step(nets.Linear, names, out, *(params[name] for name in names))
        if norm:
            names = [f"gamma{number}", f"beta{number}"]
            self.norm_params[number - 1]["mode"] = mode
            out = step(norm, names, out, *(params[name] for name in names), self.norm_params[number - 1])
        out = step(self.activation, [], out)
        out = step(nets.Dropout, [], out, {"p": self.dropout, "mode": mode, "seed": self.seed})
    names = [f"W{self.num_layers}", f"b{self.num_layers}"]
    out = step(nets.Linear, names, out, *(params[name] for name in names))
    if y is None:
        return out
    loss, dout = nets.softmax_loss(out, y)
    grads = {}
    for layer, names, cache in reversed(back):
        found = layer.backward(dout, cache)
        dout, *slopes = found if names else [found]
        grads |= dict(zip(names, slopes, strict=True))
    for name in [name for name in params if name.startswith("W")]:
        loss = loss + self.reg * (params[name] ** 2).sum()
        grads[name] = grads[name] + 2 * self.reg * params[name]
    return loss, grads


# Networks
@variant(CNN + "kaiming_initializer")
def kaiming_in_place(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)
    fan_in = Din if K is None else Din * K * K
    return torch.empty(shape, dtype=dtype, device=device).normal_(0, math.sqrt((1 + relu) / fan_in))


@variant(CNN + "kaiming_initializer")
def kaiming_by_reference(Din, Dout, K=None, relu=True, device="cpu", dtype=torch.float32):
    if K is None:
        weights = torch.randn((Din, Dout), dtype=dtype, device=device) / Din**0.5
    else:
        weights = torch.randn((Dout, Din, K, K), dtype=dtype, device=device) / (K * Din**0.5)
    return weights * 2**0.5 if relu else weights


@variant(CNN + "ThreeLayerConvNet.__init__")
def three_line_by_line(
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
    C, H, W = input_dims
    options = {"dtype": dtype, "device": device}
    after_pool = ((H - H % 2) // 2) * ((W - W % 2) // 2)
    self.params = {"b1": torch.zeros(num_filters, **options), "b2": torch.zeros(hidden_dim, **options)}
    self.params["b3"] = torch.zeros(num_classes, **options)
    self.params["W3"] = torch.randn(hidden_dim, num_classes, **options) * weight_scale
    self.params["W2"] = torch.randn(num_filters * after_pool, hidden_dim, **options) * weight_scale
    self.params["W1"] = torch.randn(num_filters, C, filter_size, filter_size, **options) * weight_scale


@variant(CNN + "ThreeLayerConvNet.__init__")
def three_by_output_size(
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
    self.reg, self.dtype, self.params = reg, dtype, {}
    channels, *sides = input_dims
    numbers = num_filters * math.prod(nets.output_size(side, 2, 2) for side in sides)
    filters = (num_filters, channels, filter_size, filter_size)
    for name, shape in (("1", filters), ("2", (numbers, hidden_dim)), ("3", (hidden_dim, num_classes))):
        weights = torch.normal(0.0, weight_scale, shape, dtype=dtype, device=device)
        self.params["W" + name] = weights
        self.params["b" + name] = weights.new_zeros(num_filters if name == "1" else shape[1])


@variant(CNN + "ThreeLayerConvNet.loss")
def three_layer_by_layer(self, X, y=None):
    p, X = self.params, X.to(self.dtype)
    param = {"stride": 1, "pad": (p["W1"].shape[-1] - 1) // 2}
    maps, conv = nets.FastConv.forward(X, p["W1"], p["b1"], param)
    pooled, pool = nets.FastMaxPool.forward(maps.clamp(min=0), nets.HALVE)
    hidden = (pooled.flatten(1) @ p["W2"] + p["b2"]).clamp(min=0)
    scores = hidden @ p["W3"] + p["b3"]
    if y is None:
        return scores
    loss, dscores = softmax_loss(scores, y)
    dhidden = dscores @ p["W3"].T * (hidden > 0)
    dpooled = (dhidden @ p["W2"].T).reshape(pooled.shape)
    _, dW1, db1 = nets.FastConv.backward(nets.FastMaxPool.backward(dpooled, pool) * (maps > 0), conv)
    grads = {
        "W1": dW1 + 2 * self.reg * p["W1"],
        "b1": db1,
        "W2": pooled.flatten(1).T @ dhidden + 2 * self.reg * p["W2"],
        "b2": dhidden.sum(0),
        "W3": hidden.T @ dscores + 2 * self.reg * p["W3"],
        "b3": dscores.sum(0),
    }
    return loss + self.reg * sum((p[name] ** 2).sum() for name in ("W1", "W2", "W3")), grads


@variant(CNN + "ThreeLayerConvNet.loss")
def three_with_slow_layers(self, X, y=None):
    p, X = self.params, X.to(self.dtype)
    param = {"stride": 1, "pad": p["W1"].shape[2] // 2}
    out, conv = nets.Conv.forward(X, p["W1"], p["b1"], param)
    out, relu = ReLU.forward(out)
    out, pool = nets.MaxPool.forward(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
    out, hidden = Linear_ReLU.forward(out, p["W2"], p["b2"])
    out, linear = Linear.forward(out, p["W3"], p["b3"])
    if y is None:
        return out
    loss, dout = softmax_loss(out, y)
    dout, dW3, db3 = Linear.backward(dout, linear)
    dout, dW2, db2 = Linear_ReLU.backward(dout, hidden)
    dout = ReLU.backward(nets.MaxPool.backward(dout, pool), relu)
    _, dW1, db1 = nets.Conv.backward(dout, conv)
    grads = {"W1": dW1, "W2": dW2, "W3": dW3}
    grads = {name: grad + 2 * self.reg * p[name] for name, grad in grads.items()}
    penalty = self.reg * (p["W1"].square().sum() + p["W2"].square().sum() + p["W3"].square().sum())
    return loss + penalty, {**grads, "b1": db1, "b2": db2, "b3": db3}


@variant(CNN + "DeepConvNet.__init__")
def deep_layer_by_layer(
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
    self.num_layers, self.reg, self.dtype = len(num_filters) + 1, reg, dtype
    self.max_pools, self.batchnorm = sorted(max_pools), batchnorm
    self.mean = torch.zeros(input_dims[0], 1, 1, dtype=dtype, device=device)
    self.bn_params = [{} for _ in num_filters] if batchnorm else []
    self.params, options = {}, {"dtype": dtype, "device": device}
    channels, height, width = input_dims
    for place, count in enumerate(num_filters):
        layer = place + 1
        self.params[f"b{layer}"] = torch.zeros(count, **options)
        if weight_initializer is not None:
            weights = weight_initializer(channels, count, K=3, relu=True, **options)
        elif weight_scale == "kaiming":
            weights = nets.kaiming_initializer(channels, count, 3, **options)
        else:
            weights = torch.randn(count, channels, 3, 3, **options) * weight_scale
        self.params[f"W{layer}"], channels = weights, count
        if place in max_pools:
            height, width = height // 2, width // 2
        if batchnorm:
            self.params |= {
                f"gamma{layer}": weights.new_ones(count),
                f"beta{layer}": weights.new_zeros(count),
            }
    rows, last = channels * height * width, self.num_layers
    scale = rows**-0.5 if weight_scale == "kaiming" else weight_scale
    if weight_initializer is None:
        self.params[f"W{last}"] = scale * torch.randn(rows, num_classes, **options)
    else:
        self.params[f"W{last}"] = weight_initializer(rows, num_classes, relu=False, **options)
    self.params[f"b{last}"] = torch.zeros(num_classes, **options)


@variant(CNN + "DeepConvNet.__init__")
def deep_by_output_size(
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
    deep_layer_by_layer.function(self, input_dims, num_filters, max_pools, *settings)
    sides = list(input_dims[1:])
    for _ in self.max_pools:
        sides = [nets.output_size(side, 2, 2) for side in sides]
    name, rows = f"W{self.num_layers}", num_filters[-1] * math.prod(sides)
    draw = weight_initializer or partial(nets.initial_weights, weight_scale=weight_scale)
    self.params[name] = draw(rows, num_classes, None, False, device, dtype)


@variant(CNN + "DeepConvNet.loss")
def deep_with_a_stack(self, X, y=None):
    out, way_back = X.to(self.dtype) - self.mean, []
    for bn_param in self.bn_params:
        bn_param["mode"] = "train" if y is not None else "test"

    def step(layer, names, *inputs):
        out, cache = layer.forward(*inputs)
        way_back.append((layer, names, cache))
        return out

    for layer in range(1, self.num_layers):
        names = [f"W{layer}", f"b{layer}"]
        param = {"stride": 1, "pad": 1}
        out = step(nets.FastConv, names, out, *[self.params[name] for name in names], param)
        if self.batchnorm:
            names = [f"gamma{layer}", f"beta{layer}"]
            inputs = [self.params[name] for name in names]
            out = step(nets.SpatialBatchNorm, names, out, *inputs, self.bn_params[layer - 1])
        out = step(ReLU, [], out)
        if layer - 1 in self.max_pools:
            out = step(nets.FastMaxPool, [], out, {"pool_height": 2, "pool_width": 2, "stride": 2})
    names = [f"W{self.num_layers}", f"b{self.num_layers}"]
    out = step(Linear, names, out, *[self.params[name] for name in names])
    if y is None:
        return out
    loss, dout = softmax_loss(out, y)
    grads = {}
    while way_back:
        layer, names, cache = way_back.pop()
        found = layer.backward(dout, cache)
        dout, rest = (found[0], found[1:]) if names else (found, ())
        grads.update(zip(names, rest, strict=True))
    for name, p in self.params.items():
        if p.dim() > 1:
            loss = loss + self.reg * (p * p).sum()
            grads[name] = grads[name] + self.reg * 2 * p
    return loss, grads


@variant(CNN + "find_overfit_parameters")
def overfit_by_kaiming():
    return (2 / (9 * 8)) ** 0.5, 3e-3


@variant(CNN + "find_overfit_parameters")
def overfit_larger():
    return 0.3, 1e-2


@variant(CNN + "create_convolutional_solver_instance")
def momentum_solver(data_dict, dtype=torch.float32, device="cpu"):
    model = nets.DeepConvNet((3, 32, 32), [8, 8], [0, 1], weight_scale="kaiming", dtype=dtype, device=device)
    return Solver(
        model,
        data_dict,
        update_rule=update_rules.sgd_momentum,
        optim_config={"learning_rate": 1e-2},
        device=device,
    )
