"""The data sets that have a name, and what their arrays look like."""

from dataclasses import dataclass

KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_KEYS = ("x_validation", "y_validation")


@dataclass(frozen=True)
class Kind:
    """What a data set's arrays look like, whatever they come from.

    Attributes:
        image_shape: shape of one image.
        class_names: names of the classes in order, or only their number where the
            file itself names them.
        file_keys: arrays that `<name>.npz` must hold.
        tfds: whether TensorFlow Datasets has the images.
    """

    image_shape: tuple
    class_names: tuple | int
    file_keys: tuple = KEYS
    tfds: bool = False

    @property
    def num_classes(self):
        """Number of classes."""
        names = self.class_names
        return names if isinstance(names, int) else len(names)


KINDS = {
    "mnist": Kind((28, 28), tuple("0123456789"), tfds=True),
    "fashion_mnist": Kind(
        (28, 28),
        (
            *("t-shirt", "trouser", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
        ),
        tfds=True,
    ),
    "digits": Kind((8, 8), tuple("0123456789")),
    "omniglot": Kind((28, 28), 50, (*KEYS, "alphabets"), tfds=True),
    "caltech101_silhouettes": Kind(
        (28, 28), 101, (*KEYS, "x_val", "y_val", "classnames")
    ),
    "cifar10": Kind(
        (32, 32, 3),
        (
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        tfds=True,
    ),
}
NAMES = tuple(KINDS)
