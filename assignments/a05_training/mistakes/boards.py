"""How people get `training.boards` wrong, and the hint each mistake deserves."""

from exercise_code.support.checking.declare import mistake

COUNT = "training.boards.count_parameters"
SCALARS = "training.boards.log_scalars"
HISTOGRAMS = "training.boards.log_histograms"
IMAGES = "training.boards.log_images"


@mistake(COUNT, hint="These are numbers of tensors: count their entries, `numel()`.")
def tensors(model):
    trained = [param.requires_grad for param in model.parameters()]
    return sum(trained), len(trained)


@mistake(COUNT, hint="Frozen parameters count as trained: the first number needs `requires_grad`.")
def frozen_trained(model):
    total = sum(param.numel() for param in model.parameters())
    return total, total


@mistake(COUNT, hint="The first number is that of frozen parameters: trained ones require a gradient.")
def frozen_first(model):
    return (
        sum(param.numel() for param in model.parameters() if not param.requires_grad),
        sum(param.numel() for param in model.parameters()),
    )


@mistake(COUNT, hint="This is one number, of those that are trained: return a pair, trained ones and all.")
def trained_alone(model):
    return sum(param.numel() for param in model.parameters() if param.requires_grad)


@mistake(COUNT, hint="Both numbers are there in the wrong order: trained ones come first.")
def the_other_way_round(model):
    return (
        sum(param.numel() for param in model.parameters()),
        sum(param.numel() for param in model.parameters() if param.requires_grad),
    )


@mistake(COUNT, hint="Buffers count as well: running means are not parameters.")
def buffers_too(model):
    return (
        sum(param.numel() for param in model.parameters() if param.requires_grad),
        sum(value.numel() for value in [*model.parameters(), *model.buffers()]),
    )


@mistake(COUNT, hint="A parameter that lies in two places counts twice: `state_dict` names each place.")
def shared_twice(model):
    values = [param for _, param in model.named_parameters(remove_duplicate=False)]
    return (
        sum(param.numel() for param in values if param.requires_grad),
        sum(param.numel() for param in values),
    )


@mistake(COUNT, hint="Biases are left out: they are parameters too.")
def weights_alone(model):
    weights = [param for name, param in model.named_parameters() if not name.endswith("bias")]
    return (
        sum(param.numel() for param in weights if param.requires_grad),
        sum(param.numel() for param in weights),
    )


@mistake(SCALARS, hint="No step is given, so all values lie at one place of the axis.")
def no_step(writer, scalars, step):
    for tag, value in scalars.items():
        writer.add_scalar(tag, value)


@mistake(SCALARS, hint="The step is counted within the mapping: all its numbers belong to one step.")
def steps_counted(writer, scalars, step):
    for place, (tag, value) in enumerate(scalars.items()):
        writer.add_scalar(tag, value, step + place)


@mistake(SCALARS, hint="`add_scalars` makes a run of its own of each number: write each by `add_scalar`.")
def all_at_once(writer, scalars, step):
    writer.add_scalars("scalars", scalars, step)


@mistake(SCALARS, hint="All numbers stand under one tag, where they make one jagged line.")
def one_tag(writer, scalars, step):
    for value in scalars.values():
        writer.add_scalar("scalars", value, step)


@mistake(SCALARS, hint="Value and step have changed places: the order is tag, value, step.")
def places_changed(writer, scalars, step):
    for tag, value in scalars.items():
        writer.add_scalar(tag, step, value)


@mistake(SCALARS, hint="The tags are sorted: write them in the order of the mapping.")
def tags_sorted(writer, scalars, step):
    for tag in sorted(scalars):
        writer.add_scalar(tag, scalars[tag], step)


@mistake(SCALARS, hint="Only the first number is written: take all of the mapping.")
def the_first_alone(writer, scalars, step):
    for tag, value in [*scalars.items()][:1]:
        writer.add_scalar(tag, value, step)


@mistake(SCALARS, hint="The tag is cut at its slash: TensorBoard groups by what stands before it.")
def tags_cut(writer, scalars, step):
    for tag, value in scalars.items():
        writer.add_scalar(tag.split("/")[-1], value, step)


