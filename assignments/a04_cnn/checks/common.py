"""What several files of checks here share."""

CNN = "cnn.convolutional_networks."
AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
