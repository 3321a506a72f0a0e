"""What is asked of the functions in `exercise_code/knn.py`."""

from exercise_code.support.checking.declare import check

RULED_OUT = ["torch.cdist", "torch.dist", "torch.norm", "torch.linalg.norm", "torch.linalg.vector_norm"]


@check("knn.compute_distances_two_loops", points=3, loops=2, forbids=RULED_OUT)
def two_loops(code, case):
    """Distances one pair at a time."""
    distances = code.knn.compute_distances_two_loops
    return {
        "dists": distances(case.images(4), case.images(3)),
        "dists of points": distances(case.points(2), case.points(3)),
    }


@check("knn.compute_distances_one_loop", points=4, loops=1, forbids=RULED_OUT)
def one_loop(code, case):
    """Distances of one training image to all test images at once."""
    distances = code.knn.compute_distances_one_loop
    return {
        "dists": distances(case.images(4), case.images(3)),
        "dists of points": distances(case.points(2), case.points(3)),
    }


@check("knn.compute_distances_no_loops", points=6, loops=0, memory=6, forbids=RULED_OUT)
def no_loops(code, case):
    """Distances of all pairs at once."""
    distances = code.knn.compute_distances_no_loops
    return {
        "dists": distances(case.images(4), case.images(3)),
        "dists of points": distances(case.points(2), case.points(3)),
    }


@check("knn.compute_distances_no_loops:never_nan", points=1, rtol=0.1, atol=5.0, forbids=RULED_OUT)
def never_nan(code, case):
    """Equal images far from the origin, where rounding makes squares negative."""
    offsets = case.numbers(32, reach=30.0)
    images = case.tensor(case.images(32, brightness=70) + offsets[:, None, None, None])
    return {"dists": code.knn.compute_distances_no_loops(images, images)}


@check("knn.predict_labels", points=3)
def votes(code, case):
    """The k nearest vote."""
    dists = case.positive_matrix(9, 17)
    y_train = case.labels_of(9, [15, 3])
    return {f"labels for k={k}": code.knn.predict_labels(dists, y_train, k) for k in (1, 3, 5)}


@check("knn.predict_labels:ties", points=2)
def ties(code, case):
    """A tie goes to the smallest label."""
    small, large = case.shuffled(range(2, 10)), case.shuffled(range(10, 15))
    fours = [2 * sorted(pair) for pair in (small[:2], large[:2], [small[2], large[2]])]
    y_train = case.tensor([label for four in fours for label in case.shuffled(four)] + [15, 0, 15])
    nearest = case.labels(24, num_classes=3).tolist()
    far = [[1000.0 * (row // 4 != near) for near in nearest] for row in range(len(y_train))]
    dists = case.tensor(case.positive_matrix(len(y_train), 24) + case.tensor(far))
    return {"labels for k=4": code.knn.predict_labels(dists, y_train, 4)}


DISTANCES = [f"knn.compute_distances_{loops}" for loops in ("two_loops", "one_loop", "no_loops")]


@check("knn.KnnClassifier.predict", points=2, uses=[*DISTANCES, "knn.predict_labels"])
def classifier(code, case):
    """From images to labels."""
    x_train, y_train = case.labelled_images(11, num_classes=3)
    classifier = code.knn.KnnClassifier(x_train, y_train)
    x_test, _ = case.labelled_images(9, num_classes=3)
    return {f"labels for k={k}": classifier.predict(x_test, k) for k in (1, 11)}


@check("knn.knn_cross_validate", points=4, uses=["knn.KnnClassifier.predict"])
def cross_validation(code, case):
    """Every fold is held out once."""
    x_train, y_train = case.labelled_images(25, num_classes=3)
    accuracies = code.knn.knn_cross_validate(x_train, y_train, num_folds=3, k_choices=[1, 4, 8])
    return {"accuracies": accuracies}


@check("knn.knn_get_best_k", points=2)
def best_k(code, case):
    """The highest mean decides."""
    chosen = []
    for _ in range(6):
        (
            k_best,
            k_lucky,
            k_starting_well,
            k_ending_well,
            k_often_good,
            k_mostly_good,
            k_even,
            k_worst,
            k_other,
        ) = case.shuffled([1, 2, 3, 5, 8, 13, 21, 34, 55])
        accuracies = {k_other: [0.4 + case.integer(0, 9) / 100 for _ in range(5)]}
        accuracies[k_best] = [0.4, *(0.6 + case.integer(0, 9) / 100 for _ in range(4))]
        accuracies[k_worst] = [0.1 + case.integer(0, 9) / 100 for _ in range(5)]
        accuracies[k_lucky] = [0.3, 0.9, 0.3, 0.3, 0.3]
        accuracies[k_starting_well] = [0.8, 0.3, 0.3, 0.3, 0.3]
        accuracies[k_ending_well] = [0.3, 0.3, 0.3, 0.3, 0.8]
        accuracies[k_often_good] = [0.1, 0.75, 0.1, 0.75, 0.75]
        accuracies[k_mostly_good] = [0.69, 0.69, 0.0, 0.69, 0.69]
        accuracies[k_even] = [0.5] * 5
        shuffled = {k: accuracies[k] for k in case.shuffled(list(accuracies))}
        chosen.append(code.knn.knn_get_best_k(shuffled))
    return {"best k": chosen}


@check("knn.knn_get_best_k:ties", points=1)
def equal_means(code, case):
    """A tie goes to the smallest k."""
    steps = [-2, -1, 0, 1, 2]

    def best(place_of_worst, order):
        choices = sorted(case.shuffled(range(1, 30))[:5])
        worst = choices.pop(place_of_worst)
        widths = case.shuffled(range(1, 5))
        equal = {
            choices[place]: case.shuffled(0.5 + width * step / 32 for step in steps)
            for place, width in zip(order, widths, strict=True)
        }
        return code.knn.knn_get_best_k({worst: [0.125] * 5, **equal})

    return {
        "best k": [best(0, [1, 0, 3, 2]) for _ in range(4)],
        "best k of others": [best(2, [2, 1, 0, 3]) for _ in range(4)],
    }
