"""How people get `training.hooks` wrong, and the hint each mistake deserves."""

from functools import partial

from exercise_code.support.checking.declare import mistake

FEATURE = "training.hooks.register_feature_hook"
NORMS = "training.hooks.record_gradient_norms"


def _feature(model, name, store):
    """A forward hook that hands the dict, the name, what came in and what went out to `store`."""
    features = {}

    def hook(module, args, output):
        store(features, name, args[0], output)

    return features, model.get_submodule(name).register_forward_hook(hook)


@mistake(
    FEATURE, hint="The output still has its graph, which stays in memory as long as you keep it: detach it."
)
def with_the_graph(model, name):
    return _feature(model, name, lambda kept, key, x, out: kept.update({key: out}))


@mistake(FEATURE, hint="You keep what goes into the layer: the output is the last argument of the hook.")
def the_input(model, name):
    return _feature(model, name, lambda kept, key, x, out: kept.update({key: x.detach()}))


@mistake(FEATURE, hint="You keep the first pass for ever: each pass replaces what the last one has left.")
def the_first_pass(model, name):
    return _feature(model, name, lambda kept, key, x, out: kept.setdefault(key, out.detach()))


@mistake(
    FEATURE, hint="The key is the class of the layer: two layers of one class would overwrite each other."
)
def by_class(model, name):
    key = type(model.get_submodule(name)).__name__
    return _feature(model, name, lambda kept, _, x, out: kept.update({key: out.detach()}))


@mistake(FEATURE, hint="The key is the last part of the name only: use the whole name that was given.")
def by_last_part(model, name):
    key = name.rpartition(".")[2]
    return _feature(model, name, lambda kept, _, x, out: kept.update({key: out.detach()}))


@mistake(
    FEATURE,
    hint="Outputs of all passes are kept in a list: memory fills up. Keep the last one alone.",
    raises=AttributeError,
)
def all_passes(model, name):
    return _feature(model, name, lambda kept, key, x, out: kept.setdefault(key, []).append(out.detach()))


@mistake(
    FEATURE,
    hint="No gradient comes through the layer: detach a copy, not the output itself, and return nothing.",
    raises=RuntimeError,
)
def output_replaced(model, name):
    features = {}

    def hook(module, args, output):
        features[name] = output.detach()
        return features[name]

    return features, model.get_submodule(name).register_forward_hook(hook)


@mistake(FEATURE, hint="Every layer has a hook: register it on the submodule of that name alone.")
def every_layer(model, name):
    features, handle = _feature(model, name, lambda kept, key, x, out: kept.update({key: out.detach()}))
    for each, module in model.named_modules():
        if each != name:
            module.register_forward_hook(
                lambda module, args, output, each=each: features.update({each: output.detach()})
            )
    return features, handle


@mistake(
    FEATURE,
    hint="`getattr` takes no dots: `model.get_submodule(name)` walks down a nested name.",
    raises=AttributeError,
)
def no_nested_names(model, name):
    features = {}

    def hook(module, args, output):
        features[name] = output.detach()

    return features, getattr(model, name).register_forward_hook(hook)


@mistake(FEATURE, hint="The handle comes first, but the dict was asked for first.", raises=TypeError)
def the_other_way_round(model, name):
    return _feature(model, name, lambda kept, key, x, out: kept.update({key: out.detach()}))[::-1]


@mistake(FEATURE, hint="This is a backward hook: it sees gradients. Outputs are seen by a forward hook.")
def gradients_kept(model, name):
    features = {}

    def hook(module, grad_input, grad_output):
        features[name] = grad_output[0].detach()

    return features, model.get_submodule(name).register_full_backward_hook(hook)


def _trained(name, param):
    return param.requires_grad


def _hooked(model, hook, choose=_trained):
    """Hooks on parameters, each of which gets its list, its parameter and the gradient."""
    norms, handles = {}, []
    for name, param in model.named_parameters():
        if choose(name, param):
            norms[name] = []
            handles.append(param.register_hook(partial(hook, norms[name], param)))
    return norms, handles


