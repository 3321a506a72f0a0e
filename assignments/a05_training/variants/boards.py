"""Right versions of `training.boards`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant

BOARDS = "training.boards."


@variant(BOARDS + "count_parameters")
def in_one_loop(model):
    trained = total = 0
    for param in model.parameters():
        total += param.numel()
        if param.requires_grad:
            trained += param.numel()
    return trained, total


@variant(BOARDS + "count_parameters")
def by_shapes(model):
    found = dict(model.named_parameters()).values()
    numbers = [torch.Size(param.shape).numel() for param in found]
    return sum(num * param.requires_grad for num, param in zip(numbers, found, strict=True)), sum(numbers)


@variant(BOARDS + "log_scalars")
def by_name(writer, scalars, step):
    for tag in scalars:
        writer.add_scalar(tag=tag, scalar_value=scalars[tag], global_step=step)


@variant(BOARDS + "log_scalars")
def as_a_list(writer, scalars, step):
    [writer.add_scalar(*pair, global_step=step) for pair in scalars.items()]


@variant(BOARDS + "log_histograms")
def weights_then_gradients(writer, model, step):
    params = dict(model.named_parameters())
    for name, param in params.items():
        writer.add_histogram("weights/" + name, param.detach().flatten().view_as(param), global_step=step)
    for name, grad in {name: param.grad for name, param in params.items()}.items():
        if grad is not None:
            writer.add_histogram("gradients/" + name, grad, global_step=step)


@variant(BOARDS + "log_histograms")
def by_data(writer, model, step):
    for name, param in model.named_parameters():
        for kind, values in (("weights", param.data), ("gradients", param.grad)):
            if values is not None:
                writer.add_histogram(tag=f"{kind}/{name}", values=values.clone(), global_step=step)


@variant(BOARDS + "log_images")
def by_data_formats(writer, tag, images, step):
    writer.add_images(tag, images, step, dataformats="NHWC")


@variant(BOARDS + "log_images")
def by_movedim(writer, tag, images, step):
    writer.add_images(tag, torch.stack([image.movedim(-1, 0) for image in images]), global_step=step)
