"""What several files of checks here share."""

AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
