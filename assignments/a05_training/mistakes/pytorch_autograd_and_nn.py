"""How people get `pytorch_autograd_and_nn` wrong, and the hint each mistake deserves."""

import torch
from torch import nn
from torch.nn import functional as F

from exercise_code import pytorch_autograd_and_nn as levels
from exercise_code.support.checking.declare import mistake

LEVELS = "pytorch_autograd_and_nn."

BARE = LEVELS + "three_layer_convnet"


def _bare(x, params, *, paddings=(2, 1), relus=(True, True), bias=True, last=False, detach=False):
    """`three_layer_convnet` with something else in one place."""
    conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b = params
    out = F.conv2d(x, conv_w1, conv_b1, padding=paddings[0])
    out = F.relu(out) if relus[0] else out
    out = out.detach() if detach else out
    out = F.conv2d(out, conv_w2, conv_b2 if bias else None, padding=paddings[1])
    out = F.relu(out) if relus[1] else out
    scores = F.linear(out.flatten(1), fc_w, fc_b)
    return F.relu(scores) if last else scores


@mistake(BARE, hint="These are probabilities. Return the scores: cross-entropy takes the softmax itself.")
def bare_softmax(x, params):
    return F.softmax(_bare(x, params), dim=1)


@mistake(BARE, hint="No score is negative: leave out the ReLU behind the linear layer.")
def bare_relu_on_scores(x, params):
    return _bare(x, params, last=True)


@mistake(BARE, hint="The first ReLU is missing: two convolutions in a row are a single linear map.")
def bare_without_first_relu(x, params):
    return _bare(x, params, relus=(False, True))


@mistake(BARE, hint="The second ReLU is missing, the one before the linear layer.")
def bare_without_second_relu(x, params):
    return _bare(x, params, relus=(True, False))


@mistake(
    BARE,
    hint="The maps shrink, so the linear layer does not fit: 5 x 5 filters need padding 2, 3 x 3 filters 1.",
    raises=RuntimeError,
)
def bare_without_padding(x, params):
    return _bare(x, params, paddings=(0, 0))


@mistake(BARE, hint="The paddings are exchanged: 2 belongs to the 5 x 5 filters, 1 to the 3 x 3 filters.")
def bare_paddings_exchanged(x, params):
    return _bare(x, params, paddings=(1, 2))


@mistake(
    BARE,
    hint="fc_w is (outputs, inputs): `F.linear` takes it as it is, a product of your own its transpose.",
    raises=RuntimeError,
)
def bare_matrix_turned(x, params):
    *others, fc_w, fc_b = params
    return _bare(x, [*others, fc_w.T, fc_b])


@mistake(BARE, hint="The second convolution has a bias, too.")
def bare_without_second_bias(x, params):
    return _bare(x, params, bias=False)


@mistake(BARE, hint="Flatten the maps as they are, channels first: the axes must not change places before.")
def bare_flattens_channels_last(x, params):
    conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b = params
    out = F.relu(F.conv2d(x, conv_w1, conv_b1, padding=2))
    out = F.relu(F.conv2d(out, conv_w2, conv_b2, padding=1))
    return F.linear(out.permute(0, 2, 3, 1).flatten(1), fc_w, fc_b)


@mistake(BARE, hint="One image gives a vector: the axis of images is lost. Keep it, even for one image.")
def bare_squeezes_one_image(x, params):
    return _bare(x, params).squeeze()


@mistake(
    BARE + ":gradients",
    hint="No gradient can flow: the scores are computed on `.data`, on detached tensors or under no_grad.",
    raises=RuntimeError,
)
def bare_without_graph(x, params):
    return _bare(x, [param.data for param in params])


@mistake(
    BARE + ":gradients",
    hint="The graph is cut between the convolutions, so the first one never learns: do not detach.",
    raises=RuntimeError,
)
def bare_cut_in_the_middle(x, params):
    return _bare(x, params, detach=True)


START = LEVELS + "initialize_three_layer_conv_part2"


def _params(dtype, device, *, std=None, biases=torch.zeros, shapes=None, ready=True, new=None):
    """`initialize_three_layer_conv_part2` with other weights, biases or shapes."""
    params = []
    for shape in shapes or ((32, 3, 5, 5), (16, 32, 3, 3), (10, 16 * 32 * 32)):
        weights = torch.empty(shape, **(new or {"dtype": dtype, "device": device}))
        fan_in, fan_out = weights[0].numel(), weights[:, 0].numel()
        nn.init.normal_(weights, std=(2 / fan_in) ** 0.5 if std is None else std(fan_in, fan_out))
        params += [weights, biases(len(weights), dtype=dtype, device=device)]
    return [param.requires_grad_(ready) for param in params]


@mistake(START, hint="2 / fan_in is the variance; normal numbers are multiplied by its root.")
def start_variance_for_std(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, std=lambda fan_in, fan_out: 2 / fan_in)


