"""The checks at the door of `fit`, `evaluate` and `predict`, before anything runs."""

import math

import keras
import numpy as np

from keras_saae import checks

EVALUATION_BATCH_SIZE = 1000


class ChecksData:
    """Checks data, and brings them to the form in which Keras takes them.

    Stands before `keras.Model` and uses the model's `batch_keys`, `image_shape`,
    `num_classes`, `groups` and `compiled`.
    """

    def fit(self, x=None, y=None, validation_data=None, callbacks=None, **kwargs):
        """Trains the model; arguments and result as in `keras.Model.fit`.

        Args:
            x: a data set that yields batches as dicts with the model's
                `batch_keys`, such as `SemiSupervisedDataset`; models without
                labels also take an array of images.
            y: not used; labels belong to the data set.
            validation_data: `(x, y)`, images and their class labels; models without
                labels take images alone.
            callbacks: list of callbacks.
            **kwargs: `epochs`, `initial_epoch`, `verbose`, ...

        Raises:
            ValueError: if data are not what the model needs.
        """
        if self._is_label_free:
            pair = isinstance(validation_data, (tuple, list))
            if y is not None or pair or _has_labels(validation_data):
                raise self._takes_no_labels()
            if _is_array(validation_data):
                validation_data = {"x": self._check_images(validation_data)}
        elif y is not None or _is_array(x):
            raise ValueError(
                f"{type(self).__name__}.fit needs batches with the entries "
                f"{self.batch_keys}. Pass one data set that yields them, such as "
                "keras_saae.data.SemiSupervisedDataset(x, y), where y is -1 for "
                "images without a label."
            )
        if isinstance(x, keras.utils.PyDataset):
            self._check_batch(x[0])
            if hasattr(x, "set_epoch"):
                callbacks = [_SetEpoch(x), *_as_list(callbacks)]
            # The data set orders its images itself, from its seed and the epoch.
            kwargs["shuffle"] = False
        elif _is_array(x):
            x = {"x": self._check_images(x)}
        elif isinstance(x, dict):
            self._check_batch(x)
        elif isinstance(getattr(x, "element_spec", None), tuple):  # of tf.data
            if not self._is_label_free:
                self._check_entries(x.element_spec)
            elif len(x.element_spec) > 1:
                raise self._takes_no_labels()
        if isinstance(validation_data, (tuple, list)):
            if len(validation_data) != 2:
                raise ValueError(
                    "`validation_data` is a pair (x, y) of images and class labels. "
                    f"Received {len(validation_data)} parts; weights of samples are "
                    "not supported."
                )
            validation_data = self._check_pair(*validation_data)
        if validation_data is not None:
            kwargs.setdefault("validation_batch_size", EVALUATION_BATCH_SIZE)
        if isinstance(validation_data, tuple) and checks.is_lazy(validation_data[0]):
            size = kwargs.pop("validation_batch_size")
            validation_data = Batches(size, *validation_data)
        return super().fit(
            x=x, validation_data=validation_data, callbacks=callbacks, **kwargs
        )

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """Losses and metrics on images `x` with class labels `y`, if the model has any.

        Arguments and result as in `keras.Model.evaluate`; the batch size is 1,000
        unless given.
        """
        if not self.compiled:
            raise ValueError(
                "Evaluating needs the names of metrics: call `compile` first."
            )
        if self._is_label_free and (y is not None or _has_labels(x)):
            raise self._takes_no_labels()
        if _is_array(x):
            if self._is_label_free:
                x = {"x": self._check_images(x)}
            else:
                x, y = self._check_pair(x, y)
            batch_size = batch_size or EVALUATION_BATCH_SIZE
            if checks.is_lazy(x):
                x, y, batch_size = Batches(batch_size, x, y), None, None
        return super().evaluate(x=x, y=y, batch_size=batch_size, **kwargs)

    def predict(self, x, batch_size=None, **kwargs):
        """What `call` returns for images `x`, as a NumPy array.

        Arguments as in `keras.Model.predict`; the batch size is 1,000 unless given.
        """
        if _is_array(x):
            x = self._check_images(x, allow_lazy=True)
            batch_size = batch_size or EVALUATION_BATCH_SIZE
            if checks.is_lazy(x):
                x, batch_size = Batches(batch_size, x), None
        return super().predict(x, batch_size=batch_size, **kwargs)

    @property
    def _is_label_free(self):
        return tuple(self.batch_keys) == ("x",)

    @property
    def _num_labels(self):
        """Number of labels in training: classes, and main classes if there are any."""
        if self.groups is None:
            return self.num_classes
        return self.num_classes + max(self.groups) + 1

    def _takes_no_labels(self):
        return ValueError(
            f"{type(self).__name__} takes no labels, and was given some. Pass images "
            "alone: fit(x), evaluate(x), fit(..., validation_data=x), or "
            "keras_saae.data.UnlabelledDataset(x)."
        )

    def _check_images(self, x, allow_lazy=False):
        return checks.check_images(
            x, image_shape=self.image_shape, allow_lazy=allow_lazy
        )

    def _check_pair(self, x, y):
        if y is None:
            raise ValueError(
                "Images are evaluated against class labels, one each. "
                "Received y=None. Pass y of shape (num_images,)."
            )
        x = self._check_images(x, allow_lazy=True)
        return x, checks.check_labels(
            y, len(x), self.num_classes, allow_unlabelled=False
        )

    def _check_entries(self, batch):
        """Says what is wrong with the entries of a batch, which may be symbolic."""
        found = sorted(batch) if isinstance(batch, dict) else type(batch).__name__
        if not isinstance(batch, dict) or not set(self.batch_keys) <= set(batch):
            raise ValueError(
                f"{type(self).__name__} needs batches that are dicts with the entries "
                f"{self.batch_keys}. Received a batch with {found}."
            )
        if self._is_label_free and len(batch) > 1:
            raise self._takes_no_labels()

    def _check_batch(self, batch):
        self._check_entries(batch)
        for key in self.batch_keys:
            shape = tuple(batch[key].shape[1:])
            if key.startswith("x") and self.image_shape not in (None, shape):
                raise ValueError(
                    f"The model was built for images of shape {self.image_shape}. "
                    f"Received batch[{key!r}] with images of shape {shape}."
                )
        if "y_labelled" in self.batch_keys:
            checks.check_labels(
                batch["y_labelled"],
                len(batch["x_labelled"]),
                self._num_labels,
                name="y_labelled",
                allow_unlabelled=False,
            )


