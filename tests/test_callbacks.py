"""Our callbacks, and Keras' own with our model."""

import csv
import re

import keras
import numpy as np
import pytest
import tiny
from keras.optimizers.schedules import PiecewiseConstantDecay
from matplotlib import image

from keras_saae import PhaseOptimizers, callbacks
from keras_saae.models.semi_supervised_aae import PHASES


def model(optimizer=None, **settings):
    """A compiled model with noise and averaged weights: everything that has a state."""
    made = tiny.aae(**{"averaging": 0.9, "input_noise": 0.3, **settings})
    made.compile(optimizer or tiny.adam(), run_eagerly=tiny.FEW_STEPS_RUN_EAGERLY)
    return made


def fit(model, epochs, *callbacks, initial_epoch=0, verbose=0, **kwargs):
    return model.fit(
        tiny.dataset(),
        epochs=epochs,
        initial_epoch=initial_epoch,
        validation_data=(tiny.images(6, seed=3), tiny.labels(6)),
        callbacks=list(callbacks),
        verbose=verbose,
        **kwargs,
    )


def rates(model):
    return {
        optimizer.name: float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        for optimizer in model.optimizer.optimizers
    }


def all_at(rate):
    return pytest.approx(dict.fromkeys(PHASES, rate))


class Watch(keras.callbacks.Callback):
    """Notes the learning rates of each epoch."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(rates(self.model))


class Spoil(keras.callbacks.Callback):
    """Makes the decoder's pixels NaN when an epoch begins."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            weight = self.model.decoder.trainable_weights[-1]
            weight.assign(np.full(weight.shape, np.nan, "float32"))