@mistake(START, hint="The gain is missing: with ReLUs the variance is 2 / fan_in, not 1 / fan_in.")
def start_gain_one(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, std=lambda fan_in, fan_out: fan_in**-0.5)


@mistake(
    START,
    hint="Only the linear layer's weights are too small: the variance is 2 / fan_in in all three layers.",
)
def start_last_gain_one(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, std=lambda fan_in, fan_out: ((1 if fan_out == 10 else 2) / fan_in) ** 0.5)


@mistake(START, hint="The variance is made of the outputs' number: fan_in counts what an output sums up.")
def start_by_fan_out(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, std=lambda fan_in, fan_out: (2 / fan_out) ** 0.5)


@mistake(START, hint="This is Xavier's rule, for layers without ReLU; Kaiming's is 2 / fan_in.")
def start_by_xavier(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, std=lambda fan_in, fan_out: (2 / (fan_in + fan_out)) ** 0.5)


@mistake(START, hint="One standard deviation for all layers: let it depend on each layer's fan_in.")
def start_with_one_scale(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, std=lambda fan_in, fan_out: 1e-3)


@mistake(START, hint="The spread is right, the shape of the distribution is not: these numbers are uniform.")
def start_uniform(dtype=torch.float32, device="cpu"):
    params = _params(dtype, device, ready=False)
    return [
        (nn.init.kaiming_uniform_(p, nonlinearity="relu") if p.dim() > 1 else p).requires_grad_()
        for p in params
    ]


@mistake(START, hint="The biases are drawn at random: let them be 0.")
def start_random_biases(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, biases=torch.randn)


@mistake(START, hint="Nothing collects gradients: all six need requires_grad.")
def start_without_gradients(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, ready=False)


@mistake(
    START,
    hint="Tensors that were computed from others are no leaves and get no gradient: "
    "turn on requires_grad after the scaling.",
)
def start_without_leaves(dtype=torch.float32, device="cpu"):
    return [2 * (param / 2) for param in _params(dtype, device)]


@mistake(
    START, hint="These filters have another shape: (filters, channels, height, width), 5 x 5 and then 3 x 3."
)
def start_channels_first(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, shapes=((3, 32, 5, 5), (32, 16, 3, 3), (10, 16 * 32 * 32)))


@mistake(
    START,
    hint="fc_w has another shape: `F.linear` wants (outputs, inputs), and padded maps stay at 32 x 32.",
)
def start_transposed_matrix(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, shapes=((32, 3, 5, 5), (16, 32, 3, 3), (16 * 32 * 32, 10)))


@mistake(START, hint="The weights are float32, whatever is asked for: hand `dtype` on.")
def start_ignores_dtype(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, new={"device": device})


@mistake(START, hint="The weights are made on the CPU, whatever is asked for: hand `device` on.")
def start_ignores_device(dtype=torch.float32, device="cpu"):
    return _params(dtype, device, new={"dtype": dtype})


MODULE = LEVELS + "ThreeLayerConvNet.__init__"


def _module(
    self,
    in_channel,
    channel_1,
    channel_2,
    num_classes,
    *,
    kernels=(5, 3),
    paddings=(2, 1),
    inputs=None,
    weights=nn.init.kaiming_normal_,
    drawn=("conv1", "conv2", "fc"),
    biases=nn.init.zeros_,
    bias=True,
):
    """`ThreeLayerConvNet.__init__` with something else in one place."""
    nn.Module.__init__(self)
    self.conv1 = nn.Conv2d(in_channel, channel_1, kernels[0], padding=paddings[0], bias=bias)
    self.conv2 = nn.Conv2d(channel_1, channel_2, kernels[1], padding=paddings[1], bias=bias)
    self.fc = nn.Linear(inputs or channel_2 * 1024, num_classes)
    for name in drawn:
        layer = getattr(self, name)
        weights(layer.weight)
        if layer.bias is not None:
            biases(layer.bias)


@mistake(MODULE, hint="Call `super().__init__()` first: it makes room for layers.", raises=AttributeError)
def module_without_super(self, in_channel, channel_1, channel_2, num_classes):
    self.conv1 = nn.Conv2d(in_channel, channel_1, 5, padding=2)


@mistake(
    MODULE,
    hint="The layers are not found: assign them to self.conv1, self.conv2, self.fc, not to a list.",
    raises=AttributeError,
)
def module_in_a_list(self, in_channel, channel_1, channel_2, num_classes):
    nn.Module.__init__(self)
    self.layers = [
        nn.Conv2d(in_channel, channel_1, 5, padding=2),
        nn.Conv2d(channel_1, channel_2, 3, padding=1),
        nn.Linear(channel_2 * 1024, num_classes),
    ]