class _SetEpoch(keras.callbacks.Callback):
    """Tells the data set which epoch it is, so that batches depend on it alone."""

    def __init__(self, dataset):
        super().__init__()
        self.dataset = dataset

    def on_epoch_begin(self, epoch, logs=None):
        self.dataset.set_epoch(epoch)


class Batches(keras.utils.PyDataset):
    """Lazy images, and their labels, one batch at a time."""

    def __init__(self, batch_size, *arrays):
        super().__init__()
        self.batch_size, self.arrays = batch_size, arrays

    def __len__(self):
        return math.ceil(len(self.arrays[0]) / self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        return tuple(array[start : start + self.batch_size] for array in self.arrays)


class PixelBatches(Batches):
    """What an encoder takes of images: float pixels, with noise where it takes some.

    A batch at a time, so that neither lazy images nor the floats of uint8 ones are in
    memory as a whole.
    """

    def __init__(self, x, *noise):
        super().__init__(EVALUATION_BATCH_SIZE, x, *noise)

    def __getitem__(self, index):
        x, *noise = super().__getitem__(index)
        x = x.astype("float32") / 255.0 if x.dtype == np.uint8 else x
        return ((x, *noise) if noise else x,)


def _is_array(x):
    return hasattr(x, "__array__") or checks.is_lazy(x)


def _has_labels(x):
    """Whether batches of a data set have more entries than the images."""
    if not isinstance(x, keras.utils.PyDataset):
        return False
    batch = x[0]
    return isinstance(batch, dict) and len(batch) > 1


def _as_list(callbacks):
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
