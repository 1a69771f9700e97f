"""Encoders from elsewhere, such as keras.applications, nested in a user's model."""

import keras
import numpy as np
import pytest
import tiny
from keras import layers

from keras_saae import M2, SemiSupervisedAAE
from keras_saae.data import SemiSupervisedDataset
from keras_saae.networks import (
    EncoderWithHeads,
    mlp_decoder,
    mlp_discriminator,
    mlp_encoder,
    with_linear_head,
)
from keras_saae.priors import Categorical, Gaussian

IMAGE_SHAPE = (32, 32, 3)  # the smallest that keras.applications take
CODE_WIDTH = tiny.NUM_CLASSES + tiny.Z_DIM
X = tiny.random().integers(0, 256, (8, *IMAGE_SHAPE), "uint8")
Y = np.array([0, 1, 2, 0, 1, 2, -1, -1])


def mobile_net(last):
    """A backbone up to that layer, as users wrap it: it wants pixels in [-1, 1]."""
    backbone = keras.applications.MobileNet(
        IMAGE_SHAPE, alpha=0.25, include_top=False, weights=None
    )
    backbone = keras.Model(backbone.input, backbone.get_layer(last).output)
    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            layers.Rescaling(2.0, offset=-1.0),
            backbone,
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2, seed=0),
        ]
    )


def model(encoder, **settings):
    return SemiSupervisedAAE(
        encoder,
        mlp_decoder(IMAGE_SHAPE, CODE_WIDTH, hidden=(6,)),
        mlp_discriminator(tiny.Z_DIM, "on_z", hidden=(6,)),
        mlp_discriminator(tiny.NUM_CLASSES, "on_y", hidden=(6,)),
        Gaussian(tiny.Z_DIM),
        Categorical(tiny.NUM_CLASSES),
        seed=0,
        **settings,
    )


@pytest.mark.parametrize(
    ("last", "vat_weight"),
    [
        ("conv_pw_1_relu", 1.0),
        pytest.param("conv_pw_13_relu", 0.0, marks=pytest.mark.slow),  # all of it
    ],
)
def test_an_application_trains_saves_and_predicts(tmp_path, last, vat_weight):
    trained = model(mobile_net(last), vat_weight=vat_weight, averaging=0.9)
    trained.compile(tiny.adam(), run_eagerly=tiny.FEW_STEPS_RUN_EAGERLY)
    before = tiny.values(trained.encoder.trunk.weights)
    history = trained.fit(SemiSupervisedDataset(X, Y, 8, 6), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    after = tiny.values(trained.encoder.trunk.weights)
    assert all(np.any(one != other) for one, other in zip(before, after))
    predicted = trained.predict(X, verbose=0)
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), predicted, atol=1e-6)


def test_feature_maps_are_flattened_for_the_heads():
    encoder = model(mobile_net("conv_pw_1_relu").layers[1]).encoder
    assert encoder.trunk.output_shape == (None, 16, 16, 16)
    assert encoder.y_head.input_shape == (None, 16, 16, 16)
    assert encoder.z_head.output_shape == (None, tiny.Z_DIM)


@pytest.mark.slow
@pytest.mark.parametrize("model_class", [M2, SemiSupervisedAAE])
def test_vgg16_is_the_classifier(model_class):
    vgg = keras.applications.VGG16(False, None, input_shape=IMAGE_SHAPE, pooling="avg")
    classifier = with_linear_head(vgg, tiny.NUM_CLASSES, "classifier", seed=0)
    encoder = mlp_encoder(IMAGE_SHAPE, hidden=(6,))
    if model_class is M2:
        decoder = mlp_decoder(IMAGE_SHAPE, CODE_WIDTH, hidden=(6,))
        trained = M2(encoder, classifier, decoder, head_hidden=(6,), seed=0)
        optimizers = {"bound": keras.optimizers.SGD(0.1)}
    else:
        trained = model(encoder, classifier=classifier)
        optimizers = {
            phase.name: keras.optimizers.SGD(0.1) for phase in trained.phases()
        }
    first, last = vgg.trainable_variables[0], classifier.trainable_variables[-1]
    before = tiny.values([first, last])
    trained.compile(optimizers, run_eagerly=tiny.FEW_STEPS_RUN_EAGERLY)
    trained.fit(SemiSupervisedDataset(X[:4], Y[:4], 4, 4), verbose=0)
    after = tiny.values([first, last])
    assert all(np.any(one != other) for one, other in zip(before, after))
    expected = keras.ops.softmax(classifier(X[:2].astype("float32") / 255))
    expected = keras.ops.convert_to_numpy(expected)
    np.testing.assert_allclose(trained.predict(X[:2], verbose=0), expected, atol=1e-5)


