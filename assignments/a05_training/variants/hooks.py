"""Right versions of `training.hooks`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant

HOOKS = "training.hooks."


@variant(HOOKS + "register_feature_hook")
def with_a_copy(model, name):
    kept = {}

    def hook(module, args, output):
        with torch.no_grad():
            kept.update({name: output.clone()})

    return kept, model.get_submodule(name).register_forward_hook(hook)


@variant(HOOKS + "register_feature_hook")
def with_keywords_and_part_by_part(model, name):
    module, features = model, {}
    for part in name.split("."):
        module = getattr(module, part)

    def hook(module, args, kwargs, output):
        features[name] = output.data

    return features, module.register_forward_hook(hook, with_kwargs=True)


@variant(HOOKS + "record_gradient_norms")
def by_a_function_that_makes_hooks(model):
    def recorder(history):
        def hook(grad):
            history.append(float(grad.detach().square().sum().sqrt()))

        return hook

    trained = {name: param for name, param in model.named_parameters() if param.requires_grad}
    norms = {name: [] for name in trained}
    return norms, [param.register_hook(recorder(norms[name])) for name, param in trained.items()]


@variant(HOOKS + "record_gradient_norms")
def that_returns_the_gradient(model):
    norms, handles = {}, []

    def watch(name, param):
        norms[name] = []

        def hook(grad):
            norms[name] += [torch.linalg.vector_norm(grad).item()]
            return grad

        handles.append(param.register_hook(hook))

    for name, param in model.named_parameters():
        if param.requires_grad:
            watch(name, param)
    return norms, handles