@mistake(MODULE, hint="Weights and biases are as torch draws them by default: draw them again, by Kaiming.")
def module_as_torch_draws(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, drawn=())


@mistake(MODULE, hint="The linear layer is left as torch draws it: Kaiming's rule is for all three layers.")
def module_draws_filters_only(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, drawn=("conv1", "conv2"))


@mistake(MODULE, hint="The biases are as torch draws them by default: set them to 0.")
def module_leaves_biases(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, biases=lambda bias: None)


@mistake(MODULE, hint="This is Xavier's rule, for layers without ReLU; Kaiming's variance is 2 / fan_in.")
def module_by_xavier(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, weights=nn.init.xavier_normal_)


@mistake(MODULE, hint="The spread is right, but these weights are uniform: the normal ones are asked for.")
def module_uniform(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, weights=nn.init.kaiming_uniform_)


@mistake(MODULE, hint="The gain is that of a linear layer: with ReLUs the variance is 2 / fan_in.")
def module_gain_one(self, in_channel, channel_1, channel_2, num_classes):
    def weights(values):
        nn.init.kaiming_normal_(values, nonlinearity="linear")

    _module(self, in_channel, channel_1, channel_2, num_classes, weights=weights)


@mistake(MODULE, hint="The weights are scaled by fan_out: the default, fan_in, is asked for.")
def module_by_fan_out(self, in_channel, channel_1, channel_2, num_classes):
    def weights(values):
        nn.init.kaiming_normal_(values, mode="fan_out")

    _module(self, in_channel, channel_1, channel_2, num_classes, weights=weights)


@mistake(
    MODULE, hint="These filters have another shape: 5 x 5 in the first convolution, 3 x 3 in the second."
)
def module_kernels_exchanged(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, kernels=(3, 5), paddings=(1, 2))


@mistake(
    MODULE,
    hint="A convolution does not keep height and width: 5 x 5 filters need padding 2, 3 x 3 filters 1.",
)
def module_without_padding(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, paddings=(0, 1))


@mistake(
    MODULE,
    hint="Neither convolution pads, so the maps shrink: 5 x 5 filters need padding 2, 3 x 3 filters 1.",
    raises=RuntimeError,
)
def module_without_any_padding(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, paddings=(0, 0))


@mistake(MODULE, hint="The linear layer takes in all numbers of the second convolution's maps.")
def module_flat_size_of_first(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, inputs=channel_1 * 1024)


@mistake(MODULE, hint="The convolutions have no bias here; they have one in the network described.")
def module_without_biases(self, in_channel, channel_1, channel_2, num_classes):
    _module(self, in_channel, channel_1, channel_2, num_classes, bias=False)


FORWARD = LEVELS + "ThreeLayerConvNet.forward"


def _forward(self, x, *, first=F.relu, second=F.relu, turned=False):
    """`ThreeLayerConvNet.forward` with something else in one place."""
    out = second(self.conv2(first(self.conv1(x))))
    return self.fc((out.permute(0, 2, 3, 1) if turned else out).flatten(1))


@mistake(FORWARD, hint="These are probabilities. Return the scores: cross-entropy takes the softmax itself.")
def forward_softmax(self, x):
    return F.softmax(_forward(self, x), dim=1)


@mistake(FORWARD, hint="These are log-probabilities: cross-entropy takes the log-softmax itself.")
def forward_log_softmax(self, x):
    return F.log_softmax(_forward(self, x), dim=1)


@mistake(FORWARD, hint="No score is negative: leave out the ReLU behind the linear layer.")
def forward_relu_on_scores(self, x):
    return F.relu(_forward(self, x))


@mistake(FORWARD, hint="The ReLU between the convolutions is missing.")
def forward_without_first_relu(self, x):
    return _forward(self, x, first=lambda out: out)


@mistake(FORWARD, hint="The ReLU before the linear layer is missing.")
def forward_without_second_relu(self, x):
    return _forward(self, x, second=lambda out: out)


@mistake(
    FORWARD, hint="Flatten the maps as they are, channels first: the axes must not change places before."
)
def forward_flattens_channels_last(self, x):
    return _forward(self, x, turned=True)


@mistake(FORWARD, hint="The maps must be flattened before `fc`, each image for itself.", raises=RuntimeError)
def forward_without_flatten(self, x):
    return self.fc(F.relu(self.conv2(F.relu(self.conv1(x)))))


@mistake(FORWARD, hint="One image gives a vector: the axis of images is lost. Keep it, even for one image.")
def forward_squeezes_one_image(self, x):
    return _forward(self, x).squeeze()


THIRD = LEVELS + "initialize_three_layer_conv_part3"


def _third(channels=(32, 16), optimizer=torch.optim.SGD, **settings):
    """`initialize_three_layer_conv_part3` with something else in one place."""
    model = levels.ThreeLayerConvNet(3, *channels, 10)
    return model, optimizer(model.parameters(), **{"lr": 3e-3, "weight_decay": 1e-4, **settings})


