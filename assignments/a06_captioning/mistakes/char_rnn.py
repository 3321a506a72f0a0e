"""How people get `rnn.char_rnn` wrong, and the hint each mistake deserves."""

import string

import torch
from torch.nn import functional

from exercise_code.rnn.char_rnn import LETTERS, letter_to_index, to_ascii
from exercise_code.support.checking.declare import mistake

CHAR_RNN = "rnn.char_rnn."
INDEX, LINE = f"{CHAR_RNN}letter_to_index", f"{CHAR_RNN}line_to_tensor"
STEP = f"{CHAR_RNN}CharRNN.forward"
BEST, TRAIN = f"{CHAR_RNN}category_from_output", f"{CHAR_RNN}train_step"


# Letters
@mistake(INDEX, hint="What is not among the symbols gets -1, which counts from the end: raise ValueError.")
def index_by_find(ch):
    return LETTERS.find(ch)


@mistake(INDEX, hint="Numbers start at 1 here: the first letter is number 0.")
def index_from_one(ch):
    return LETTERS.index(ch) + 1


@mistake(INDEX, hint="Capitals get the numbers of small letters: they have their own.")
def index_of_small_letters(ch):
    return LETTERS.index(ch.lower())


@mistake(INDEX, hint="This is the code of the character: its place in LETTERS is due.")
def index_by_code(ch):
    LETTERS.index(ch)
    return ord(ch) - ord("a")


@mistake(INDEX, hint="Capitals come first here: in LETTERS small letters do.")
def index_capitals_first(ch):
    return (string.ascii_uppercase + string.ascii_lowercase + " .,;'").index(ch)


@mistake(INDEX, hint="Anything unknown counts as the last symbol: it is to be refused.")
def index_of_unknown(ch):
    return LETTERS.index(ch) if ch in LETTERS else len(LETTERS) - 1


def _rows(line, ascii_of=to_ascii):
    return [letter_to_index(ch) for ch in ascii_of(line)]


@mistake(LINE, hint="Accents are not taken off: the line goes through `to_ascii` first.", raises=ValueError)
def line_not_normalised(line):
    return functional.one_hot(torch.tensor(_rows(line, str)), len(LETTERS)).float().unsqueeze(1)


@mistake(LINE, hint="Letters with accents are left out: `to_ascii` takes the accents off.")
def line_without_accented(line):
    known = [letter_to_index(ch) for ch in line if ch in LETTERS]
    return functional.one_hot(torch.tensor(known), len(LETTERS)).float().unsqueeze(1)


@mistake(LINE, hint="There is no axis for the batch: each step is (1, 57).")
def line_without_batch(line):
    return functional.one_hot(torch.tensor(_rows(line)), len(LETTERS)).float()


@mistake(LINE, hint="The batch comes first here: the steps do, (L, 1, 57).")
def line_batch_first(line):
    return functional.one_hot(torch.tensor(_rows(line)), len(LETTERS)).float().unsqueeze(0)


@mistake(LINE, hint="The rows are whole numbers, which no layer multiplies: make them float32.")
def line_of_integers(line):
    return functional.one_hot(torch.tensor(_rows(line)), len(LETTERS)).unsqueeze(1)


@mistake(LINE, hint="The name is turned round: its first letter is the first row.")
def line_backwards(line):
    return functional.one_hot(torch.tensor(_rows(line)), len(LETTERS)).float().unsqueeze(1).flip(0)


@mistake(LINE, hint="The line is put in small letters first: capitals have numbers of their own.")
def line_in_small_letters(line):
    return functional.one_hot(torch.tensor(_rows(line.lower())), len(LETTERS)).float().unsqueeze(1)


@mistake(LINE, hint="All letters stand in one row: each has a row of its own.")
def line_as_a_bag(line):
    return functional.one_hot(torch.tensor(_rows(line)), len(LETTERS)).float().sum(0)[None, None]


@mistake(LINE, hint="A row is as wide as the largest number needs: all have 57 columns.")
def line_as_wide_as_needed(line):
    return functional.one_hot(torch.tensor(_rows(line))).float().unsqueeze(1)


@mistake(LINE, hint="Each row holds the letter's number: it holds a 1 at the letter's place.")
def line_of_numbers(line):
    numbers = torch.tensor(_rows(line))
    return (functional.one_hot(numbers, len(LETTERS)) * numbers[:, None]).float().unsqueeze(1)


