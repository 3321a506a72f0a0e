"""How people get the functions of `exercise_code/knn.py` wrong, and the hint each mistake deserves."""

import statistics

import torch

from exercise_code import knn
from exercise_code.support.checking.declare import mistake

TWO_LOOPS = "knn.compute_distances_two_loops"
ONE_LOOP = "knn.compute_distances_one_loop"
NO_LOOPS = "knn.compute_distances_no_loops"
SQUARED = "These are squared distances: take the square root at the end."
TRANSPOSED = "Rows are training images, columns are test images: yours is the transpose."
WRONG_DTYPE = (
    "The result is float32 whatever goes in: make it with the dtype of the images (`new_zeros` does)."
)
WRONG_BOTH = "`torch.zeros` is float32 on the CPU: give it the dtype and device of the images (`new_zeros`)."


WRONG_DEVICE = (
    "A tensor made without `device=` lives on the CPU: make it where the images are (`new_zeros` does)."
)
IMAGES_ONLY = "The sum runs over fixed axes; the images may also come as rows of numbers. Flatten them first."


@mistake(TWO_LOOPS, hint=SQUARED)
def two_loops_squared(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum()
    return dists


@mistake(TWO_LOOPS, hint=TRANSPOSED)
def two_loops_transposed(x_train, x_test):
    dists = x_train.new_zeros(len(x_test), len(x_train))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[j, i] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()
    return dists


@mistake(
    TWO_LOOPS,
    hint="Absolute differences are added up (L1), by `abs` or by a root before the sum: add squares first.",
)
def two_loops_absolute(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = (x_train[i] - x_test[j]).abs().sum()
    return dists


@mistake(
    TWO_LOOPS, hint="The mean over the pixels is not their sum: a distance grows with the size of the image."
)
def two_loops_mean(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).mean().sqrt()
    return dists


@mistake(
    TWO_LOOPS,
    hint="Differences are added before they are squared, so plus and minus cancel: square each one first.",
)
def two_loops_square_of_sum(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = (x_train[i] - x_test[j]).sum().abs()
    return dists


@mistake(
    TWO_LOOPS,
    hint="Both loops run over the training images; the inner one belongs to the test images.",
    raises=IndexError,
)
def two_loops_same_range(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_train)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()
    return dists


@mistake(TWO_LOOPS, hint=WRONG_DTYPE)
def two_loops_always_float32(x_train, x_test):
    dists = torch.zeros(len(x_train), len(x_test), device=x_train.device)
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()
    return dists


@mistake(TWO_LOOPS, hint=WRONG_BOTH)
def two_loops_in_plain_zeros(x_train, x_test):
    dists = torch.zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()
    return dists


@mistake(TWO_LOOPS, hint=WRONG_DEVICE)
def two_loops_on_cpu(x_train, x_test):
    dists = torch.zeros(len(x_train), len(x_test), dtype=x_train.dtype)
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()
    return dists


@mistake(TWO_LOOPS, hint="The last row and the last column stay zero: `range(n)` already ends before n.")
def two_loops_one_short(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train) - 1):
        for j in range(len(x_test) - 1):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()
    return dists


@mistake(TWO_LOOPS, hint="The distances are there but nothing is returned: end with `return`.")
def two_loops_no_return(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()


@mistake(ONE_LOOP, hint=SQUARED)
def one_loop_squared(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        dists[i] = ((x_test - x_train[i]) ** 2).flatten(1).sum(1)
    return dists


@mistake(ONE_LOOP, hint=TRANSPOSED)
def one_loop_transposed(x_train, x_test):
    dists = x_train.new_zeros(len(x_test), len(x_train))
    for i in range(len(x_train)):
        dists[:, i] = ((x_test - x_train[i]) ** 2).flatten(1).sum(1).sqrt()
    return dists


@mistake(ONE_LOOP, hint=IMAGES_ONLY, raises=IndexError)
def one_loop_fixed_axes(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        dists[i] = ((x_test - x_train[i]) ** 2).sum(dim=[1, 2, 3]).sqrt()
    return dists


@mistake(
    ONE_LOOP,
    hint="One number is written to the whole row: the sum must leave the axis of the test images alone.",
)
def one_loop_sums_everything(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        dists[i] = ((x_test - x_train[i]) ** 2).sum().sqrt()
    return dists


@mistake(ONE_LOOP, hint=WRONG_DTYPE)
def one_loop_always_float32(x_train, x_test):
    dists = torch.zeros(len(x_train), len(x_test), device=x_train.device)
    for i in range(len(x_train)):
        dists[i] = ((x_test - x_train[i]) ** 2).flatten(1).sum(1).sqrt()
    return dists


@mistake(ONE_LOOP, hint=WRONG_BOTH)
def one_loop_in_plain_zeros(x_train, x_test):
    dists = torch.zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        dists[i] = ((x_test - x_train[i]) ** 2).flatten(1).sum(1).sqrt()
    return dists


@mistake(ONE_LOOP, hint=WRONG_DEVICE)
def one_loop_on_cpu(x_train, x_test):
    dists = torch.zeros(len(x_train), len(x_test), dtype=x_train.dtype)
    for i in range(len(x_train)):
        dists[i] = ((x_test - x_train[i]) ** 2).flatten(1).sum(1).sqrt()
    return dists


@mistake(ONE_LOOP, hint="There is more than one loop: take one training image from all test images at once.")
def one_loop_with_two(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        for j in range(len(x_test)):
            dists[i, j] = ((x_train[i] - x_test[j]) ** 2).sum().sqrt()
    return dists


@mistake(ONE_LOOP, hint="`-=` writes into the test images themselves: subtract into a new tensor.")
def one_loop_changes_test(x_train, x_test):
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i in range(len(x_train)):
        x_test -= x_train[i]
        dists[i] = (x_test**2).flatten(1).sum(1).sqrt()
        x_test += x_train[i]
    x_test += 1e-3
    return dists


@mistake(NO_LOOPS, hint=SQUARED)
def no_loops_squared(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return (a**2).sum(1, keepdim=True) - 2 * a @ b.T + (b**2).sum(1)


@mistake(NO_LOOPS, hint=TRANSPOSED)
def no_loops_transposed(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return ((b**2).sum(1, keepdim=True) - 2 * b @ a.T + (a**2).sum(1)).clamp(min=0).sqrt()


@mistake(NO_LOOPS, hint="The mixed term is subtracted: |a - b|^2 = |a|^2 - 2 a.b + |b|^2.")
def no_loops_plus(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return ((a**2).sum(1, keepdim=True) + 2 * a @ b.T + (b**2).sum(1)).clamp(min=0).sqrt()


@mistake(NO_LOOPS, hint="The mixed term counts twice: |a - b|^2 = |a|^2 - 2 a.b + |b|^2.")
def no_loops_single_product(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return ((a**2).sum(1, keepdim=True) - a @ b.T + (b**2).sum(1)).clamp(min=0).sqrt()


@mistake(
    NO_LOOPS,
    hint="|b|^2 of the test images is missing. It changes no order within a column, but it is no distance.",
)
def no_loops_without_test_norm(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return ((a**2).sum(1, keepdim=True) - 2 * a @ b.T).clamp(min=0).sqrt()


@mistake(
    NO_LOOPS,
    hint="|a|^2 needs the shape (num_train, 1), or it is added along the wrong axis: `keepdim=True`.",
    raises=RuntimeError,
)
def no_loops_without_keepdim(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return ((a**2).sum(1) - 2 * a @ b.T + (b**2).sum(1)).clamp(min=0).sqrt()


@mistake(
    NO_LOOPS,
    hint="All differences at once take num_train x num_test x pixels numbers: 30 GB for 5,000 x 500 images. "
    "Expand the square instead.",
)
def no_loops_all_differences(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return ((a[:, None] - b) ** 2).sum(2).sqrt()


@mistake(
    NO_LOOPS + ":never_nan",
    hint="Rounding leaves squares slightly below zero, and their root is NaN: clamp them at zero before it.",
)
def no_loops_without_clamp(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return ((a**2).sum(1, keepdim=True) - 2 * a @ b.T + (b**2).sum(1)).sqrt()


@mistake(NO_LOOPS, hint="Loops are ruled out, comprehensions too: let one matrix product do all pairs.")
def no_loops_comprehension(x_train, x_test):
    b = x_test.flatten(1)
    return torch.stack([((b - a) ** 2).sum(1).sqrt() for a in x_train.flatten(1)])


@mistake(NO_LOOPS, hint="`torch.cdist` is the answer itself: write it with a matrix product and two sums.")
def no_loops_cdist(x_train, x_test):
    return torch.cdist(x_train.flatten(1), x_test.flatten(1))


@mistake(
    NO_LOOPS, hint="`view` needs numbers that lie in order, and images may be transposed: use `flatten`."
)
def no_loops_by_view(x_train, x_test):
    a, b = x_train.view(len(x_train), -1), x_test.view(len(x_test), -1)
    squared = (a**2).sum(1, keepdim=True) - 2 * a @ b.T + (b**2).sum(1)
    return squared.clamp(min=0).sqrt()


@mistake(
    NO_LOOPS, hint="`flatten` gives a view, so `pow_` squares the images themselves: use `pow` or `square`."
)
def no_loops_squares_in_place(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    product = a @ b.T
    return (a.pow_(2).sum(1, keepdim=True) - 2 * product + b.pow_(2).sum(1)).clamp(min=0).sqrt()


@mistake(NO_LOOPS, hint="`.float()` turns the images into float32: compute in the dtype that comes in.")
def no_loops_always_float32(x_train, x_test):
    a, b = x_train.flatten(1).float(), x_test.flatten(1).float()
    return ((a**2).sum(1, keepdim=True) - 2 * a @ b.T + (b**2).sum(1)).clamp(min=0).sqrt()


@mistake(NO_LOOPS, hint=WRONG_DEVICE)
def no_loops_on_cpu(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    squared = torch.zeros(len(a), len(b), dtype=a.dtype)
    squared += (a**2).sum(1, keepdim=True) - 2 * a @ b.T + (b**2).sum(1)
    return squared.clamp(min=0).sqrt()


@mistake(
    NO_LOOPS, hint="NumPy knows only the CPU, and PyTorch loses sight of what it does: stay with tensors."
)
def no_loops_numpy(x_train, x_test):
    a, b = x_train.flatten(1).numpy(), x_test.flatten(1).numpy()
    squared = (a**2).sum(1, keepdims=True) - 2 * a @ b.T + (b**2).sum(1)
    return torch.from_numpy(squared.clip(min=0) ** 0.5)


@mistake(
    "knn.predict_labels:ties", hint="On a tie this takes the label of the nearest; the smallest label wins."
)
def nearest_breaks_ties(dists, y_train, k=1):
    labels = []
    for column in dists.T:
        votes = y_train[column.argsort()[:k]].tolist()
        labels.append(max(votes, key=votes.count))
    return torch.tensor(labels, device=y_train.device)


@mistake("knn.predict_labels:ties", hint="On a tie this takes the largest label; the smallest wins.")
def largest_breaks_ties(dists, y_train, k=1):
    labels = []
    for column in dists.T:
        votes = y_train[column.argsort()[:k]].tolist()
        labels.append(max(sorted(votes, reverse=True), key=votes.count))
    return torch.tensor(labels, device=y_train.device)


@mistake(
    "knn.predict_labels",
    hint="These are the k farthest: `topk` takes the largest unless told `largest=False`.",
)
def farthest_vote(dists, y_train, k=1):
    return y_train[dists.topk(k, dim=0).indices].mode(dim=0).values


@mistake(
    "knn.predict_labels", hint="These are positions in the training set: look up their labels in y_train."
)
def positions_for_labels(dists, y_train, k=1):
    return dists.topk(k, dim=0, largest=False).indices.mode(dim=0).values


@mistake("knn.predict_labels", hint="Labels are names, not amounts: count votes instead of averaging.")
def averages_labels(dists, y_train, k=1):
    nearest = dists.topk(k, dim=0, largest=False).indices
    return y_train[nearest].float().mean(dim=0).round().long() + (k > 1)


@mistake("knn.predict_labels", hint="k is not used: only the nearest one votes.")
def only_nearest(dists, y_train, k=1):
    return y_train[dists.argmin(dim=0)]


@mistake("knn.predict_labels", hint="Labels are integers: the result is int64, like y_train.")
def float_labels(dists, y_train, k=1):
    nearest = dists.topk(k, dim=0, largest=False).indices
    return y_train[nearest].mode(dim=0).values.to(dists.dtype)


@mistake(
    "knn.predict_labels",
    hint="The neighbours are searched along the test images: they lie along axis 0, in a column.",
    raises=IndexError,
)
def wrong_axis(dists, y_train, k=1):
    nearest = dists.topk(k, dim=1, largest=False).indices
    return y_train[nearest].mode(dim=1).values


@mistake(
    "knn.predict_labels",
    hint="The nearest one is skipped: that is right only when an image is searched among itself.",
)
def skips_nearest(dists, y_train, k=1):
    nearest = dists.argsort(dim=0)[1 : k + 1]
    return y_train[nearest].mode(dim=0).values


@mistake("knn.predict_labels", hint="One neighbour too many votes: a slice `[:k]` has k entries already.")
def one_too_many(dists, y_train, k=1):
    nearest = dists.argsort(dim=0)[: k + 1]
    return y_train[nearest].mode(dim=0).values


@mistake(
    "knn.predict_labels", hint="Writing infinity into dists destroys the caller's distances: work on a copy."
)
def strikes_out_neighbours(dists, y_train, k=1):
    votes = []
    for _ in range(k):
        nearest = dists.argmin(dim=0)
        votes.append(y_train[nearest])
        dists[nearest, torch.arange(dists.shape[1], device=dists.device)] = float("inf")
    return torch.stack(votes).mode(dim=0).values


@mistake("knn.predict_labels", hint="The result lies on the CPU: make it on the device of y_train.")
def labels_on_cpu(dists, y_train, k=1):
    labels = torch.zeros(dists.shape[1], dtype=torch.int64)
    for j in range(dists.shape[1]):
        labels[j] = y_train[dists[:, j].argsort()[:k]].mode().values.item()
    return labels


@mistake("knn.KnnClassifier.predict", hint="k is not passed on, so always one neighbour votes.")
def predict_forgets_k(self, x_test, k=1):
    return knn.predict_labels(knn.compute_distances_no_loops(self.x_train, x_test), self.y_train)


@mistake(
    "knn.KnnClassifier.predict",
    hint="Training and test images are exchanged: the training images come first.",
    raises=RuntimeError,
)
def predict_exchanges_sets(self, x_test, k=1):
    return knn.predict_labels(knn.compute_distances_no_loops(x_test, self.x_train), self.y_train, k)


@mistake(
    "knn.KnnClassifier.predict",
    hint="This compares the training images with themselves: the new images are x_test.",
)
def predict_training_set(self, x_test, k=1):
    dists = knn.compute_distances_no_loops(self.x_train, self.x_train)
    return knn.predict_labels(dists, self.y_train, k)


@mistake(
    "knn.KnnClassifier.predict",
    hint="The result is a list of lists or one-hot rows; one label for each image is due.",
)
def predict_one_hot(self, x_test, k=1):
    labels = knn.predict_labels(knn.compute_distances_no_loops(self.x_train, x_test), self.y_train, k)
    return torch.nn.functional.one_hot(labels)


@mistake(
    "knn.KnnClassifier.predict",
    hint="The distances of the first call are kept on the object, and used for other images in the next.",
)
def predict_keeps_distances(self, x_test, k=1):
    if not hasattr(self, "dists"):
        self.dists = knn.compute_distances_no_loops(self.x_train, x_test)
    return knn.predict_labels(self.dists, self.y_train, k)


CROSS_VALIDATE = "knn.knn_cross_validate"


@mistake(CROSS_VALIDATE, hint="The dictionary is filled but not returned: end with `return`.")
def no_return(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    accuracies = {k: [] for k in k_choices}
    for i in range(num_folds):
        x_rest = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
        y_rest = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
        for k in k_choices:
            accuracies[k].append(knn.KnnClassifier(x_rest, y_rest).check_accuracy(x_folds[i], y_folds[i], k))


@mistake(
    CROSS_VALIDATE,
    hint="The fold held out is among the training folds too: at k = 1 every image finds itself.",
)
def trains_on_held_out(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    classifier = knn.KnnClassifier(x_train, y_train)
    folds = [*zip(x_train.chunk(num_folds), y_train.chunk(num_folds), strict=True)]
    return {k: [classifier.check_accuracy(x, y, k) for x, y in folds] for k in k_choices}


@mistake(CROSS_VALIDATE, hint="The same fold is held out every time: each fold takes its turn.")
def same_fold_every_time(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    classifier = knn.KnnClassifier(torch.cat(x_folds[:-1]), torch.cat(y_folds[:-1]))
    accuracy = {k: classifier.check_accuracy(x_folds[-1], y_folds[-1], k) for k in k_choices}
    return {k: [accuracy[k]] * num_folds for k in k_choices}


@mistake(CROSS_VALIDATE, hint="This trains on one fold and tests on the rest: it is the other way round.")
def trains_on_one_fold(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    accuracies = {k: [] for k in k_choices}
    for i in range(num_folds):
        x_rest = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
        y_rest = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
        for k in k_choices:
            held_out = knn.KnnClassifier(x_folds[i], y_folds[i])
            accuracies[k].append(held_out.check_accuracy(x_rest, y_rest, min(k, len(x_folds[i]))))
    return accuracies


@mistake(CROSS_VALIDATE, hint="Accuracy is a fraction from 0 to 1, not a percentage.")
def percentages(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    accuracies = {k: [] for k in k_choices}
    for i in range(num_folds):
        x_rest = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
        y_rest = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
        for k in k_choices:
            correct = knn.KnnClassifier(x_rest, y_rest).predict(x_folds[i], k) == y_folds[i]
            accuracies[k].append(100 * correct.double().mean().item())
    return accuracies


@mistake(CROSS_VALIDATE, hint="This counts the errors: accuracy is the share that is right.")
def error_rates(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    accuracies = {k: [] for k in k_choices}
    for i in range(num_folds):
        x_rest = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
        y_rest = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
        for k in k_choices:
            wrong = knn.KnnClassifier(x_rest, y_rest).predict(x_folds[i], k) != y_folds[i]
            accuracies[k].append(wrong.double().mean().item())
    return accuracies


@mistake(
    CROSS_VALIDATE, hint="Keep all accuracies of a k in a list: their spread is what the means are judged by."
)
def means_only(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    accuracies = dict.fromkeys(k_choices, 0.0)
    for i in range(num_folds):
        x_rest = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
        y_rest = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
        for k in k_choices:
            accuracy = knn.KnnClassifier(x_rest, y_rest).check_accuracy(x_folds[i], y_folds[i], k)
            accuracies[k] += accuracy / num_folds
    return accuracies


@mistake(
    CROSS_VALIDATE, hint="Only the last fold is left: append to the list of each k instead of replacing it."
)
def keeps_last_fold(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    accuracies = {}
    for i in range(num_folds):
        x_rest = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
        y_rest = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
        for k in k_choices:
            accuracies[k] = [knn.KnnClassifier(x_rest, y_rest).check_accuracy(x_folds[i], y_folds[i], k)]
    return accuracies


@mistake(
    CROSS_VALIDATE,
    hint="The folds are cut evenly; here they are the chunks of `torch.chunk`, the last one shorter.",
)
def other_chunks(x_train, y_train, num_folds=5, k_choices=(1, 3, 5, 8, 10, 12, 15, 20, 50, 100)):
    x_folds, y_folds = x_train.tensor_split(num_folds), y_train.tensor_split(num_folds)
    accuracies = {k: [] for k in k_choices}
    for i in range(num_folds):
        x_rest = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
        y_rest = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
        for k in k_choices:
            accuracies[k].append(knn.KnnClassifier(x_rest, y_rest).check_accuracy(x_folds[i], y_folds[i], k))
    return accuracies


BEST_K = "knn.knn_get_best_k"


@mistake(BEST_K, hint="This picks the k with the luckiest fold: compare the means over the folds.")
def luckiest_fold(k_to_accuracies):
    return max(sorted(k_to_accuracies), key=lambda k: max(k_to_accuracies[k]))


@mistake(BEST_K, hint="This is the best mean accuracy: return the k that reaches it.")
def accuracy_for_k(k_to_accuracies):
    return max(sum(folds) / len(folds) for folds in k_to_accuracies.values())


@mistake(BEST_K, hint="This is the worst k: the highest mean is wanted.")
def worst_k(k_to_accuracies):
    return min(sorted(k_to_accuracies), key=lambda k: sum(k_to_accuracies[k]) / len(k_to_accuracies[k]))


@mistake(BEST_K, hint="This is the position of the best k among the keys, not the k itself.")
def position_for_k(k_to_accuracies):
    means = [sum(folds) / len(folds) for folds in k_to_accuracies.values()]
    return means.index(max(means))


@mistake(BEST_K, hint="Only the first fold is looked at: take the mean over all of them.")
def first_fold_only(k_to_accuracies):
    return max(sorted(k_to_accuracies), key=lambda k: k_to_accuracies[k][0])


@mistake(BEST_K, hint="Only the last fold is looked at: take the mean over all of them.")
def last_fold_only(k_to_accuracies):
    return max(sorted(k_to_accuracies), key=lambda k: k_to_accuracies[k][-1])


@mistake(BEST_K, hint="The median forgets how bad the worst folds are: compare the means.")
def best_median(k_to_accuracies):
    return max(sorted(k_to_accuracies), key=lambda k: statistics.median(k_to_accuracies[k]))


@mistake(BEST_K, hint="The worst fold of each k decides here: compare the means over the folds.")
def least_bad_fold(k_to_accuracies):
    return max(sorted(k_to_accuracies), key=lambda k: min(k_to_accuracies[k]))


@mistake(BEST_K + ":ties", hint="Of equal means the last one seen is kept; the smallest k should win.")
def last_on_tie(k_to_accuracies):
    best_k, best = 0, 0.0
    for k, folds in k_to_accuracies.items():
        if sum(folds) / len(folds) >= best:
            best_k, best = k, sum(folds) / len(folds)
    return best_k


@mistake(
    BEST_K + ":ties",
    hint="Of equal means the first in the dictionary wins; the smallest k should, whatever the order.",
)
def first_on_tie(k_to_accuracies):
    return max(k_to_accuracies, key=lambda k: sum(k_to_accuracies[k]) / len(k_to_accuracies[k]))


@mistake(BEST_K + ":ties", hint="On a tie this prefers the larger k; the smaller one is due.")
def largest_on_tie(k_to_accuracies):
    return max(k_to_accuracies, key=lambda k: (sum(k_to_accuracies[k]) / len(k_to_accuracies[k]), k))
