"""Right versions of `mlp.initializers`, written otherwise."""

import math

import torch

from exercise_code.support.checking.declare import variant


@variant("mlp.initializers.xavier_initializer")
def xavier_in_place(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return torch.empty(Din, Dout, dtype=dtype, device=device).normal_(0, math.sqrt(2 / (Din + Dout)))


@variant("mlp.initializers.kaiming_initializer")
def kaiming_in_place(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    std = math.sqrt((1 + relu) / Din)
    return torch.zeros(Din, Dout, dtype=dtype, device=device).normal_(0, std)