@mistake(THIRD, hint="The learning rate is ten times too large: 3e-3 is asked for.")
def third_large_rate():
    return _third(lr=3e-2)


@mistake(THIRD, hint="The learning rate is that of part 4: 3e-3 is asked for here.")
def third_rate_of_fourth():
    return _third(lr=1e-2)


@mistake(THIRD, hint="Weight decay is missing: SGD has it as `weight_decay`.")
def third_without_decay():
    return _third(weight_decay=0)


@mistake(THIRD, hint="Momentum is not asked for at this level.")
def third_with_momentum():
    return _third(momentum=0.9)


@mistake(THIRD, hint="Adam divides by the root of a running mean of squares; plain SGD is asked for.")
def third_adam():
    return _third(optimizer=torch.optim.Adam)


@mistake(THIRD, hint="The numbers of filters are exchanged: 32 in the first convolution, 16 in the second.")
def third_filters_exchanged():
    return _third(channels=(16, 32))


@mistake(
    THIRD,
    hint="The optimiser does not hold the parameters of the model that is returned: this one never learns.",
)
def third_other_model():
    return levels.ThreeLayerConvNet(3, 32, 16, 10), _third()[1]


@mistake(
    THIRD,
    hint="The optimiser's class is returned; make one, with the model's parameters.",
    raises=AttributeError,
)
def third_class_of_optimizer():
    return _third()[0], torch.optim.SGD


@mistake(THIRD, hint="The order is model, then optimiser.", raises=AttributeError)
def third_exchanged():
    return _third()[::-1]


FOURTH = LEVELS + "initialize_three_layer_conv_part4"


def _fourth(channels=(32, 16), paddings=(2, 1), change=None, **settings):
    """`initialize_three_layer_conv_part4` with other layers or settings."""
    layers = [
        nn.Conv2d(3, channels[0], 5, padding=paddings[0]),
        nn.ReLU(),
        nn.Conv2d(channels[0], channels[1], 3, padding=paddings[1]),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(channels[1] * 1024, 10),
    ]
    if change:
        change(layers)
    model = nn.Sequential(*layers)
    usual = {"lr": 1e-2, "weight_decay": 1e-4, "momentum": 0.5, "nesterov": True}
    return model, torch.optim.SGD(model.parameters(), **{**usual, **settings})


@mistake(FOURTH, hint="This is ordinary momentum: Nesterov's is a switch of SGD.")
def fourth_without_nesterov():
    return _fourth(nesterov=False)


@mistake(FOURTH, hint="The momentum is not the one that is asked for, 0.5.")
def fourth_usual_momentum():
    return _fourth(momentum=0.9)


@mistake(FOURTH, hint="The learning rate is that of the level before: 1e-2 is asked for here.")
def fourth_rate_of_third():
    return _fourth(lr=3e-3)


@mistake(FOURTH, hint="Weight decay is missing: SGD has it as `weight_decay`.")
def fourth_without_decay():
    return _fourth(weight_decay=0)


@mistake(FOURTH, hint="Softmax is no part of the network: cross-entropy takes it itself.")
def fourth_softmax():
    return _fourth(change=lambda layers: layers.append(nn.Softmax(dim=1)))


@mistake(FOURTH, hint="No score is negative: leave out the ReLU behind the linear layer.")
def fourth_relu_on_scores():
    return _fourth(change=lambda layers: layers.append(nn.ReLU()))


@mistake(FOURTH, hint="The ReLU between the convolutions is missing.")
def fourth_without_first_relu():
    return _fourth(change=lambda layers: layers.pop(1))


@mistake(FOURTH, hint="The ReLU before the linear layer is missing.")
def fourth_without_second_relu():
    return _fourth(change=lambda layers: layers.pop(3))


@mistake(FOURTH, hint="Maps meet the linear layer: `nn.Flatten` belongs between them.", raises=RuntimeError)
def fourth_without_flatten():
    return _fourth(change=lambda layers: layers.pop(4))


@mistake(FOURTH, hint="The paddings are exchanged: 2 belongs to the 5 x 5 filters, 1 to the 3 x 3 filters.")
def fourth_paddings_exchanged():
    return _fourth(paddings=(1, 2))


@mistake(FOURTH, hint="The numbers of filters are exchanged: 32 in the first convolution, 16 in the second.")
def fourth_filters_exchanged():
    return _fourth(channels=(16, 32))


@mistake(
    FOURTH,
    hint="The optimiser does not hold the parameters of the model that is returned: this one never learns.",
)
def fourth_other_model():
    return _fourth()[0], _fourth()[1]


