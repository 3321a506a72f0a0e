"""Right versions of `pytorch_autograd_and_nn`, written otherwise."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from exercise_code import pytorch_autograd_and_nn as levels
from exercise_code.support.checking.declare import variant

LEVELS = "pytorch_autograd_and_nn."


@variant(LEVELS + "three_layer_convnet")
def bare_by_unfold(x, params):
    out = x
    for weights, bias in (params[:2], params[2:4]):
        kernel = weights.shape[2]
        columns = F.unfold(out, kernel, padding=kernel // 2)
        maps = weights.flatten(1) @ columns + bias[:, None]
        out = maps.clamp(min=0).view(len(x), len(weights), *x.shape[2:])
    return out.reshape(len(x), -1) @ params[4].T + params[5]


@variant(LEVELS + "three_layer_convnet")
def bare_with_same_padding(x, params):
    w1, b1, w2, b2, w3, b3 = params
    hidden = torch.relu(torch.conv2d(x, w1, b1, padding="same"))
    hidden = torch.relu(torch.conv2d(hidden, w2, b2, padding="same"))
    return torch.addmm(b3, torch.flatten(hidden, start_dim=1), w3.t())


@variant(LEVELS + "three_layer_convnet")
def bare_padded_first(x, params):
    hidden = F.conv2d(F.pad(x, (2, 2, 2, 2)), *params[:2]).relu()
    hidden = F.conv2d(F.pad(hidden, (1, 1, 1, 1)), *params[2:4]).relu()
    return torch.einsum("nchw,kchw->nk", hidden, params[4].view(-1, *hidden.shape[1:])) + params[5]


@variant(LEVELS + "initialize_three_layer_conv_part2")
def start_by_randn(dtype=torch.float32, device="cpu"):
    conv_w1 = torch.randn(32, 3, 5, 5, dtype=dtype, device=device) * (2 / 75) ** 0.5
    conv_w2 = torch.randn(16, 32, 3, 3, dtype=dtype, device=device) * (2 / 288) ** 0.5
    fc_w = torch.randn(10, 16 * 32 * 32, dtype=dtype, device=device) * (2 / (16 * 32 * 32)) ** 0.5
    conv_b1, conv_b2, fc_b = (torch.zeros(n, dtype=dtype, device=device) for n in (32, 16, 10))
    params = [conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b]
    for param in params:
        param.requires_grad = True
    return params


@variant(LEVELS + "initialize_three_layer_conv_part2")
def start_in_place(dtype=torch.float32, device="cpu"):
    new = {"dtype": dtype, "device": device, "requires_grad": True}
    params = []
    for filters, *inputs in ((32, 3, 5, 5), (16, 32, 3, 3), (10, 16 * 32 * 32)):
        weights = torch.empty(filters, *inputs, **new)
        nn.init.kaiming_normal_(weights, mode="fan_in", nonlinearity="relu")
        params.extend([weights, torch.zeros(filters, **new)])
    return params


@variant(LEVELS + "initialize_three_layer_conv_part2")
def start_of_parameters(dtype=torch.float32, device="cpu"):
    params = []
    for shape in ((32, 3, 5, 5), (16, 32, 3, 3), (10, 16 * 32 * 32)):
        weights = nn.Parameter(torch.empty(*shape, dtype=dtype, device=device))
        with torch.no_grad():
            weights.normal_(0, (2 / weights[0].numel()) ** 0.5)
        params += [weights, nn.Parameter(torch.zeros(shape[0], dtype=dtype, device=device))]
    return params


@variant(LEVELS + "ThreeLayerConvNet.__init__")
def module_by_apply(self, in_channel, channel_1, channel_2, num_classes):
    def start(layer):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.constant_(layer.bias, 0)

    nn.Module.__init__(self)
    self.conv1 = nn.Conv2d(in_channel, channel_1, kernel_size=(5, 5), padding="same")
    self.conv2 = nn.Conv2d(channel_1, channel_2, kernel_size=(3, 3), padding="same")
    self.fc = nn.Linear(channel_2 * 32 * 32, num_classes)
    self.apply(start)


@variant(LEVELS + "ThreeLayerConvNet.__init__")
def module_fc_first(self, in_channel, channel_1, channel_2, num_classes):
    nn.Module.__init__(self)
    self.fc = nn.Linear(in_features=1024 * channel_2, out_features=num_classes)
    self.conv2 = nn.Conv2d(channel_1, channel_2, 3, 1, 1)
    self.conv1 = nn.Conv2d(in_channel, channel_1, 5, 1, 2)
    for name, param in self.named_parameters():
        if name.endswith("bias"):
            param.data.zero_()
        else:
            param.data.normal_(std=(2 / param[0].numel()) ** 0.5)


@variant(LEVELS + "ThreeLayerConvNet.__init__")
def module_with_extras(self, in_channel, channel_1, channel_2, num_classes):
    nn.Module.__init__(self)
    self.relu, self.flatten = nn.ReLU(), nn.Flatten()
    self.conv1 = nn.Conv2d(in_channel, channel_1, 5, padding=(2, 2))
    self.conv2 = nn.Conv2d(channel_1, channel_2, 3, padding=(1, 1))
    self.fc = nn.Linear(channel_2 * 1024, num_classes)
    for layer in (self.conv1, self.conv2, self.fc):
        layer.weight = nn.Parameter(nn.init.kaiming_normal_(torch.empty_like(layer.weight)))
        layer.bias = nn.Parameter(torch.zeros(len(layer.weight)))


@variant(LEVELS + "ThreeLayerConvNet.forward")
def forward_step_by_step(self, x):
    x = self.conv1(x)
    x = torch.relu(x)
    x = self.conv2(x)
    x = torch.relu_(x)
    x = x.reshape(x.shape[0], -1)
    return self.fc(x)


@variant(LEVELS + "ThreeLayerConvNet.forward")
def forward_by_bare_tensors(self, x):
    layers = self.conv1, self.conv2, self.fc
    return levels.three_layer_convnet(x, [p for layer in layers for p in (layer.weight, layer.bias)])


@variant(LEVELS + "ThreeLayerConvNet.forward")
def forward_by_sequential(self, x):
    return nn.Sequential(self.conv1, nn.ReLU(), self.conv2, nn.ReLU(), nn.Flatten(), self.fc)(x)


@variant(LEVELS + "initialize_three_layer_conv_part3")
def third_by_keywords():
    net = levels.ThreeLayerConvNet(in_channel=3, channel_1=32, channel_2=16, num_classes=10)
    optimizer = torch.optim.SGD(params=net.parameters(), lr=0.003, momentum=0.0, weight_decay=0.0001)
    return (net, optimizer)


@variant(LEVELS + "initialize_three_layer_conv_part3")
def third_in_groups():
    net = levels.ThreeLayerConvNet(3, 32, 16, 10)
    groups = [{"params": [*layer.parameters()]} for layer in (net.conv1, net.conv2, net.fc)]
    return net, torch.optim.SGD(groups, lr=3e-3, weight_decay=1e-4)


@variant(LEVELS + "initialize_three_layer_conv_part3")
def third_as_list():
    net = levels.ThreeLayerConvNet(3, 32, 16, 10)
    return net, torch.optim.SGD(list(net.parameters()), 3e-3, weight_decay=1e-4, nesterov=False)


@variant(LEVELS + "initialize_three_layer_conv_part4")
def fourth_by_names():
    names = OrderedDict(
        conv1=nn.Conv2d(3, 32, kernel_size=5, padding="same"),
        relu1=nn.ReLU(inplace=True),
        conv2=nn.Conv2d(32, 16, kernel_size=3, padding="same"),
        relu2=nn.ReLU(inplace=True),
        flatten=nn.Flatten(),
        fc=nn.Linear(16 * 32 * 32, 10),
    )
    net = nn.Sequential(names)
    return net, torch.optim.SGD(net.parameters(), 0.01, 0.5, weight_decay=1e-4, nesterov=True)


@variant(LEVELS + "initialize_three_layer_conv_part4")
def fourth_by_kaiming():
    net = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 32, 5, padding=2), nn.ReLU()),
        nn.Sequential(nn.Conv2d(32, 16, 3, padding=1), nn.ReLU()),
        nn.Sequential(nn.Flatten(), nn.Linear(16 * 1024, 10)),
    )
    for param in net.parameters():
        nn.init.kaiming_normal_(param) if param.dim() > 1 else nn.init.zeros_(param)
    settings = {"momentum": 0.5, "nesterov": True, "weight_decay": 1e-4}
    return net, torch.optim.SGD(net.parameters(), lr=1e-2, **settings)


@variant(LEVELS + "initialize_three_layer_conv_part4")
def fourth_appended():
    net, channels = nn.Sequential(), [3, 32, 16]
    for place, kernel in enumerate((5, 3)):
        net.append(nn.Conv2d(channels[place], channels[place + 1], kernel, padding=kernel // 2))
        net.append(nn.ReLU())
    net.extend([nn.Flatten(start_dim=1), nn.Linear(channels[-1] * 32**2, 10)])
    rule = torch.optim.SGD(
        net.parameters(), lr=1e-2, momentum=0.5, dampening=0, weight_decay=1e-4, nesterov=True
    )
    return net, rule


@variant(LEVELS + "PlainBlock.__init__")
def plain_in_place(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    layers, stride = [], 1 + downsample
    for channels, step in ((Cin, stride), (Cout, 1)):
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        layers += [nn.Conv2d(channels, Cout, kernel_size=(3, 3), stride=step, padding=(1, 1))]
    self.net = nn.Sequential(*layers)


@variant(LEVELS + "PlainBlock.__init__")
def plain_by_names(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.net = nn.Sequential(
        OrderedDict(
            norm1=nn.BatchNorm2d(Cin),
            relu1=nn.ReLU(),
            conv1=nn.Conv2d(Cin, Cout, 3, (2, 2) if downsample else (1, 1), 1),
            norm2=nn.BatchNorm2d(Cout),
            relu2=nn.ReLU(),
            conv2=nn.Conv2d(Cout, Cout, 3, padding="same"),
        )
    )


@variant(LEVELS + "PlainBlock.__init__")
def plain_of_halves(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    first = nn.Sequential(nn.BatchNorm2d(Cin), nn.ReLU(), nn.Conv2d(Cin, Cout, 3, padding=1))
    if downsample:
        first[2].stride = (2, 2)
    second = nn.Sequential(nn.BatchNorm2d(Cout), nn.ReLU(), nn.Conv2d(Cout, Cout, 3, padding=1))
    self.net = nn.Sequential(first, second)


@variant(LEVELS + "ResidualBlock.__init__")
def residual_shortcut_first(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    if downsample:
        self.shortcut = nn.Conv2d(Cin, Cout, 1, 2)
    elif Cin != Cout:
        self.shortcut = nn.Conv2d(Cin, Cout, 1, 1)
    else:
        self.shortcut = nn.Identity()
    self.block = levels.PlainBlock(Cin, Cout, downsample=downsample)


@variant(LEVELS + "ResidualBlock.__init__")
def residual_empty_sequential(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    self.shortcut = nn.Sequential()
    if (Cin, False) != (Cout, downsample):
        self.shortcut.append(nn.Conv2d(Cin, Cout, kernel_size=1, stride=1 + int(downsample)))


@variant(LEVELS + "ResidualBlock.__init__")
def residual_by_match(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    self.block = levels.PlainBlock(Cin, Cout, downsample)
    match Cin == Cout, downsample:
        case True, False:
            self.shortcut = nn.Identity()
        case _, stride:
            self.shortcut = nn.Conv2d(Cin, Cout, (1, 1), stride=2 if stride else 1, padding=0)


@variant(LEVELS + "ResidualBottleneckBlock.__init__")
def narrow_by_loop(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    widths, step, layers = [Cin, Cout // 4, Cout // 4, Cout], 2 if downsample else 1, []
    for place, kernel in enumerate((1, 3, 1)):
        before, after = widths[place : place + 2]
        layers += [nn.BatchNorm2d(before), nn.ReLU()]
        layers += [nn.Conv2d(before, after, kernel, step if place == 0 else 1, padding=kernel // 2)]
    self.block = nn.Sequential(*layers)
    self.shortcut = nn.Identity() if Cin == Cout and step == 1 else nn.Conv2d(Cin, Cout, 1, step)


@variant(LEVELS + "ResidualBottleneckBlock.__init__")
def narrow_in_place(self, Cin, Cout, downsample=False):
    nn.Module.__init__(self)
    if Cin == Cout and not downsample:
        self.shortcut = nn.Sequential()
    else:
        self.shortcut = nn.Conv2d(Cin, Cout, kernel_size=1, stride=1 + downsample)
    fourth = int(Cout / 4)
    self.block = nn.Sequential(
        *[nn.BatchNorm2d(Cin), nn.ReLU(inplace=True), nn.Conv2d(Cin, fourth, 1, 1 + downsample)],
        *[nn.BatchNorm2d(fourth), nn.ReLU(inplace=True), nn.Conv2d(fourth, fourth, 3, padding="same")],
        *[nn.BatchNorm2d(fourth), nn.ReLU(inplace=True), nn.Conv2d(fourth, Cout, 1)],
    )


@variant(LEVELS + "ResidualBottleneckBlock.__init__")
def narrow_of_thirds(self, Cin, Cout, downsample=False):
    def third(inputs, outputs, kernel, stride=1):
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2)
        return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), convolution)

    nn.Module.__init__(self)
    stride, inner = (2 if downsample else 1), Cout // 4
    self.block = nn.Sequential(third(Cin, inner, 1, stride), third(inner, inner, 3), third(inner, Cout, 1))
    keeps = Cin == Cout and stride == 1
    self.shortcut = nn.Identity() if keeps else nn.Conv2d(Cin, Cout, 1, stride=(stride, stride))


@variant(LEVELS + "ResNetStage.__init__")
def stage_by_loop(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    nn.Module.__init__(self)
    blocks = []
    for place in range(num_blocks):
        if place:
            blocks.append(block(Cout, Cout))
        else:
            blocks.append(block(Cin, Cout, downsample=downsample))
    self.net = nn.Sequential(*blocks)


@variant(LEVELS + "ResNetStage.__init__")
def stage_by_append(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    nn.Module.__init__(self)
    self.net = nn.Sequential()
    for channels, halves in [(Cin, downsample)] + [(Cout, False)] * (num_blocks - 1):
        self.net.append(block(Cin=channels, Cout=Cout, downsample=halves))


@variant(LEVELS + "ResNetStage.__init__")
def stage_of_two_parts(self, Cin, Cout, num_blocks, downsample=True, block=levels.ResidualBlock):
    nn.Module.__init__(self)
    rest = nn.Sequential(*(block(Cout, Cout) for _ in range(1, num_blocks)))
    self.net = nn.Sequential(block(Cin, Cout, downsample), rest)


@variant(LEVELS + "ResNet.__init__")
def resnet_by_append(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    nn.Module.__init__(self)
    self.cnn = nn.Sequential(levels.ResNetStem(Cin=Cin, Cout=stage_args[0][0]))
    for inputs, outputs, num_blocks, downsample in stage_args:
        self.cnn.append(levels.ResNetStage(inputs, outputs, num_blocks, downsample, block))
        last = outputs
    self.fc = nn.Linear(last, num_classes)


@variant(LEVELS + "ResNet.__init__")
def resnet_stages_apart(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    nn.Module.__init__(self)
    (first, *_), (*_, width, _, _) = stage_args[0], stage_args[-1]
    stages = nn.Sequential(*(levels.ResNetStage(*each, block=block) for each in stage_args))
    self.cnn = nn.Sequential(levels.ResNetStem(Cin, first), stages)
    self.fc = nn.Linear(in_features=width, out_features=num_classes, bias=True)


@variant(LEVELS + "ResNet.__init__")
def resnet_with_pool(self, stage_args, Cin=3, block=levels.ResidualBlock, num_classes=10):
    nn.Module.__init__(self)
    layers = [levels.ResNetStem(Cin, stage_args[0][0])]
    layers += [levels.ResNetStage(*args, block) for args in stage_args]
    self.cnn, self.pool = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1)
    self.fc = nn.Linear(stage_args[-1][1], num_classes)


@variant(LEVELS + "ResNet.forward")
def scores_by_adaptive_pool(self, x):
    return self.fc(F.adaptive_avg_pool2d(self.cnn(x), (1, 1)).flatten(1))


@variant(LEVELS + "ResNet.forward")
def scores_by_pool_of_the_size(self, x):
    maps = self.cnn(x)
    pooled = F.avg_pool2d(maps, kernel_size=maps.shape[2:])
    return self.fc(pooled.reshape(pooled.shape[0], -1))


@variant(LEVELS + "ResNet.forward")
def scores_of_flat_mean(self, x):
    flat = torch.flatten(self.cnn(x), 2)
    return torch.addmm(self.fc.bias, flat.sum(-1) / flat.shape[-1], self.fc.weight.T)