# The network
@mistake(STEP, hint="The new state lacks tanh.")
def step_without_tanh(self, inputs, hidden):
    hidden = self.u(inputs) + self.w(hidden)
    return self.v(hidden).log_softmax(dim=1), hidden


@mistake(STEP, hint="The outputs are probabilities: their logarithms are due.")
def step_with_softmax(self, inputs, hidden):
    hidden = torch.tanh(self.u(inputs) + self.w(hidden))
    return self.v(hidden).softmax(dim=1), hidden


@mistake(STEP, hint="The outputs are bare scores: a log-softmax makes log-probabilities of them.")
def step_of_scores(self, inputs, hidden):
    hidden = torch.tanh(self.u(inputs) + self.w(hidden))
    return self.v(hidden), hidden


@mistake(STEP, hint="The softmax runs over the names of the batch: it runs over the classes.")
def step_softmax_over_batch(self, inputs, hidden):
    hidden = torch.tanh(self.u(inputs) + self.w(hidden))
    return self.v(hidden).log_softmax(dim=0), hidden


@mistake(STEP, hint="The old state comes back: the next letter needs the new one.")
def step_keeps_state(self, inputs, hidden):
    following = torch.tanh(self.u(inputs) + self.w(hidden))
    return self.v(following).log_softmax(dim=1), hidden


@mistake(STEP, hint="The classes are scored from the old state: it has not seen this letter.")
def step_scores_the_old_state(self, inputs, hidden):
    following = torch.tanh(self.u(inputs) + self.w(hidden))
    return self.v(hidden).log_softmax(dim=1), following


@mistake(STEP, hint="The state is forgotten: w of it belongs into the sum.")
def step_without_memory(self, inputs, hidden):
    following = torch.tanh(self.u(inputs))
    return self.v(following).log_softmax(dim=1), following


@mistake(STEP, hint="State and outputs come in the wrong order: the log-probabilities come first.")
def step_swapped(self, inputs, hidden):
    hidden = torch.tanh(self.u(inputs) + self.w(hidden))
    return hidden, self.v(hidden).log_softmax(dim=1)


@mistake(STEP, hint="tanh is taken of the two parts apart: it goes around their sum.")
def step_with_two_tanhs(self, inputs, hidden):
    hidden = torch.tanh(self.u(inputs)) + torch.tanh(self.w(hidden))
    return self.v(hidden).log_softmax(dim=1), hidden


# The classes
@mistake(BEST, hint="The number comes as a tensor: make it a Python integer.")
def best_as_a_tensor(output, categories):
    number = output.argmax()
    return categories[int(number)], number


@mistake(BEST, hint="The least probable class is taken.")
def best_is_the_least(output, categories):
    number = int(output.argmin())
    return categories[number], number


@mistake(BEST, hint="Number and name change places: the name comes first.")
def best_swapped(output, categories):
    number = int(output.argmax())
    return number, categories[number]


@mistake(BEST, hint="The largest value along the batch is sought: look along the classes.")
def best_over_batch(output, categories):
    number = int(output.argmax(dim=0)[0])
    return categories[number], number


@mistake(BEST, hint="The categories are sorted anew: the number belongs to the order in which they come.")
def best_of_sorted(output, categories):
    number = int(output.argmax())
    return sorted(categories)[number], number


@mistake(BEST, hint="Only the name comes back: return its number as well.", raises=ValueError)
def best_name_alone(output, categories):
    return categories[int(output.argmax())]


# A step of training
def _trained(
    net, optimizer, right, line, *, loss_of=functional.nll_loss, zero=True, update=True, over=None, start=None
):
    hidden, every = net.initHidden() if start is None else start(net), []
    for letter in line if over is None else over(line):
        output, hidden = net(letter, hidden)
        every.append(loss_of(output, right))
    if zero:
        optimizer.zero_grad()
    every[-1].backward()
    if update:
        optimizer.step()
    return output.detach(), every[-1].item()


@mistake(TRAIN, hint="Gradients of earlier steps are still there: clear them before the backward pass.")
def train_without_zeroing(net, optimizer, category_tensor, line_tensor):
    return _trained(net, optimizer, category_tensor, line_tensor, zero=False)


@mistake(TRAIN, hint="Nothing is learned: the optimiser takes no step, or its gradients are cleared before.")
def train_without_update(net, optimizer, category_tensor, line_tensor):
    return _trained(net, optimizer, category_tensor, line_tensor, update=False)


