"""Batches of unlabelled and labelled images."""

import threading

import keras
import numpy as np
import pytest

from keras_saae.data import SemiSupervisedDataset


def numbered_images(n):
    """Images that tell their number: each pixel of image i holds i."""
    return np.tile(np.arange(n, dtype="uint8")[:, None, None], (1, 2, 2))


def make(n=20, labels=(0, 0, 1, 1, 2, 2), **kwargs):
    y = np.full(n, -1)
    y[: len(labels)] = labels
    kwargs = {"batch_size": 5, "labelled_batch_size": 6, **kwargs}
    return SemiSupervisedDataset(numbered_images(n), y, **kwargs)


def numbers(images):
    return images[:, 0, 0].tolist()


def epoch_of(dataset, key="x"):
    return [number for batch in dataset for number in numbers(batch[key])]


def test_a_batch_has_fixed_sizes_and_types():
    batch = make()[0]
    assert {k: (v.shape, str(v.dtype)) for k, v in batch.items()} == {
        "x": ((5, 2, 2), "uint8"),
        "x_labelled": ((6, 2, 2), "uint8"),
        "y_labelled": ((6,), "int32"),
    }


def test_float_images_stay_float():
    dataset = SemiSupervisedDataset(np.zeros((4, 2, 2)), [0, 1, -1, -1], batch_size=2)
    assert dataset[0]["x"].dtype == np.float32


def test_an_epoch_shows_every_image_once_labelled_ones_included():
    dataset = make()
    assert len(dataset) == 4
    assert sorted(epoch_of(dataset)) == list(range(20))


def test_a_short_last_batch_is_filled_from_the_start_of_the_epoch():
    dataset = make(batch_size=8)
    seen = epoch_of(dataset)
    assert len(dataset) == 3
    assert sorted(seen[:20]) == list(range(20))
    assert seen[20:] == seen[:4]


def test_labels_belong_to_their_images():
    labels = [2, 0, 1, 1, 0, 2, 0]
    for batch in make(labels=labels):
        expected = [labels[i] for i in numbers(batch["x_labelled"])]
        assert batch["y_labelled"].tolist() == expected


@pytest.mark.parametrize("size", [1, 3, 4, 7, 12])
def test_every_labelled_batch_is_balanced_within_one(size):
    dataset = make(labels=[0, 0, 0, 0, 0, 1, 2, 2], labelled_batch_size=size)
    for epoch in range(3):
        dataset.set_epoch(epoch)
        for batch in dataset:
            counts = np.bincount(batch["y_labelled"], minlength=3)
            assert counts.max() - counts.min() <= 1


def test_a_labelled_batch_smaller_than_the_classes_visits_all_of_them():
    dataset = make(n=5, labels=[0, 1, 2], batch_size=5, labelled_batch_size=1)
    seen = []
    for epoch in range(3):
        dataset.set_epoch(epoch)
        seen += dataset[0]["y_labelled"].tolist()
    assert seen == [0, 1, 2]


def test_each_class_shows_all_its_images_before_one_comes_again():
    seen = epoch_of(make(labelled_batch_size=3), "x_labelled")  # 12 places, 3 classes
    for turn, images in enumerate(({0, 1}, {2, 3}, {4, 5})):
        of_class = seen[turn::3]
        assert set(of_class[:2]) == set(of_class[2:4]) == images


def test_labelled_images_repeat_in_a_batch_larger_than_their_number():
    batch = make(labelled_batch_size=12)[0]
    assert sorted(numbers(batch["x_labelled"])) == sorted([*range(6)] * 2)


def test_a_batch_depends_on_seed_epoch_and_index_only():
    first, second = make(seed=3), make(seed=3)
    first.set_epoch(2)
    second.set_epoch(9)
    second[1]
    second.set_epoch(2)
    second[3]
    for key in ("x", "x_labelled", "y_labelled"):
        np.testing.assert_array_equal(first[1][key], second[1][key])


@pytest.mark.parametrize("key", ["x", "x_labelled"])
def test_epochs_and_seeds_shuffle_anew(key):
    dataset = make()
    first = epoch_of(dataset, key)
    dataset.set_epoch(1)
    assert epoch_of(dataset, key) != first
    assert epoch_of(make(seed=1), key) != first


def test_batches_are_the_same_on_every_machine():
    batch = make(seed=3)[1]
    assert numbers(batch["x"]) == [9, 12, 17, 3, 13]
    assert numbers(batch["x_labelled"]) == [1, 2, 5, 0, 3, 4]


def test_labelled_epochs_count_passes_over_the_labels():
    dataset = make(epoch="labelled", labelled_batch_size=4)  # 6 labels
    assert len(dataset) == 2
    assert len(epoch_of(dataset)) == 10


def test_labelled_epochs_pass_over_the_images_again_where_labels_outnumber_them():
    dataset = make(n=6, labels=[0, 1] * 3, epoch="labelled", labelled_batch_size=2)
    seen = epoch_of(dataset)  # 3 batches of 5
    assert seen == (seen[:6] * 3)[:15]


