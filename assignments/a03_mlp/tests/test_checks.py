"""Wrong layers whose forward and backward pass agree with each other."""

import torch

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import gather

DROPOUT = "mlp.fully_connected_networks.Dropout."


def test_a_mask_read_off_the_zeros_of_the_output_is_seen():
    def forward(x, dropout_param):
        p = dropout_param["p"]
        if dropout_param["mode"] == "test":
            return x, None
        out = x * (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
        return out, (out, p)

    def backward(dout, cache):
        return dout if cache is None else dout * (cache[0] != 0).to(dout.dtype) / (1 - cache[1])

    (check,) = (check for check in find_assignment("a03").checks if check.id == f"{DROPOUT}backward")
    reference = make_answers([check], [], seed=0).reference[check.id]
    with replaced(f"{DROPOUT}forward", forward), replaced(f"{DROPOUT}backward", backward):
        verdict = judge(check, gather(check, 0), reference, None)
    assert "no gradient comes back where the input is 0" in verdict.message
