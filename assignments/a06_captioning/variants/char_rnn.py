"""Right versions of `rnn.char_rnn`, written otherwise."""

import torch
from torch.nn import functional

from exercise_code.rnn import char_rnn
from exercise_code.support.checking.declare import variant

CHAR_RNN = "rnn.char_rnn."


@variant(f"{CHAR_RNN}letter_to_index")
def by_find(ch):
    number = char_rnn.LETTERS.find(ch)
    if number < 0:
        raise ValueError(ch)
    return number


@variant(f"{CHAR_RNN}letter_to_index")
def by_a_list(ch):
    return list(char_rnn.LETTERS).index(ch)


@variant(f"{CHAR_RNN}line_to_tensor")
def by_writing_ones(line):
    text = char_rnn.to_ascii(line)
    rows = torch.zeros(len(text), 1, len(char_rnn.LETTERS))
    for place, ch in enumerate(text):
        rows[place, 0, char_rnn.letter_to_index(ch)] = 1
    return rows


@variant(f"{CHAR_RNN}line_to_tensor")
def by_rows_of_the_identity(line):
    numbers = [char_rnn.letter_to_index(ch) for ch in char_rnn.to_ascii(line)]
    return torch.eye(57)[numbers][:, None]


@variant(f"{CHAR_RNN}CharRNN.forward")
def by_the_logarithm_of_sums(self, inputs, hidden):
    hidden = (self.w(hidden) + self.u(inputs)).tanh()
    scores = self.v(hidden)
    return scores - scores.logsumexp(dim=1, keepdim=True), hidden


@variant(f"{CHAR_RNN}CharRNN.forward")
def by_matrices(self, inputs, hidden):
    sums = inputs @ self.u.weight.T + self.u.bias + hidden @ self.w.weight.T + self.w.bias
    hidden = torch.tanh(sums)
    return functional.log_softmax(hidden @ self.v.weight.T + self.v.bias, dim=-1), hidden


@variant(f"{CHAR_RNN}category_from_output")
def by_topk(output, categories):
    number = output.topk(1).indices[0].item()
    return categories[number], number


@variant(f"{CHAR_RNN}category_from_output")
def by_the_largest(output, categories):
    values = output[0].tolist()
    number = values.index(max(values))
    return categories[number], number


@variant(f"{CHAR_RNN}train_step")
def minus_the_right_output(net, optimizer, category_tensor, line_tensor):
    optimizer.zero_grad()
    hidden = net.initHidden()
    for place in range(len(line_tensor)):
        output, hidden = net(line_tensor[place], hidden)
    loss = -output[0, category_tensor].sum()
    loss.backward()
    optimizer.step()
    return output, float(loss)


@variant(f"{CHAR_RNN}train_step")
def with_a_module_of_the_loss(net, optimizer, category_tensor, line_tensor):
    net.zero_grad()
    hidden = net.initHidden()
    for i in range(line_tensor.size(0)):
        output, hidden = net(line_tensor[i], hidden)
    loss = torch.nn.NLLLoss()(output, category_tensor)
    loss.backward()
    optimizer.step()
    return output, loss.item()