@mistake(FOURTH, hint="This is a module of your own: build it as an `nn.Sequential` of torch's layers.")
def fourth_own_module():
    layers, _ = _fourth()
    model = levels.ThreeLayerConvNet(3, 32, 16, 10)
    model.conv1, model.conv2, model.fc = layers[0], layers[2], layers[5]
    return model, torch.optim.SGD(model.parameters(), lr=1e-2, weight_decay=1e-4, momentum=0.5, nesterov=True)


PLAIN = LEVELS + "PlainBlock.__init__"


def _plain(
    Cin, Cout, downsample, *, middle=None, strides=None, relus=(True, True), norms=(True, True), bias=True
):
    """The layers of a plain block, with something else in one place."""
    first, second = strides or ((2, 1) if downsample else (1, 1))
    middle = middle or Cout
    layers = [
        nn.BatchNorm2d(Cin) if norms[0] else None,
        nn.ReLU() if relus[0] else None,
        nn.Conv2d(Cin, middle, 3, stride=first, padding=1, bias=bias),
        nn.BatchNorm2d(middle) if norms[1] else None,
        nn.ReLU() if relus[1] else None,
        nn.Conv2d(middle, Cout, 3, stride=second, padding=1, bias=bias),
    ]
    return nn.Sequential(*[layer for layer in layers if layer is not None])


@mistake(PLAIN, hint="The width between the convolutions is a constant: it is Cout.")
def plain_middle_of_eight(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, middle=8 if Cout != 8 else 16)