def _log(writer, model, step, weights="weights/", gradients="gradients/", choose=lambda name, param: True):
    """`log_histograms` with something else in one place."""
    for name, param in model.named_parameters():
        if choose(name, param):
            writer.add_histogram(weights + name, param, step)
            if param.grad is not None:
                writer.add_histogram(gradients + name, param.grad, step)


@mistake(HISTOGRAMS, hint="No step is given, so all histograms lie at one place of the axis.")
def histograms_without_step(writer, model, step):
    _log(writer, model, None)


@mistake(HISTOGRAMS, hint="The gradients are missing: they have histograms of their own.")
def no_gradients(writer, model, step):
    for name, param in model.named_parameters():
        writer.add_histogram(f"weights/{name}", param, step)


@mistake(
    HISTOGRAMS,
    hint="Parameters without a gradient are skipped altogether: their weights are asked for too.",
)
def without_gradient_skipped(writer, model, step):
    _log(writer, model, step, choose=lambda name, param: param.grad is not None)


@mistake(HISTOGRAMS, hint="Where there is no gradient, zeros are written: write nothing there.")
def zeros_for_none(writer, model, step):
    for name, param in model.named_parameters():
        writer.add_histogram(f"weights/{name}", param, step)
        writer.add_histogram(f"gradients/{name}", param * 0 if param.grad is None else param.grad, step)


@mistake(HISTOGRAMS, hint="The weights stand under both tags: a gradient is `param.grad`.")
def weights_twice(writer, model, step):
    for name, param in model.named_parameters():
        writer.add_histogram(f"weights/{name}", param, step)
        if param.grad is not None:
            writer.add_histogram(f"gradients/{name}", param, step)


@mistake(HISTOGRAMS, hint="Weights and gradients share a tag, so one hides the other.")
def one_tag_for_both(writer, model, step):
    _log(writer, model, step, gradients="weights/")


@mistake(HISTOGRAMS, hint="Biases are left out: all parameters were asked for.")
def no_biases(writer, model, step):
    _log(writer, model, step, choose=lambda name, param: not name.endswith("bias"))


@mistake(
    HISTOGRAMS, hint="The tags lack `weights/` and `gradients/`, or have other words: the docstring has them."
)
def other_tags(writer, model, step):
    _log(writer, model, step, weights="", gradients="grad/")


@mistake(IMAGES, hint="Channels are still last: the writer takes every row of pixels for a channel.")
def channels_last(writer, tag, images, step):
    writer.add_images(tag, images, step)


@mistake(IMAGES, hint="`reshape` only counts the numbers anew: swap axes by `permute`, or pictures are torn.")
def reshaped(writer, tag, images, step):
    n, h, w, c = images.shape
    writer.add_images(tag, images.reshape(n, c, h, w), step)


@mistake(IMAGES, hint="Height and width have changed places: the pictures lie on their side.")
def on_their_side(writer, tag, images, step):
    writer.add_images(tag, images.permute(0, 3, 2, 1), step)


@mistake(
    IMAGES, hint="The pixels are multiplied by 255: the writer does so with floats itself, and white remains."
)
def bytes_twice(writer, tag, images, step):
    writer.add_images(tag, images.permute(0, 3, 1, 2) * 255, step)


@mistake(IMAGES, hint="Pictures have no step, so that each batch takes the place of the last one.")
def images_without_step(writer, tag, images, step):
    writer.add_images(tag, images.permute(0, 3, 1, 2))


@mistake(IMAGES, hint="Only the first picture is written: `add_images` takes the whole batch.")
def the_first_image(writer, tag, images, step):
    writer.add_images(tag, images[:1].permute(0, 3, 1, 2), step)


@mistake(
    IMAGES, hint="Each picture has its own call of `add_image`: one call of `add_images` takes the batch."
)
def one_by_one(writer, tag, images, step):
    for place, image in enumerate(images.permute(0, 3, 1, 2)):
        writer.add_image(f"{tag}/{place}", image, step)


@mistake(IMAGES, hint="Colours are turned round, blue first: leave the channels in their order.")
def blue_first(writer, tag, images, step):
    writer.add_images(tag, images.permute(0, 3, 1, 2).flip(1), step)
