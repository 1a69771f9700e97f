"""Phases: their order, their logs, and the door of `fit`, `evaluate` and `predict`."""

import keras
import numpy as np
import pytest
import tiny
from keras import ops

from keras_saae import Phase, PhasedModel, PhaseOptimizers
from keras_saae.networks import RandomAffine

EAGER = pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "compiled"])


@keras.saving.register_keras_serializable("tests")
class TwoPhases(PhasedModel):
    """Two numbers, whose updates by SGD of rate 1 can be done by hand.

    follow: 1/2 (a - mean(x))^2, moves a to mean(x).
    chase: a * b, moves b by -a, with the a that `follow` has left.
    """

    image_shape = (1, 1)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.a = self.add_weight(shape=(), initializer="zeros", name="a")
        self.b = self.add_weight(shape=(), initializer="zeros", name="b")
        self.largest = keras.metrics.Mean(name="largest")
        self.built = True

    def phases(self):
        return (
            Phase("follow", self.follow, (self.a,)),
            Phase("chase", lambda batch, training: self.a * self.b, (self.b,)),
        )

    def follow(self, batch, training):
        self.largest.update_state(ops.max(batch["x"]))
        return 0.5 * ops.square(self.a - ops.mean(batch["x"]))

    @property
    def extra_metrics(self):
        return [self.largest]

    def call(self, x, training=False):
        return x * self.a


class Numbered(keras.utils.PyDataset):
    """Two batches whose only pixel is 0.1 in epoch 1, 0.2 in epoch 2 and so on."""

    def __init__(self):
        super().__init__()
        self.set_epoch(0)

    def set_epoch(self, number):
        self.number = number

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return {"x": np.full((2, 1, 1), 0.1 * self.number + 0.01 * index, "float32")}


def two_phases(**settings):
    model = TwoPhases()
    optimizers = {name: keras.optimizers.SGD(1.0) for name in ("chase", "follow")}
    model.compile(optimizers, **settings)
    return model


def pixels(*values):
    return np.array(values, "float32").reshape(-1, 1, 1)


def fit(model, x, **kwargs):
    return model.fit(x, verbose=0, shuffle=False, **kwargs).history


@EAGER
def test_later_phase_sees_what_an_earlier_one_changed(run_eagerly):
    model = two_phases(run_eagerly=run_eagerly)
    fit(model, pixels(0.2, 0.6), batch_size=2)
    np.testing.assert_allclose(model.a.numpy(), 0.4, rtol=1e-6)
    np.testing.assert_allclose(model.b.numpy(), -0.4, rtol=1e-6)


@EAGER
def test_simultaneous_phases_see_the_weights_before_the_step(run_eagerly):
    model = two_phases(run_eagerly=run_eagerly, simultaneous=True)
    fit(model, pixels(0.2, 0.6), batch_size=2)
    np.testing.assert_allclose(model.a.numpy(), 0.4, rtol=1e-6)
    np.testing.assert_allclose(model.b.numpy(), 0.0, atol=1e-7)  # by -a, which was 0


def test_simultaneous_phases_stay_so_when_loaded(tmp_path):
    model = two_phases(simultaneous=True)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").simultaneous
    assert not two_phases().simultaneous


@EAGER
def test_logs_are_means_over_the_images_of_an_epoch(run_eagerly):
    model = two_phases(run_eagerly=run_eagerly)
    history = fit(model, pixels(0.2, 0.6, 0.1), batch_size=2)
    # Two images: a 0 -> 0.4, b 0 -> -0.4. One image: a 0.4 -> 0.1, b * a = -0.04.
    follow = (2 * 0.5 * 0.4**2 + 1 * 0.5 * 0.3**2) / 3
    chase = (2 * 0.0 + 1 * 0.1 * -0.4) / 3
    np.testing.assert_allclose(history["follow"], [follow], rtol=1e-5)
    np.testing.assert_allclose(history["chase"], [chase], rtol=1e-5)
    np.testing.assert_allclose(history["loss"], [follow + chase], rtol=1e-5)
    np.testing.assert_allclose(history["largest"], [(0.6 + 0.1) / 2], rtol=1e-6)
    assert set(history) == {"follow", "chase", "loss", "largest"}


def test_metrics_start_anew_each_epoch():
    model = two_phases(run_eagerly=True)
    history = fit(model, pixels(0.5, 0.5), batch_size=2, epochs=2)
    np.testing.assert_allclose(history["follow"], [0.125, 0.0], atol=1e-7)