@mistake(PLAIN, hint="The width between the convolutions lies between Cin and Cout: it is Cout.")
def plain_middle_in_between(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, middle=(Cin + Cout) // 2)


@mistake(PLAIN, hint="The second convolution makes the new channels; the first one should.")
def plain_widens_late(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, middle=Cin)


@mistake(PLAIN, hint="The second convolution has the stride; the first one should.")
def plain_strides_late(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, strides=(1, 2 if downsample else 1))


@mistake(
    PLAIN, hint="Both convolutions have stride 2, so the sides are quartered: only the first one has it."
)
def plain_strides_twice(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, strides=(2, 2) if downsample else None)


@mistake(PLAIN, hint="Nothing is downsampled: the first convolution needs its stride.")
def plain_never_downsamples(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, False)


@mistake(PLAIN, hint="The choice is the wrong way round: stride 2 is for downsample=True.")
def plain_downsamples_the_others(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, not downsample)


@mistake(
    PLAIN, hint="The order is conv - BN - ReLU here; the norm and the ReLU come before each convolution."
)
def plain_post_activation(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = nn.Sequential(
        nn.Conv2d(Cin, Cout, 3, stride=2 if downsample else 1, padding=1),
        nn.BatchNorm2d(Cout),
        nn.ReLU(),
        nn.Conv2d(Cout, Cout, 3, padding=1),
        nn.BatchNorm2d(Cout),
        nn.ReLU(),
    )


@mistake(PLAIN, hint="A ReLU is too many: the block ends with a convolution.")
def plain_relu_at_the_end(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = nn.Sequential(*_plain(Cin, Cout, downsample), nn.ReLU())


@mistake(PLAIN, hint="The first ReLU is missing, between the first norm and the first convolution.")
def plain_without_first_relu(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, relus=(False, True))


@mistake(PLAIN, hint="The second ReLU is missing: the convolutions have no non-linearity between them.")
def plain_without_second_relu(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, relus=(True, False))


@mistake(PLAIN, hint="The second norm is missing, between the convolutions.")
def plain_without_second_norm(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, norms=(True, False))


@mistake(PLAIN, hint="The convolutions have no bias here; they have one in the block described.")
def plain_without_bias(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = _plain(Cin, Cout, downsample, bias=False)


@mistake(PLAIN, hint="The maps are pooled: a stride of the first convolution should halve them.")
def plain_pools(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    layers = [*_plain(Cin, Cout, False)]
    pool = [nn.MaxPool2d(2, ceil_mode=True)] if downsample else []
    self.net = nn.Sequential(*layers[:3], *pool, *layers[3:])


RESIDUAL = LEVELS + "ResidualBlock.__init__"


def _shortcut(Cin, Cout, downsample, *, kernel=1, bias=True, always=False):
    """A shortcut, with something else in one place."""
    if Cin == Cout and not downsample and not always:
        return nn.Identity()
    stride = 2 if downsample else 1
    return nn.Conv2d(Cin, Cout, kernel, stride=stride, padding=kernel // 2, bias=bias)


@mistake(
    RESIDUAL,
    hint="The sum fails: the shortcut must change channels and sides whenever the block does either.",
    raises=RuntimeError,
)
def residual_always_identity(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block, self.shortcut = levels.PlainBlock(Cin, Cout, downsample), nn.Identity()


@mistake(
    RESIDUAL,
    hint="The shortcut is a function: it must be a module, such as `nn.Identity`.",
    raises=AttributeError,
)
def residual_shortcut_as_function(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = lambda x: x


@mistake(
    RESIDUAL + ":shortcut",
    hint="The shortcut is a function, which has no parameters: make it a module, such as `nn.Identity`.",
    raises=AttributeError,
)
def residual_shortcut_without_parameters(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = lambda x: x


@mistake(
    RESIDUAL + ":shortcut",
    hint="The shortcut has parameters where the shape stays: there it should let x through as it is.",
)
def residual_always_projects(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = _shortcut(Cin, Cout, downsample, always=True)


@mistake(RESIDUAL, hint="The shortcut has 3 x 3 filters: 1 x 1 is enough to change channels.")
def residual_wide_shortcut(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = _shortcut(Cin, Cout, downsample, kernel=3)


@mistake(RESIDUAL, hint="There is a batch norm in the shortcut: it is a single convolution.")
def residual_norm_in_shortcut(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = _shortcut(Cin, Cout, downsample)
    if Cin != Cout or downsample:
        self.shortcut = nn.Sequential(self.shortcut, nn.BatchNorm2d(Cout))


@mistake(RESIDUAL, hint="There is a ReLU in the shortcut: it should let negative values through.")
def residual_relu_in_shortcut(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = nn.Sequential(_shortcut(Cin, Cout, downsample), nn.ReLU())


@mistake(RESIDUAL, hint="The shortcut's convolution has no bias here; it has one in the block described.")
def residual_shortcut_without_bias(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = _shortcut(Cin, Cout, downsample, bias=False)


@mistake(RESIDUAL, hint="The shortcut is a second block, so nothing passes unchanged: make it the identity.")
def residual_block_as_shortcut(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = levels.PlainBlock(Cin, Cout, downsample)


@mistake(RESIDUAL, hint="The shortcut averages before its convolution; the convolution's stride is enough.")
def residual_pools_in_shortcut(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = _shortcut(Cin, Cout, downsample)
    if downsample:
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(Cin, Cout, 1))


@mistake(RESIDUAL, hint="Nothing is added: a shortcut that is 0 leaves a plain block.")
def residual_without_shortcut(self, Cin, Cout, downsample=False):
    class Nothing(nn.Module):
        def forward(self, x):
            return x.new_zeros(1)

    nn.Module.__init__(self)
    self.block, self.shortcut = levels.PlainBlock(Cin, Cout, downsample), Nothing()


NARROW = LEVELS + "ResidualBottleneckBlock.__init__"


def _narrow(
    Cin, Cout, downsample, *, narrow=None, place=0, kernels=(1, 3, 1), padded=True, bias=True, wide=1
):
    """The layers of a bottleneck block, with something else in one place."""
    widths, layers = [Cin, *[narrow or Cout // 4] * 2, wide * Cout], []
    for layer, kernel in enumerate(kernels):
        stride = 2 if downsample and layer == place else 1
        padding = kernel // 2 if padded else 0
        layers += [
            nn.BatchNorm2d(widths[layer]),
            nn.ReLU(),
            nn.Conv2d(widths[layer], widths[layer + 1], kernel, stride, padding, bias=bias),
        ]
    return layers


def _bottleneck(self, layers, shortcut):
    nn.Module.__init__(self)
    self.block, self.shortcut = nn.Sequential(*layers), shortcut


@mistake(NARROW, hint="The stride is on the 3 x 3 convolution; here the first 1 x 1 convolution has it.")
def narrow_strides_in_the_middle(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, place=1), _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="The stride is on the last convolution; the first one has it.")
def narrow_strides_late(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, place=2), _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="The narrow part has a quarter of the channels that come in; it should be Cout // 4.")
def narrow_quarter_of_inputs(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, narrow=Cin // 4), _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="There is no bottleneck: the middle works on Cout // 4 channels.")
def narrow_is_wide(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, narrow=Cout), _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="Four times Cout channels go out: Cout counts what goes out, the middle is a quarter.")
def narrow_expands(self, Cin, Cout, downsample=False):
    layers = _narrow(Cin, Cout, downsample, narrow=Cout, wide=4)
    _bottleneck(self, layers, _shortcut(Cin, 4 * Cout, downsample))


@mistake(
    NARROW,
    hint="The sum fails: the 3 x 3 convolution needs padding 1 to keep the sides.",
    raises=RuntimeError,
)
def narrow_without_padding(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, padded=False), _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="All three convolutions are 3 x 3: the outer ones are 1 x 1, which makes them cheap.")
def narrow_all_three(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, kernels=(3, 3, 3)), _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="All three convolutions are 1 x 1: the middle one is 3 x 3, it looks at neighbours.")
def narrow_all_one(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, kernels=(1, 1, 1)), _shortcut(Cin, Cout, downsample))


@mistake(
    NARROW, hint="The order is conv - BN - ReLU here; the norm and the ReLU come before each convolution."
)
def narrow_post_activation(self, Cin, Cout, downsample=False):
    narrow = Cout // 4
    convolutions = _narrow(Cin, Cout, downsample)[2::3]
    layers = [
        layer
        for convolution, width in zip(convolutions, (narrow, narrow, Cout), strict=True)
        for layer in (convolution, nn.BatchNorm2d(width), nn.ReLU())
    ]
    _bottleneck(self, layers, _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="The last ReLU is missing, before the convolution that widens again.")
def narrow_without_last_relu(self, Cin, Cout, downsample=False):
    layers = _narrow(Cin, Cout, downsample)
    _bottleneck(self, layers[:7] + layers[8:], _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="The convolutions have no bias here; they have one in the block described.")
def narrow_without_bias(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample, bias=False), _shortcut(Cin, Cout, downsample))


@mistake(NARROW, hint="There is a batch norm in the shortcut: it is a single convolution.")
def narrow_norm_in_shortcut(self, Cin, Cout, downsample=False):
    shortcut = _shortcut(Cin, Cout, downsample)
    if Cin != Cout or downsample:
        shortcut = nn.Sequential(shortcut, nn.BatchNorm2d(Cout))
    _bottleneck(self, _narrow(Cin, Cout, downsample), shortcut)


@mistake(
    NARROW + ":shortcut",
    hint="The shortcut has parameters where the shape stays: there it should let x through as it is.",
)
def narrow_always_projects(self, Cin, Cout, downsample=False):
    _bottleneck(self, _narrow(Cin, Cout, downsample), _shortcut(Cin, Cout, downsample, always=True))


STAGE = LEVELS + "ResNetStage.__init__"


def _stage(self, blocks):
    nn.Module.__init__(self)
    self.net = nn.Sequential(*blocks)


@mistake(STAGE, hint="Every block downsamples: only the first one does.")
def stage_downsamples_always(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    channels = [Cin, *[Cout] * num_blocks]
    _stage(self, [block(channels[i], Cout, downsample) for i in range(num_blocks)])


@mistake(STAGE, hint="Every block takes in Cin channels: from the second one on, Cout come in.")
def stage_repeats_first_channels(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    _stage(self, [block(Cin, Cout, downsample and i == 0) for i in range(num_blocks)])


@mistake(STAGE, hint="There is a block too many: the first one counts.")
def stage_one_too_many(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    rest = [block(Cout, Cout, False) for _ in range(num_blocks)]
    _stage(self, [block(Cin, Cout, downsample), *rest])


@mistake(STAGE, hint="The same block is used again and again, so they share their weights: make new ones.")
def stage_shares_blocks(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    _stage(self, [block(Cin, Cout, downsample), *[block(Cout, Cout, False)] * (num_blocks - 1)])


@mistake(STAGE, hint="Nothing is downsampled: hand `downsample` to the first block.")
def stage_never_downsamples(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    channels = [Cin, *[Cout] * num_blocks]
    _stage(self, [block(channels[i], Cout, False) for i in range(num_blocks)])


@mistake(STAGE, hint="The first block downsamples always: `downsample` says whether.")
def stage_never_asks(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    channels = [Cin, *[Cout] * num_blocks]
    _stage(self, [block(channels[i], Cout, i == 0) for i in range(num_blocks)])


@mistake(STAGE, hint="The last block changes the shape; the first one should, so that the rest is cheaper.")
def stage_changes_last(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    first = [block(Cin, Cin, False) for _ in range(num_blocks - 1)]
    _stage(self, [*first, block(Cin, Cout, downsample)])


@mistake(
    STAGE,
    hint="The blocks are residual ones whatever is asked for: make them by `block`.",
    raises=RuntimeError,
)
def stage_ignores_block(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    rest = [levels.ResidualBlock(Cout, Cout) for _ in range(num_blocks - 1)]
    _stage(self, [levels.ResidualBlock(Cin, Cout, downsample), *rest])


RESNET = LEVELS + "ResNet.__init__"


def _resnet(self, stage_args, Cin, block, num_classes, *, stem=None, stages=None, inputs=None):
    """`ResNet.__init__` with something else in one place."""
    nn.Module.__init__(self)
    stages = stages or [levels.ResNetStage(*args, block=block) for args in stage_args]
    self.cnn = nn.Sequential(stem or levels.ResNetStem(Cin, stage_args[0][0]), *stages)
    self.fc = nn.Linear(inputs or stage_args[-1][1], num_classes)


@mistake(RESNET, hint="The stem has its default of 8 channels: it must give what the first stage takes in.")
def resnet_stem_of_eight(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, num_classes, stem=levels.ResNetStem(Cin))


@mistake(
    RESNET,
    hint="The stem has its defaults, 3 channels in and 8 out: hand on `Cin` and the first stage's inputs.",
    raises=RuntimeError,
)
def resnet_stem_as_it_is(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, num_classes, stem=levels.ResNetStem())


@mistake(RESNET, hint="The stem gives what the first stage gives; it must give what that stage takes in.")
def resnet_stem_of_outputs(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, num_classes, stem=levels.ResNetStem(Cin, stage_args[0][1]))


@mistake(
    RESNET,
    hint="The stem takes in three channels whatever is asked for: hand `Cin` on.",
    raises=RuntimeError,
)
def resnet_ignores_channels(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, num_classes, stem=levels.ResNetStem(Cout=stage_args[0][0]))


@mistake(RESNET, hint="The stem is missing: the first stage sees the images themselves.")
def resnet_without_stem(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, num_classes, stem=nn.Identity())


@mistake(RESNET, hint="The blocks are residual ones whatever is asked for: hand `block` to every stage.")
def resnet_ignores_block(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    stages = [levels.ResNetStage(*args) for args in stage_args]
    _resnet(self, stage_args, Cin, block, num_classes, stages=stages)


@mistake(RESNET, hint="All stages downsample: the fourth number of each stage says whether it does.")
def resnet_ignores_downsample(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    stages = [levels.ResNetStage(*args[:3], block=block) for args in stage_args]
    _resnet(self, stage_args, Cin, block, num_classes, stages=stages)


@mistake(RESNET, hint="The last stage is missing.")
def resnet_without_last_stage(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    stages = [levels.ResNetStage(*args, block=block) for args in stage_args[:-1]]
    _resnet(self, stage_args, Cin, block, num_classes, stages=stages or [nn.Identity()])


@mistake(RESNET, hint="The linear layer takes in the channels of the first stage; the last one's reach it.")
def resnet_fc_of_first_stage(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, num_classes, inputs=stage_args[0][1])


@mistake(
    RESNET,
    hint="The linear layer is made for maps of 8 x 8: only their means reach it, one for each channel.",
)
def resnet_fc_of_maps(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, num_classes, inputs=64 * stage_args[-1][1])


@mistake(RESNET, hint="There are ten scores whatever is asked for: hand `num_classes` on.")
def resnet_of_ten_classes(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, 10)


@mistake(
    RESNET, hint="The default of `num_classes` is changed: leave the first line as it is given, with 10."
)
def resnet_other_default(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    _resnet(self, stage_args, Cin, block, 100 if num_classes == 10 else num_classes)


SCORES = LEVELS + "ResNet.forward"


@mistake(
    SCORES,
    hint="The window of the mean is a square as high as the map: right for square images only.",
)
def scores_of_square_window(self, x):
    maps = self.cnn(x)
    return self.fc(F.avg_pool2d(maps, min(maps.shape[2:]))[:, :, 0, 0])


@mistake(
    SCORES,
    hint="The pool has a fixed size, so the network is bound to one size of images: average all places.",
    raises=RuntimeError,
)
def scores_of_fixed_window(self, x):
    return self.fc(F.avg_pool2d(self.cnn(x), 8).flatten(1))


@mistake(
    SCORES,
    hint="The linear layer needs one number for each channel: the mean of its map over height and width.",
    raises=RuntimeError,
)
def scores_of_flat_maps(self, x):
    return self.fc(self.cnn(x).flatten(1))


@mistake(SCORES, hint="This takes the largest value of each map; the mean is asked for.")
def scores_of_largest(self, x):
    return self.fc(self.cnn(x).amax(dim=(2, 3)))


@mistake(SCORES, hint="This sums each map up, so larger images have larger scores: take the mean.")
def scores_of_sums(self, x):
    return self.fc(self.cnn(x).sum(dim=(2, 3)))


@mistake(SCORES, hint="One image gives a vector: `squeeze` also removes the axis of images.")
def scores_squeezed(self, x):
    return self.fc(F.adaptive_avg_pool2d(self.cnn(x), 1).squeeze())


@mistake(SCORES, hint="The mean is over the images, too: each image has scores of its own.")
def scores_of_mean_image(self, x):
    return self.fc(self.cnn(x).mean(dim=(0, 2, 3)))


@mistake(SCORES, hint="These are probabilities. Return the scores: cross-entropy takes the softmax itself.")
def scores_softmax(self, x):
    return F.softmax(self.fc(self.cnn(x).mean(dim=(2, 3))), dim=1)


@mistake(SCORES, hint="The linear layer is missing: these are the means of the maps.")
def scores_without_fc(self, x):
    return self.cnn(x).mean(dim=(2, 3))


@mistake(SCORES, hint="A ReLU before the mean is nowhere asked for: negative values count, too.")
def scores_of_positive_part(self, x):
    return self.fc(F.relu(self.cnn(x)).mean(dim=(2, 3)))