class Power(keras.callbacks.Callback):
    """Fails when an epoch begins, as a power cut would."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise InterruptedError


@pytest.mark.parametrize(
    "ours",
    [
        each
        for each in vars(callbacks).values()
        if isinstance(each, type) and issubclass(each, keras.callbacks.Callback)
    ],
)
def test_no_callback_makes_fit_wait_for_a_step(ours):
    # Keras reads the logs of every step for a callback that is called after it.
    for hook in ("on_batch_end", "on_train_batch_end"):
        assert getattr(ours, hook) is getattr(keras.callbacks.Callback, hook)


# LearningRateDrops


def test_all_rates_drop_at_the_given_epochs():
    watch = Watch()
    fit(model(tiny.sgd(0.1)), 4, callbacks.LearningRateDrops(epochs=(1, 3)), watch)
    assert watch.rates == [all_at(0.1), all_at(0.01), all_at(0.01), all_at(0.001)]


def test_rates_of_the_named_phases_drop_and_no_others():
    watch = Watch()
    drops = callbacks.LearningRateDrops(
        epochs=[1], factor=0.5, phases=("discriminator", "generator")
    )
    fit(model(tiny.sgd(0.1)), 2, drops, watch)
    assert watch.rates[1] == pytest.approx(
        {
            "reconstruction": 0.1,
            "discriminator": 0.05,
            "generator": 0.05,
            "classification": 0.1,
        }
    )


def test_drop_after_some_updates_inside_an_epoch_equals_a_schedule():
    schedules = PhaseOptimizers(
        # the first four updates, numbers 0 to 3, have the first rate
        {
            p: keras.optimizers.SGD(PiecewiseConstantDecay([3], [0.1, 0.01]))
            for p in PHASES
        }
    )
    by_schedule = model(schedules, input_noise=0.0)
    fit(by_schedule, 3)
    by_drops = model(tiny.sgd(0.1, momentum=0.0), input_noise=0.0)
    fit(by_drops, 3, callbacks.LearningRateDrops(updates=[4]))  # 3 updates an epoch
    tiny.assert_equal(
        tiny.values(by_drops.weights), tiny.values(by_schedule.weights), atol=1e-6
    )


def test_papers_drops_are_the_default():
    assert callbacks.LearningRateDrops().epochs == [50, 1000]
    assert callbacks.LearningRateDrops(updates=[7]).epochs is None


def test_run_that_begins_at_epoch_60_begins_with_the_dropped_rate():
    watch = Watch()
    fit(
        model(tiny.sgd(0.1)), 61, callbacks.LearningRateDrops(), watch, initial_epoch=60
    )
    assert watch.rates == [all_at(0.01)]


@pytest.mark.parametrize("when", [{"epochs": [1]}, {"updates": [3]}])
def test_saved_model_whose_rate_has_dropped_does_not_drop_twice(tmp_path, when):
    first = model(tiny.sgd(0.1))
    fit(first, 2, callbacks.LearningRateDrops(**when))
    assert rates(first) == all_at(0.01)
    first.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    fit(loaded, 3, callbacks.LearningRateDrops(**when), initial_epoch=2)
    assert rates(loaded) == all_at(0.01)


def test_rate_that_dropped_in_another_run_begins_anew():
    trained = model(tiny.sgd(0.1))
    fit(trained, 2, callbacks.LearningRateDrops(epochs=[1]))
    fit(trained, 1, callbacks.LearningRateDrops(epochs=[1]))
    assert rates(trained) == all_at(0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": [1], "updates": [5]}, "either at epochs or at numbers of updates"),
        ({"factor": 10}, "0 < factor < 1. Received: 10"),
        ({"factor": 0}, "0 < factor < 1. Received: 0"),
        ({"epochs": [-1]}, "`epochs` must be an integer of at least 0. Received -1"),
    ],
)
def test_drops_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        callbacks.LearningRateDrops(**settings)


def test_unknown_phase_is_refused_before_training_with_a_suggestion():
    with pytest.raises(ValueError, match="Did you mean 'generator'"):
        fit(model(), 1, callbacks.LearningRateDrops(phases=["generater"]))


def test_phase_with_a_schedule_is_refused_unless_left_out():
    optimizers = tiny.sgd(0.1).by_phase
    optimizers["generator"] = keras.optimizers.SGD(
        PiecewiseConstantDecay([3], [1.0, 0.1])
    )
    trained = model(PhaseOptimizers(optimizers))
    with pytest.raises(ValueError, match="phase 'generator' follows a schedule"):
        fit(trained, 1, callbacks.LearningRateDrops())
    fit(trained, 1, callbacks.LearningRateDrops(epochs=[0], phases=["discriminator"]))
    assert rates(trained)["discriminator"] == pytest.approx(0.01)


# SampleGrid


def test_pictures_are_drawn_every_few_epochs_and_numbered_by_epoch(tmp_path):
    folder = tmp_path / "new" / "samples"
    fit(model(), 5, callbacks.SampleGrid(folder, every=2, num_styles=4))
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["samples_0002.png", "samples_0004.png"]
    picture = image.imread(folder / names[0])
    assert picture.min() < picture.max()


def test_sample_grid_every_zero_epochs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`every` must be an integer of at least 1"):
        callbacks.SampleGrid(tmp_path, every=0)


# TrainingSummary


def test_summary_line_says_losses_discriminator_accuracy_and_validation_error():
    summary = callbacks.TrainingSummary()
    summary.set_model(tiny.aae())
    summary.set_params({"epochs": 20})
    logs = {
        "loss": 99.0,
        "reconstruction": 21.352,
        "discriminator": 2.6123,
        "generator": 1.55,
        "classification": 0.01999,
        "discriminator_accuracy": 0.584,
        "val_error": 2.414,
    }
    assert summary.line(11, logs, 19.26) == (
        "epoch 12/20 | reconstruction 21.35, discriminator 2.612 (right 58 %), "
        "generator 1.55, classification 0.01999 | validation error 2.41 % | 19.3 s"
    )


def test_summary_prints_every_few_epochs_and_after_the_last(capsys):
    fit(model(), 5, callbacks.TrainingSummary(every=2))
    printed = re.findall(r"^epoch (\d+)/5 \|", capsys.readouterr().out, re.MULTILINE)
    assert printed == ["2", "4", "5"]


# StopOnNonFinite


def test_nan_stops_training_names_phase_and_epoch_and_keeps_the_last_good_file(
    tmp_path,
):
    path = tmp_path / "run.keras"
    with pytest.raises(FloatingPointError, match=r"epoch 3, .*reconstruction \(nan\)"):
        fit(
            model(),
            5,
            Spoil(epoch=2),
            callbacks.StopOnNonFinite(),
            callbacks.Checkpoint(path),
        )
    kept, epochs, history = callbacks.load_checkpoint(path)
    assert epochs == len(history["loss"]) == 2
    assert all(np.isfinite(value).all() for value in tiny.values(kept.weights))


def test_finite_losses_pass():
    stop = callbacks.StopOnNonFinite()
    stop.set_model(tiny.aae())
    stop.on_epoch_end(0, dict.fromkeys(PHASES, 1e30))


# Checkpoint


def test_resumed_run_equals_an_unbroken_one_exactly(tmp_path):
    path = tmp_path / "run.keras"
    drops = {"epochs": (1, 3)}
    unbroken = model(tiny.adam(0.01))
    checkpoint = callbacks.Checkpoint(tmp_path / "unbroken.keras")
    fit(unbroken, 4, callbacks.LearningRateDrops(**drops), checkpoint)

    with pytest.raises(InterruptedError):
        fit(
            model(tiny.adam(0.01)),
            4,
            callbacks.LearningRateDrops(**drops),
            callbacks.Checkpoint(path),
            Power(epoch=2),
        )
    resumed, epochs, history = callbacks.load_checkpoint(path)
    assert epochs == 2
    resumed_checkpoint = callbacks.Checkpoint(path, history=history)
    fit(
        resumed,
        4,
        callbacks.LearningRateDrops(**drops),
        resumed_checkpoint,
        initial_epoch=epochs,
    )
    tiny.assert_equal(tiny.state(resumed), tiny.state(unbroken))
    for run in (checkpoint.history, resumed_checkpoint.history):
        assert len(run.pop("seconds")) == 4
    assert resumed_checkpoint.history == checkpoint.history


def test_checkpoint_is_one_file_with_the_history_and_opens_as_a_model(tmp_path):
    path = tmp_path / "new" / "run.keras"
    trained = model()
    history = fit(trained, 2, callbacks.Checkpoint(path)).history
    assert list(path.parent.iterdir()) == [path]
    loaded, epochs, kept = callbacks.load_checkpoint(path)
    assert epochs == 2
    assert len(kept.pop("seconds")) == 2
    assert kept == history
    opened = keras.saving.load_model(path)
    for other in (loaded, opened):
        tiny.assert_equal(tiny.state(other), tiny.state(trained))


def test_checkpoint_saves_every_few_epochs_and_after_the_last(tmp_path, monkeypatch):
    saved = []
    checkpoint = callbacks.Checkpoint(tmp_path / "run.keras", every=2)
    monkeypatch.setattr(checkpoint, "save", saved.append)
    fit(model(), 5, checkpoint)
    assert saved == [2, 4, 5]


def test_checkpoint_keeps_a_number_per_epoch_where_few_are_validated(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path / "run.keras")
    logs = [{"loss": 3.0}, {"loss": 2.0, "val_error": 7.0}, {"loss": 1.0}]
    checkpoint.set_params({"epochs": 0})
    checkpoint.set_model(model())
    for epoch, epoch_logs in enumerate(logs):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, epoch_logs)
    _, _, kept = callbacks.load_checkpoint(checkpoint.path)
    assert kept["loss"] == [3.0, 2.0, 1.0]
    np.testing.assert_equal(kept["val_error"], [np.nan, 7.0, np.nan])


@pytest.mark.parametrize("call", ["zipfile.ZipFile.writestr", "os.replace"])
def test_death_while_writing_leaves_the_checkpoint_before_it(
    tmp_path, monkeypatch, call
):
    path = tmp_path / "run.keras"
    trained = model()
    fit(trained, 1, callbacks.Checkpoint(path))
    before = path.read_bytes()

    def die(*args, **kwargs):
        raise InterruptedError

    monkeypatch.setattr(call, die)
    with pytest.raises(InterruptedError):
        fit(trained, 2, callbacks.Checkpoint(path), initial_epoch=1)
    monkeypatch.undo()
    assert path.read_bytes() == before
    fit(trained, 3, callbacks.Checkpoint(path), initial_epoch=2)
    assert list(tmp_path.iterdir()) == [path]  # what was left is written over


def test_checkpoint_of_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in '\.keras'. Received: .*run\.h5"):
        callbacks.Checkpoint(tmp_path / "run.h5")


def test_missing_checkpoint_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*run\.keras"):
        callbacks.load_checkpoint(tmp_path / "run.keras")


def test_file_that_is_no_checkpoint_is_said(tmp_path):
    path = tmp_path / "model.keras"
    model().save(path)
    with pytest.raises(ValueError, match=r"model\.keras is not a checkpoint"):
        callbacks.load_checkpoint(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"model\.keras is not a checkpoint"):
        callbacks.load_checkpoint(path)


def test_history_is_written_as_one_row_per_epoch(tmp_path):
    path = tmp_path / "history.csv"
    callbacks.write_history({"loss": [2.5, 1.5], "val_error": [50.0, 25.0]}, path)
    assert path.read_text().split() == [
        "epoch,loss,val_error",
        "1,2.5,50.0",
        "2,1.5,25.0",
    ]
    assert list(tmp_path.iterdir()) == [path]


# Keras' own callbacks


def test_model_checkpoint_keeps_the_best_model_by_its_default_monitor(tmp_path):
    path = tmp_path / "best.keras"
    trained = model()
    history = fit(
        trained, 3, keras.callbacks.ModelCheckpoint(path, save_best_only=True)
    ).history
    kept = keras.saving.load_model(path)
    result = kept.evaluate(
        tiny.images(6, seed=3), tiny.labels(6), verbose=0, return_dict=True
    )
    assert result["loss"] == pytest.approx(min(history["val_loss"]))


def test_model_checkpoint_keeps_weights_of_each_epoch(tmp_path):
    path = str(tmp_path / "{epoch}.weights.h5")
    trained = model()
    fit(trained, 2, keras.callbacks.ModelCheckpoint(path, save_weights_only=True))
    other = model(seed=1)
    other.load_weights(tmp_path / "2.weights.h5")
    tiny.assert_equal(tiny.state(other), tiny.state(trained))


def test_backup_and_restore_continues_as_if_never_interrupted(tmp_path):
    unbroken = model()
    fit(unbroken, 3)
    with pytest.raises(InterruptedError):
        fit(
            model(), 3, keras.callbacks.BackupAndRestore(tmp_path / "b"), Power(epoch=2)
        )
    resumed, watch = model(), Watch()
    fit(resumed, 3, keras.callbacks.BackupAndRestore(tmp_path / "b"), watch)
    assert len(watch.rates) == 1  # only the third epoch was left
    tiny.assert_equal(tiny.state(resumed), tiny.state(unbroken))


def test_csv_logger_writes_every_log(tmp_path):
    path = tmp_path / "log.csv"
    history = fit(model(), 2, keras.callbacks.CSVLogger(path)).history
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    for key in ("loss", *PHASES, "discriminator_accuracy", "val_loss", "val_error"):
        assert [float(row[key]) for row in rows] == pytest.approx(history[key])


def test_tensorboard_gets_losses_rates_and_weights(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    fit(
        model(tiny.sgd(0.1)),
        2,
        keras.callbacks.TensorBoard(
            tmp_path, histogram_freq=1, write_steps_per_second=True
        ),
    )
    tags = {}
    for part in ("train", "validation"):
        events = accumulator.EventAccumulator(str(tmp_path / part))
        events.Reload()
        tags[part] = events.Tags()
    scalars = {"epoch_loss", *(f"epoch_{phase}" for phase in PHASES)}
    learning_rates = {f"epoch_learning_rate_{phase}" for phase in PHASES}
    assert scalars | learning_rates <= set(tags["train"]["tensors"])
    assert scalars | {"epoch_error"} <= set(tags["validation"]["tensors"])
    assert any("histogram" in tag for tag in tags["train"]["tensors"])


def test_early_stopping_stops_and_restores_the_best_weights():
    first = model()
    fit(first, 1)
    stopped = model()
    stop = keras.callbacks.EarlyStopping(
        patience=2,
        min_delta=1e9,  # nothing counts as better
        restore_best_weights=True,
    )
    assert len(fit(stopped, 9, stop).epoch) == 3
    tiny.assert_equal(tiny.values(stopped.weights), tiny.values(first.weights))


def test_early_stopping_by_validation_error():
    stop = keras.callbacks.EarlyStopping(
        monitor="val_error", mode="min", patience=1, min_delta=100
    )
    assert len(fit(model(), 9, stop).epoch) == 2


def test_reduce_on_plateau_reduces_the_rates_of_all_phases():
    watch = Watch()
    reduce = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=1e9)
    logs = fit(model(tiny.sgd(0.1)), 3, reduce, watch).history
    assert watch.rates == [all_at(0.1), all_at(0.05), all_at(0.025)]
    assert logs["learning_rate_generator"] == pytest.approx([0.1, 0.1, 0.05])


def test_learning_rate_scheduler_sets_the_rates_of_all_phases():
    watch = Watch()
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    fit(model(tiny.sgd(0.1)), 2, scheduler, watch)
    assert watch.rates == [all_at(0.05), all_at(0.025)]


def test_terminate_on_nan_stops_within_the_epoch():
    history = fit(model(), 5, Spoil(epoch=1), keras.callbacks.TerminateOnNaN()).history
    assert len(history["loss"]) == 2
    assert np.isnan(history["loss"][1])