@EAGER
def test_epochs_of_a_data_set_are_set_by_number_and_not_shuffled(run_eagerly):
    model = two_phases(run_eagerly=run_eagerly)
    history = model.fit(Numbered(), epochs=4, initial_epoch=1, verbose=0).history
    # `largest` of the two batches of epoch e: 0.1 e and 0.1 e + 0.01
    np.testing.assert_allclose(history["largest"], [0.105, 0.205, 0.305], rtol=1e-5)
    np.testing.assert_allclose(model.a.numpy(), 0.31, rtol=1e-5)


def test_callbacks_of_the_caller_run_beside_ours():
    model = two_phases(run_eagerly=True)
    epochs = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs.append((epoch, logs["follow"]))
    )
    fit(model, Numbered(), callbacks=callback, epochs=2)
    assert [epoch for epoch, _ in epochs] == [0, 1]


@EAGER
def test_evaluation_logs_the_same_losses_and_moves_nothing(run_eagerly):
    model = two_phases(run_eagerly=run_eagerly)
    model.a.assign(0.5)
    model.b.assign(2.0)
    logs = model.evaluate(
        pixels(0.5, 0.1, 0.2), batch_size=2, verbose=0, return_dict=True
    )
    follow = (2 * 0.5 * 0.2**2 + 1 * 0.5 * 0.3**2) / 3
    np.testing.assert_allclose(logs["follow"], follow, rtol=1e-5)
    np.testing.assert_allclose(logs["chase"], 1.0, rtol=1e-6)
    np.testing.assert_allclose(logs["loss"], follow + 1.0, rtol=1e-5)
    np.testing.assert_allclose([model.a.numpy(), model.b.numpy()], [0.5, 2.0])


def test_validation_logs_stand_behind_val():
    model = two_phases(run_eagerly=True)
    history = fit(model, pixels(0.4), validation_data=pixels(0.6))
    # After training a = 0.4 and b = -0.4.
    np.testing.assert_allclose(history["val_follow"], [0.5 * 0.2**2], rtol=1e-5)
    np.testing.assert_allclose(history["val_chase"], [-0.16], rtol=1e-5)


def test_predict_returns_what_call_does():
    model = two_phases()
    model.a.assign(0.5)
    np.testing.assert_allclose(
        model.predict(pixels(0.2, 1), verbose=0)[:, 0, 0], [0.1, 0.5]
    )


def test_steps_are_counted_once_for_all_phases():
    model = two_phases(run_eagerly=True)
    fit(model, pixels(0.1, 0.2, 0.3), batch_size=2, epochs=2)
    assert int(model.optimizer.iterations.numpy()) == 4


def test_phase_without_a_batch_key_is_weighted_by_x():
    assert Phase("one", loss=None, variables=()).batch_key == "x"


# --- compiling --------------------------------------------------------------------


def test_compile_takes_a_dict_and_orders_it_as_the_phases():
    optimizer = two_phases().optimizer
    assert isinstance(optimizer, PhaseOptimizers)
    assert [o.name for o in optimizer.optimizers] == ["follow", "chase"]


def test_compile_settings_come_back_from_their_configuration():
    model = two_phases(run_eagerly=True, steps_per_execution=1)
    model.optimizer["follow"].learning_rate = 0.25
    config = model.get_compile_config()
    again = TwoPhases()
    again.compile_from_config(config)
    assert again.compiled
    assert again.run_eagerly
    assert float(again.optimizer["follow"].learning_rate.numpy()) == 0.25
    assert again.optimizer.initial_learning_rates == {"follow": 1.0, "chase": 1.0}


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.SGD(), None])
def test_compile_refuses_a_single_optimizer(optimizer):
    with pytest.raises(TypeError, match=r"dict from phase.*\['follow', 'chase'\]"):
        TwoPhases().compile(optimizer)


@pytest.mark.parametrize("names", [["follow"], ["follow", "chase", "more"], ["a", "b"]])
def test_compile_refuses_optimizers_of_other_phases(names):
    with pytest.raises(ValueError, match=r"\['follow', 'chase'\], the optimizer"):
        TwoPhases().compile({name: "sgd" for name in names})


def test_compile_refuses_mixed_float16_and_says_why():
    with pytest.raises(ValueError, match="LossScaleOptimizer.*mixed_bfloat16"):
        TwoPhases(dtype="mixed_float16").compile({"follow": "sgd", "chase": "sgd"})


