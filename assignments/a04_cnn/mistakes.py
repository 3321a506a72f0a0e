"""How people get the exercises wrong, and the hint that each mistake deserves."""

from exercise_code.support.checking.declare import mistake


@mistake(
    "cnn.convolutional_networks.unit_rows",
    hint="The columns have length 1 here: sum over the entries of a row, axis 1.",
)
def unit_columns(x):
    return x / x.square().sum(0, keepdim=True).sqrt()


@mistake(
    "cnn.convolutional_networks.unit_rows",
    hint="This divides by the squared length: take the square root of the sum first.",
)
def squared_length(x):
    return x / x.square().sum(1, keepdim=True)
