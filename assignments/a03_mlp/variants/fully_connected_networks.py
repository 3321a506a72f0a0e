"""Right versions of `mlp.fully_connected_networks`, written otherwise."""

import torch

from exercise_code.mlp import fully_connected_networks as fcn
from exercise_code.mlp import update_rules
from exercise_code.mlp.losses import softmax_loss
from exercise_code.mlp.solver import Solver
from exercise_code.support.checking.declare import variant

FCN = "mlp.fully_connected_networks."


@variant(FCN + "Linear.forward")
def linear_einsum(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    return torch.einsum("nd,dm->nm", rows, w) + b.unsqueeze(0), (x, w)


@variant(FCN + "Linear.forward")
def linear_addmm(x, w, b):
    return torch.addmm(b, x.reshape(len(x), w.shape[0]), w), (x, w)


@variant(FCN + "Linear.backward")
def linear_backward_einsum(dout, cache):
    x, w = cache
    rows = x.reshape(len(x), -1)
    dx = torch.einsum("nm,dm->nd", dout, w).view_as(x)
    return dx, torch.einsum("nd,nm->dm", rows, dout), torch.ones_like(dout[:, 0]) @ dout


@variant(FCN + "ReLU.forward")
def relu_by_mask(x):
    return x * (x > 0), x


@variant(FCN + "ReLU.forward")
def relu_by_maximum(x):
    return torch.maximum(x, torch.zeros_like(x)), x


@variant(FCN + "ReLU.backward")
def relu_backward_copied(dout, cache):
    dx = dout.clone()
    dx[cache <= 0] = 0
    return dx


@variant(FCN + "ReLU.backward")
def relu_backward_where(dout, cache):
    return torch.where(cache > 0, dout, torch.zeros_like(dout))


@variant(FCN + "LeakyReLU.forward")
def leaky_two_parts(x, slope=0.01):
    return x.clamp(min=0) + slope * x.clamp(max=0), (x, slope)


@variant(FCN + "LeakyReLU.backward")
def leaky_backward_by_factor(dout, cache):
    x, slope = cache
    factor = torch.full_like(x, slope)
    factor[x >= 0] = 1
    return dout * factor


@variant(FCN + "Sigmoid.forward")
def sigmoid_reciprocal(x):
    out = (1 + torch.exp(-x)).reciprocal()
    return out, out


@variant(FCN + "Sigmoid.forward")
def sigmoid_two_sided(x):
    small = torch.exp(-x.abs())
    out = torch.where(x >= 0, 1 / (1 + small), small / (1 + small))
    return out, out


@variant(FCN + "Sigmoid.backward")
def sigmoid_backward_expanded(dout, cache):
    return dout * (cache - cache**2)


@variant(FCN + "Tanh.forward")
def tanh_two_sided(x):
    small = torch.exp(-2 * x.abs())
    out = x.sign() * (1 - small) / (1 + small)
    return out, out


@variant(FCN + "Tanh.forward")
def tanh_by_sigmoid(x):
    out = 2 * fcn.Sigmoid.forward(2 * x)[0] - 1
    return out, out


@variant(FCN + "Tanh.backward")
def tanh_backward_factors(dout, cache):
    return dout * (1 - cache) * (1 + cache)


@variant(FCN + "Dropout.forward")
def dropout_of_a_bool(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "train":
        mask = (torch.rand(x.shape, device=x.device) >= dropout_param["p"]) / (1 - dropout_param["p"])
        return x * mask, mask
    return x, None


@variant(FCN + "Dropout.forward")
def dropout_bernoulli(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "train":
        keep = 1 - dropout_param["p"]
        mask = torch.bernoulli(torch.full_like(x, keep)).div(keep)
        return mask * x, mask
    return x.clone(), torch.ones_like(x)


@variant(FCN + "Dropout.forward")
def dropout_drawn_then_moved(x, dropout_param):
    p = dropout_param["p"]
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    mask = None
    if dropout_param["mode"] == "train":
        mask = (torch.rand(x.shape) > p).to(x) / (1 - p)
        x = x * mask
    return x, mask


@variant(FCN + "Dropout.backward")
def dropout_backward_whole(dout, cache):
    return dout * (torch.ones_like(dout) if cache is None else cache)


@variant(FCN + "TwoLayerNet.__init__")
def two_layer_by_helper(
    self,
    input_dim=3 * 32 * 32,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg, self.params = reg, {}
    for layer, (rows, columns) in enumerate(((input_dim, hidden_dim), (hidden_dim, num_classes)), start=1):
        weights = torch.normal(0.0, weight_scale, (rows, columns), dtype=dtype, device=device)
        self.params[f"W{layer}"], self.params[f"b{layer}"] = weights, weights.new_zeros(columns)


@variant(FCN + "TwoLayerNet.loss")
def two_layer_by_hand(self, X, y=None):
    x = X.reshape(len(X), -1)
    hidden = (x @ self.params["W1"] + self.params["b1"]).clamp(min=0)
    scores = hidden @ self.params["W2"] + self.params["b2"]
    if y is None:
        return scores
    loss, dscores = softmax_loss(scores, y)
    dhidden = dscores @ self.params["W2"].T * (hidden > 0)
    grads = {
        "b2": dscores.sum(0),
        "W2": hidden.T @ dscores + 2 * self.reg * self.params["W2"],
        "b1": dhidden.sum(0),
        "W1": x.T @ dhidden + 2 * self.reg * self.params["W1"],
    }
    penalty = sum((self.params[name] ** 2).sum() for name in ("W1", "W2"))
    return loss + self.reg * penalty, grads


@variant(FCN + "FullyConnectedNet.__init__")
def deep_in_two_loops(
    self,
    hidden_dims,
    input_dim=3 * 32 * 32,
    num_classes=10,
    dropout=0.0,
    reg=0.0,
    weight_scale=1e-2,
    seed=None,
    dtype=torch.float32,
    device="cpu",
    activation=fcn.ReLU,
):
    self.num_layers = len(hidden_dims) + 1
    self.dropout, self.reg, self.seed, self.activation, self.dtype = dropout, reg, seed, activation, dtype
    rows, columns = [input_dim, *hidden_dims], [*hidden_dims, num_classes]
    weights = [
        fcn.initial_weights(Din, Dout, weight_scale, dtype, device)
        for Din, Dout in zip(rows, columns, strict=True)
    ]
    self.params = {
        f"b{i + 1}": torch.zeros(Dout).to(w) for i, (Dout, w) in enumerate(zip(columns, weights, strict=True))
    }
    self.params |= {f"W{i + 1}": w for i, w in enumerate(weights)}


@variant(FCN + "FullyConnectedNet.loss")
def deep_with_a_stack(self, X, y=None):
    out, way_back = X.to(self.dtype), []
    mode = "train" if y is not None else "test"
    for layer in range(1, self.num_layers + 1):
        out, cache = fcn.Linear.forward(out, self.params[f"W{layer}"], self.params[f"b{layer}"])
        way_back.append((f"{layer}", cache))
        if layer < self.num_layers:
            out, cache = self.activation.forward(out)
            way_back.append((self.activation, cache))
            if self.dropout > 0:
                param = {"p": self.dropout, "mode": mode, "seed": self.seed}
                out, cache = fcn.Dropout.forward(out, param)
                way_back.append((fcn.Dropout, cache))
    if y is None:
        return out
    loss, dout = softmax_loss(out, y)
    grads = {}
    while way_back:
        layer, cache = way_back.pop()
        if not isinstance(layer, str):
            dout = layer.backward(dout, cache)
            continue
        w = self.params[f"W{layer}"]
        dout, dw, grads[f"b{layer}"] = fcn.Linear.backward(dout, cache)
        grads[f"W{layer}"] = dw + self.reg * 2 * w
        loss = loss + self.reg * torch.sum(w * w)
    return loss, grads


@variant(FCN + "get_three_layer_network_params")
def three_layers_other():
    return 0.14, 0.1


@variant(FCN + "get_five_layer_network_params")
def five_layers_other():
    return (2 / 100) ** 0.5, 0.2


@variant(FCN + "create_solver_instance")
def momentum_solver(data_dict, dtype=torch.float32, device="cpu"):
    net = fcn.TwoLayerNet(data_dict["X_train"][0].numel(), 100, 10, 1e-3, dtype=dtype, device=device)
    return Solver(
        net,
        data_dict,
        update_rule=update_rules.sgd_momentum,
        optim_config={"learning_rate": 1e-2},
        device=device,
    )