def test_an_epoch_ends_after_its_last_batch():
    with pytest.raises(IndexError, match="Batch 4 of 4"):
        make()[4]


def test_updates_are_batches_times_epochs():
    assert make().updates(50) == 200


def test_the_data_set_describes_itself():
    dataset = make(labels=[0, 2, 2, 1], num_classes=3)
    assert (dataset.num_images, dataset.num_labelled, dataset.num_classes) == (20, 4, 3)
    assert dataset.labelled_counts.tolist() == [1, 1, 2]


def test_milestones_after_the_end_are_named():
    with pytest.warns(UserWarning, match="epoch 50, 1000 .* 50 epochs .* 200 in all"):
        make().warn_if_unreachable((10, 50, 1000), epochs=50)


def test_reachable_milestones_give_no_warning(recwarn):
    make().warn_if_unreachable((10, 49), epochs=50)
    assert not recwarn


class LabelledPart(SemiSupervisedDataset):
    """(images, labels) of the labelled batch, for a plain Keras model."""

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        return batch["x_labelled"] / np.float32(20), batch["y_labelled"]


class SetEpoch(keras.callbacks.Callback):
    def __init__(self, dataset):
        super().__init__()
        self.dataset = dataset

    def on_epoch_begin(self, epoch, logs=None):
        self.dataset.set_epoch(epoch)


def tiny_classifier():
    layers = [keras.Input((2, 2)), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.set_weights([np.linspace(-1, 1, 12).reshape(4, 3), np.zeros(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(0.5, momentum=0.9), loss=loss)
    return model


def labelled_part():
    y = np.r_[np.arange(12) % 3, np.full(8, -1)]
    x = numbered_images(20)
    return LabelledPart(x, y, batch_size=5, labelled_batch_size=4)


def test_fit_sees_exactly_the_batches_of_each_epoch():
    dataset = labelled_part()
    fitted, stepped = tiny_classifier(), tiny_classifier()
    fitted.fit(
        dataset, epochs=3, shuffle=False, verbose=0, callbacks=[SetEpoch(dataset)]
    )
    for epoch in range(3):
        dataset.set_epoch(epoch)
        for x, y in dataset:
            stepped.train_on_batch(x, y)
    for one, other in zip(fitted.get_weights(), stepped.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_resumed_fit_sees_the_batches_of_an_unbroken_one():
    unbroken, resumed = tiny_classifier(), tiny_classifier()
    for model, runs in ((unbroken, [(0, 3)]), (resumed, [(0, 1), (1, 3)])):
        for start, end in runs:
            dataset = labelled_part()
            model.fit(
                dataset,
                initial_epoch=start,
                epochs=end,
                shuffle=False,
                verbose=0,
                callbacks=[SetEpoch(dataset)],
            )
    for one, other in zip(unbroken.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_reading_thread_survives_a_change_of_epoch():
    dataset = make(n=100, batch_size=10)
    stop, failures = threading.Event(), []

    def read():
        while not stop.is_set():
            if len(set(epoch_of(dataset)[:10])) != 10:
                failures.append("a batch mixes epochs")

    thread = threading.Thread(target=read)
    thread.start()
    for epoch in range(50):
        dataset.set_epoch(epoch)
    stop.set()
    thread.join()
    assert not failures


def test_data_without_any_label_is_refused():
    with pytest.raises(ValueError, match="no label"):
        make(labels=[])


def test_a_class_without_a_label_is_named():
    with pytest.warns(UserWarning, match="No labelled image of class 1, 3"):
        dataset = make(labels=[0, 2, 2], num_classes=4)
    assert set(dataset[0]["y_labelled"]) == {0, 2}


@pytest.mark.parametrize("wrong", [-2, 3])
def test_labels_outside_the_classes_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Received {wrong}"):
        make(labels=[0, 1, 2, wrong], num_classes=3)


def test_float_labels_are_refused():
    with pytest.raises(TypeError, match="must hold integers"):
        SemiSupervisedDataset(numbered_images(3), [0.0, 1.0, -1.0], batch_size=3)


def test_one_hot_labels_are_refused():
    with pytest.raises(ValueError, match="argmax"):
        SemiSupervisedDataset(numbered_images(3), np.eye(3), batch_size=3)


def test_images_and_labels_of_different_length_are_refused():
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        SemiSupervisedDataset(numbered_images(3), [0, 1], batch_size=3)


def test_images_scaled_to_255_are_refused():
    with pytest.raises(ValueError, match="divide by 255"):
        SemiSupervisedDataset(np.full((2, 2, 2), 255.0), [0, 1], batch_size=2)


def test_images_with_nan_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        SemiSupervisedDataset(np.full((2, 2, 2), np.nan), [0, 1], batch_size=2)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match="at most 20"):
        make(batch_size=21)


@pytest.mark.parametrize("name", ["batch_size", "labelled_batch_size", "num_classes"])
def test_sizes_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer"):
        make(**{name: 0})


def test_an_unknown_epoch_is_refused():
    with pytest.raises(ValueError, match="Received 'both'"):
        make(epoch="both")
