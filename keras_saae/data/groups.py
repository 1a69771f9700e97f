"""Classes in two levels: sub-classes, each of which belongs to one main class.

One array of labels says how much is known of each image: its sub-class, 0 to
num_classes - 1; only its main class g, written num_classes + g; or nothing, -1.
`losses.grouped_classification_loss` reads such labels.
"""

from collections.abc import Collection, Mapping

import numpy as np

from keras_saae.checks import check_groups, check_labels


def class_groups(members, class_names):
    """The main class of each sub-class.

    Args:
        members: dict from the name of each main class to its sub-classes, by name or
            by number. The main classes are numbered in its order.
        class_names: names of the sub-classes in order, such as `Dataset.class_names`.

    Returns:
        int64 array `(num_classes,)`; `groups[y]` are the main classes of y.

    Raises:
        TypeError: if `members` is no dict.
        ValueError: if a sub-class is left out, named twice or unknown, or if a main
            class has none.

    Example:
        >>> members = {
        ...     "vehicle": ("airplane", "automobile", "ship", "truck"),
        ...     "animal": ("bird", "cat", "deer", "dog", "frog", "horse"),
        ... }
        >>> class_groups(members, data.load("cifar10").class_names)
        array([0, 0, 1, 1, 1, 1, 1, 1, 0, 0])
    """
    names = tuple(class_names)
    numbers = {name: k for k, name in enumerate(names)}
    numbers |= {k: k for k in range(len(names))}
    groups = np.full(len(names), -1)
    if not isinstance(members, Mapping):
        raise TypeError(
            "`members` must be a dict from the name of each main class to its "
            f"sub-classes. Received {type(members).__name__}."
        )
    for group, (main_class, subclasses) in enumerate(members.items()):
        wrong = isinstance(subclasses, str) or not isinstance(subclasses, Collection)
        if wrong or not len(subclasses):
            raise ValueError(
                f"Main class {main_class!r} needs a sequence of sub-classes. Received "
                f"{subclasses!r}."
            )
        for subclass in subclasses:
            if subclass not in numbers:
                raise ValueError(
                    f"Main class {main_class!r} names {subclass!r}, which is no class. "
                    f"Known: {', '.join(map(str, names))}."
                )
            if groups[numbers[subclass]] >= 0:
                raise ValueError(
                    f"Sub-class {subclass!r} is named twice, the second time for "
                    f"{main_class!r}. It belongs to one main class."
                )
            groups[numbers[subclass]] = group
    left_out = [str(name) for name, group in zip(names, groups) if group < 0]
    if left_out:
        raise ValueError(
            f"No main class has {', '.join(left_out)}. Each sub-class belongs to one: "
            "add a main class for the rest if there is no other."
        )
    return groups


def main_labels(y, groups):
    """Labels of the main classes, -1 where there is no label.

    Args:
        y: integer labels `(n,)` of this module's three kinds.
        groups: main class of each sub-class, from `class_groups`.

    Returns:
        int64 array `(n,)`.

    Raises:
        ValueError: if labels or groups are malformed.
    """
    groups = check_groups(groups)
    num_groups = groups.max() + 1
    y = check_labels(y, len(y), len(groups) + num_groups)
    return np.concatenate([groups, np.arange(num_groups), [-1]])[y]


def partial_labels(y, groups):
    """Labels that tell the main class only, num_classes + g; -1 stays.

    Args:
        y: as of `main_labels`.
        groups: as of `main_labels`.

    Returns:
        int64 array `(n,)`.

    Example:
        >>> y = np.where(in_detail, y, partial_labels(y, groups))
    """
    main = main_labels(y, groups)
    return np.where(main < 0, -1, len(groups) + main)


def group_probabilities(probabilities, groups):
    """Probabilities of the main classes: sums over their sub-classes.

    Args:
        probabilities: float `(n, num_classes)`, such as a model predicts.
        groups: as of `main_labels`.

    Returns:
        Array `(n, number of main classes)`. Its argmax may be another main class than
        that of the likeliest sub-class.

    Raises:
        ValueError: if the number of columns is not that of the sub-classes.
    """
    probabilities = np.asarray(probabilities)
    groups = check_groups(groups)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(groups):
        raise ValueError(
            f"`probabilities` must have one column for each of {len(groups)} "
            f"sub-classes. Received shape {probabilities.shape}."
        )
    return probabilities @ np.eye(groups.max() + 1, dtype=probabilities.dtype)[groups]