def test_a_frozen_backbone_trains_by_its_heads_alone():
    encoder = keras.Sequential(
        [keras.Input(IMAGE_SHAPE), layers.Flatten(), layers.Dense(4)]
    )
    encoder.trainable = False
    phase = model(encoder).phases()[-1]
    assert [v.path.split("/")[0] for v in phase.variables] == ["y", "y"]


def test_a_backbone_for_images_of_any_size_is_refused():
    backbone = keras.applications.MobileNet(
        (None, None, 3), alpha=0.25, include_top=False, weights=None
    )
    with pytest.raises(ValueError, match="`encoder` must take inputs of one fixed"):
        model(backbone)


def test_a_nested_backbone_tells_virtual_adversarial_training_its_precision(policy):
    policy("mixed_bfloat16")
    backbone = keras.Sequential(
        [keras.Input((4, 4)), layers.Flatten(), layers.Dense(4)]
    )
    encoder = keras.Sequential([keras.Input((4, 4)), backbone])
    config = keras.saving.serialize_keras_object(encoder)
    policy("float32")
    loaded = keras.saving.deserialize_keras_object(config)
    assert EncoderWithHeads(loaded, 3, 2).vat_probe == 2.0


def test_m2_takes_an_application_as_its_classifier(tmp_path):
    classifier = with_linear_head(mobile_net("conv_pw_1_relu"), 3, "classifier")
    trained = M2(
        mlp_encoder(IMAGE_SHAPE, hidden=(6,)),
        classifier,
        mlp_decoder(IMAGE_SHAPE, CODE_WIDTH, hidden=(6,)),
        head_hidden=(6,),
        seed=0,
    )
    trained.compile({"bound": keras.optimizers.Adam(0.01)})
    before = tiny.values(classifier.trainable_variables)
    history = trained.fit(SemiSupervisedDataset(X, Y, 8, 6), verbose=0).history
    assert np.isfinite(history["bound"]).all()
    after = tiny.values(classifier.trainable_variables)
    assert all(np.any(one != other) for one, other in zip(before, after))
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(X, verbose=0), trained.predict(X, verbose=0), atol=1e-6
    )


def pixels_to_logits(activation=None):
    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            layers.AveragePooling2D(8),
            layers.Flatten(),
            layers.Dense(tiny.NUM_CLASSES, activation, name="logits"),
        ]
    )


def test_a_classifier_of_ones_own_gives_y_and_the_encoder_z(tmp_path):
    own = pixels_to_logits()
    trained = model(
        mlp_encoder(IMAGE_SHAPE, hidden=(6,)), classifier=own, vat_weight=1.0
    )
    expected = keras.ops.softmax(own(X.astype("float32") / 255))
    expected = keras.ops.convert_to_numpy(expected)
    np.testing.assert_allclose(trained.predict(X, verbose=0), expected, atol=1e-6)
    classification = trained.phases()[-1]
    assert [id(v) for v in classification.variables] == [
        id(v) for v in own.trainable_variables
    ]
    trained.compile(tiny.adam())
    before = tiny.values(trained.encoder.weights)
    trained.fit(SemiSupervisedDataset(X, Y, 8, 6), verbose=0)
    after = tiny.values(trained.encoder.weights)
    assert all(np.any(one != other) for one, other in zip(before, after))
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(loaded.encode(X), trained.encode(X)):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_classifier_leaves_the_style_to_the_encoder_s_own_variables():
    own = pixels_to_logits()
    built = model(
        mlp_encoder(IMAGE_SHAPE, hidden=(6,)),
        classifier=own,
        reconstruction_trains_y=False,
    )
    reconstruction = {id(v) for v in built.phases()[0].variables}
    assert not reconstruction & {id(v) for v in own.trainable_variables}
    assert {id(v) for v in built.encoder.z_head.trainable_variables} < reconstruction


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (lambda: pixels_to_logits("softmax"), "`classifier` must end in class logits"),
        (lambda: mlp_encoder((8, 8)), "`classifier` must take"),
        (lambda: mlp_encoder(IMAGE_SHAPE, hidden=(6,)), "`classifier` must"),
        (lambda: "vgg16", "`classifier`"),
    ],
)
def test_classifiers_that_do_not_fit_are_refused(classifier, message):
    with pytest.raises((TypeError, ValueError), match=message):
        model(mlp_encoder(IMAGE_SHAPE, hidden=(6,)), classifier=classifier())