def test_phases_are_for_subclasses_to_define():
    with pytest.raises(NotImplementedError, match="defines `phases"):
        PhasedModel().phases()


# --- bad data ---------------------------------------------------------------------


@pytest.mark.parametrize("how", ["fit", "evaluate"])
def test_fit_and_evaluate_need_compile_first(how):
    with pytest.raises(ValueError, match="compile"):
        if how == "fit":
            TwoPhases().fit(pixels(0.1), verbose=0)
        else:
            TwoPhases().evaluate(pixels(0.1), verbose=0)


@pytest.mark.parametrize("how", ["fit", "validation", "evaluate", "batches"])
def test_labels_are_refused_by_a_model_that_takes_none(how):
    model, x, y = two_phases(), pixels(0.1), np.array([0])
    with pytest.raises(ValueError, match="TwoPhases takes no labels"):
        if how == "fit":
            model.fit(x, y)
        elif how == "validation":
            model.fit(x, validation_data=(x, y))
        elif how == "evaluate":
            model.evaluate(x, y)
        else:
            model.fit(tiny.dataset(x=tiny.images(24)))


@pytest.mark.parametrize("how", ["fit", "evaluate", "predict"])
def test_images_of_another_shape_are_refused(how):
    model, x = two_phases(), np.zeros((3, 2, 2), "float32")
    arguments = {"fit": (x,), "evaluate": (x,), "predict": (x,)}[how]
    with pytest.raises(ValueError, match=r"images of shape \(1, 1\).*\(2, 2\)"):
        getattr(model, how)(*arguments)


def test_batches_of_images_of_another_shape_are_refused():
    data = Numbered()
    data.__class__ = type("Wide", (Numbered,), {"__getitem__": _wide_batch})
    with pytest.raises(ValueError, match=r"\(1, 1\).*batch\['x'\].*\(1, 2\)"):
        two_phases().fit(data)


def _wide_batch(self, index):
    return {"x": np.zeros((2, 1, 2), "float32")}


@pytest.mark.parametrize(
    "batch", [{"images": np.zeros((2, 1, 1))}, np.zeros((2, 1, 1))]
)
def test_batches_without_the_entries_that_the_model_names_are_refused(batch):
    class Other(Numbered):
        def __getitem__(self, index):
            return batch

    with pytest.raises(ValueError, match=r"dicts with the entries \('x',\)"):
        two_phases().fit(Other())


def test_validation_data_are_a_pair():
    model, x = tiny.aae(), tiny.images(1)
    model.compile(tiny.sgd())
    with pytest.raises(ValueError, match="pair.*3 parts"):
        model.fit(tiny.dataset(), validation_data=(x, [0], [1.0]))


# --- the phases of the semi-supervised AAE ----------------------------------------

VARIANTS = {
    "paper": {},
    "all": {
        "labelled_reconstruction": "one_hot",
        "labelled_adversarial": True,
        "head_batch_normalization": True,
        "vat_weight": 1.0,
        "style_consistency_weight": 1.0,
        "augmentation": RandomAffine(),
        "averaging": 0.9,
    },
    "class left alone": {"reconstruction_trains_y": False},
}


@pytest.fixture(scope="module", params=VARIANTS)
def compiled(request):
    parts = tiny.networks(batch_normalization=request.param == "all")
    model = tiny.aae(parts, **VARIANTS[request.param])
    model.compile({phase: keras.optimizers.SGD(0.0) for phase in tiny.PHASES})
    return model


@pytest.mark.parametrize("phase", tiny.PHASES)
def test_phase_moves_exactly_the_weights_it_lists(compiled, phase, batch):
    """So each of them gets a gradient, too: SGD moves by it alone."""
    for name in tiny.PHASES:
        compiled.optimizer[name].learning_rate = 1.0 if name == phase else 0.0
    tiny.set_weights(compiled)
    before = tiny.values(compiled.trainable_variables)
    compiled.train_on_batch(batch)
    after = tiny.values(compiled.trainable_variables)
    moved = [
        variable
        for variable, one, other in zip(compiled.trainable_variables, before, after)
        if np.abs(one - other).max() > 1e-6
    ]
    (listed,) = [p.variables for p in compiled.phases() if p.name == phase]
    assert {id(v): v.path for v in moved} == {id(v): v.path for v in listed}