@mistake(TRAIN, hint="The losses after all letters are added up: only the last output counts.")
def train_on_every_letter(net, optimizer, category_tensor, line_tensor):
    hidden, loss = net.initHidden(), 0.0
    for letter in line_tensor:
        output, hidden = net(letter, hidden)
        loss = loss + functional.nll_loss(output, category_tensor)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return output.detach(), loss.item()


@mistake(TRAIN, hint="The mean over all letters is taken: the loss belongs to the last output alone.")
def train_on_the_mean(net, optimizer, category_tensor, line_tensor):
    hidden, losses = net.initHidden(), []
    for letter in line_tensor:
        output, hidden = net(letter, hidden)
        losses.append(functional.nll_loss(output, category_tensor))
    loss = torch.stack(losses).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return output.detach(), loss.item()


@mistake(TRAIN, hint="The state starts anew with each letter: hand it on, or only the last letter is read.")
def train_forgetting(net, optimizer, category_tensor, line_tensor):
    return _trained(net, optimizer, category_tensor, line_tensor, over=lambda line: line[-1:])


@mistake(TRAIN, hint="The name is read backwards.")
def train_backwards(net, optimizer, category_tensor, line_tensor):
    return _trained(net, optimizer, category_tensor, line_tensor, over=lambda line: line.flip(0))


@mistake(TRAIN, hint="The last letter is not read: its output is the one that counts.")
def train_without_the_last_letter(net, optimizer, category_tensor, line_tensor):
    return _trained(
        net, optimizer, category_tensor, line_tensor, over=lambda line: line[:-1] if len(line) > 1 else line
    )


@mistake(TRAIN, hint="The sign of the loss is lost: minus the log-probability is due.")
def train_the_wrong_way(net, optimizer, category_tensor, line_tensor):
    return _trained(
        net, optimizer, category_tensor, line_tensor, loss_of=lambda *pair: -functional.nll_loss(*pair)
    )


@mistake(TRAIN, hint="The loss is 1 minus the probability: its negative logarithm is due.")
def train_on_a_probability(net, optimizer, category_tensor, line_tensor):
    return _trained(
        net,
        optimizer,
        category_tensor,
        line_tensor,
        loss_of=lambda output, right: 1 - output[0, right[0]].exp(),
    )


@mistake(TRAIN, hint="The loss comes back as a tensor: `item()` makes a Python number of it.")
def train_returning_a_tensor(net, optimizer, category_tensor, line_tensor):
    hidden = net.initHidden()
    for letter in line_tensor:
        output, hidden = net(letter, hidden)
    loss = functional.nll_loss(output, category_tensor)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return output.detach(), loss


@mistake(TRAIN, hint="The parameters move at a rate written down here: the step is the optimiser's.")
def train_by_hand(net, optimizer, category_tensor, line_tensor):
    result = _trained(net, optimizer, category_tensor, line_tensor, update=False)
    for param in net.parameters():
        param.data.add_(param.grad, alpha=-0.005)
    return result


@mistake(
    TRAIN,
    hint="The name goes into the net as a whole: it takes one letter, and the state of the one before.",
    raises=ValueError,
)
def train_on_the_whole_name(net, optimizer, category_tensor, line_tensor):
    return _trained(net, optimizer, category_tensor, line_tensor, over=lambda line: [line])


@mistake(TRAIN, hint="The output is that after the step: return the one that the loss was taken of.")
def train_then_read_again(net, optimizer, category_tensor, line_tensor):
    _, loss = _trained(net, optimizer, category_tensor, line_tensor)
    hidden = net.initHidden()
    with torch.no_grad():
        for letter in line_tensor:
            output, hidden = net(letter, hidden)
    return output, loss


@mistake(TRAIN, hint="The step is taken twice.")
def train_twice(net, optimizer, category_tensor, line_tensor):
    found = _trained(net, optimizer, category_tensor, line_tensor)
    optimizer.step()
    return found


@mistake(TRAIN, hint="The gradient is cut off from the earlier letters: keep the graph of the states.")
def train_on_the_last_letter_alone(net, optimizer, category_tensor, line_tensor):
    hidden = net.initHidden()
    for letter in line_tensor:
        output, hidden = net(letter, hidden.detach())
    loss = functional.nll_loss(output, category_tensor)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return output.detach(), loss.item()