def _norms(model, measure, choose=_trained):
    """Hooks on parameters that append what `measure` makes of the gradient and the parameter."""
    return _hooked(model, lambda to, param, grad: to.append(measure(grad, param)), choose)


@mistake(
    NORMS, hint="All hooks write into the last list: a closure sees a loop's variable as it is at the end."
)
def late_binding(model):
    norms, handles = {}, []
    for name, param in model.named_parameters():
        if param.requires_grad:
            norms[name] = []
            handles.append(param.register_hook(lambda grad: norms[name].append(grad.norm().item())))  # noqa: B023
    return norms, handles


@mistake(
    NORMS,
    hint="A norm of type Tensor is kept: take the Python float out by `item()`.",
)
def tensors(model):
    return _norms(model, lambda grad, param: grad.norm())


@mistake(NORMS, hint="This is the squared norm: the root is missing.")
def squared(model):
    return _norms(model, lambda grad, param: grad.square().sum().item())


@mistake(NORMS, hint="This is the mean of the absolute values, not the Euclidean norm.")
def mean_of_absolutes(model):
    return _norms(model, lambda grad, param: grad.abs().mean().item())


@mistake(NORMS, hint="This is the largest absolute value, not the Euclidean norm.")
def largest(model):
    return _norms(model, lambda grad, param: grad.abs().max().item())


@mistake(NORMS, hint="This is the norm of the parameters: the gradient is the hook's argument.")
def of_weights(model):
    return _norms(model, lambda grad, param: param.norm().item())


@mistake(NORMS, hint="Biases are left out: all trainable parameters were asked for.")
def weights_alone(model):
    return _norms(
        model,
        lambda grad, param: grad.norm().item(),
        lambda name, param: param.requires_grad and name.endswith("weight"),
    )


@mistake(NORMS, hint="This is what `.grad` has collected over all passes: take the gradient of this pass.")
def collected(model):
    norms, handles = {}, []
    for name, param in model.named_parameters():
        if param.requires_grad:
            norms[name] = []
            handles.append(
                param.register_post_accumulate_grad_hook(
                    lambda p, to=norms[name]: to.append(p.grad.norm().item())
                )
            )
    return norms, handles


@mistake(NORMS, hint="The list holds the last norm alone: append each one.")
def the_last_alone(model):
    def hook(to, param, grad):
        to[:] = [grad.norm().item()]

    return _hooked(model, hook)


@mistake(
    NORMS, hint="The hook returns the norm, which replaces the gradient: return nothing.", raises=RuntimeError
)
def norm_returned(model):
    def hook(to, param, grad):
        to.append(grad.norm().item())
        return grad.norm()

    return _hooked(model, hook)


@mistake(NORMS, hint="The hook scales the gradient that it measures: it must leave it as it is.")
def normalised(model):
    def hook(to, param, grad):
        to.append(grad.norm().item())
        return grad / grad.norm()

    return _hooked(model, hook)


@mistake(
    NORMS,
    hint="Only a tensor that requires a gradient takes a hook: leave frozen parameters out.",
    raises=RuntimeError,
)
def frozen_too(model):
    return _norms(model, lambda grad, param: grad.norm().item(), lambda name, param: True)


@mistake(NORMS, hint="No handles come back, so that nobody can remove the hooks: return all of them.")
def no_handles(model):
    return _norms(model, lambda grad, param: grad.norm().item())[0], []


@mistake(
    FEATURE, hint="A name that is not there gives a KeyError here: `get_submodule` raises what is asked for."
)
def layer_from_a_dict(model, name):
    features = {}
    layer = dict(model.named_modules())[name]
    return features, layer.register_forward_hook(
        lambda module, args, output: features.update({name: output.detach()})
    )
