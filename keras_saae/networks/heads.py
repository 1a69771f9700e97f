"""An encoder whose features feed a class head and a style head."""

import keras
from keras import layers, ops

from keras_saae.networks.initializers import seeded
from keras_saae.networks.mlp import batch_normalization_layer
from keras_saae.networks.precision import vat_probe


@keras.saving.register_keras_serializable("keras_saae")
class EncoderWithHeads(keras.Model):
    """Turns features into codes: trunk -> (y logits, z).

    With a classifier of its own: images -> y logits, beside trunk -> z.

    Args:
        trunk: built Keras model from images `(n, height, width[, channels])` to
            features `(n, ...)`; features of more than one axis are flattened.
        num_classes: width of the class code y.
        z_dim: width of the style code z; 0 for a classifier without a style.
        kernel_initializer: initializer of the heads' weights.
        batch_normalization: `True` normalizes both heads' outputs, without scale.
        seed: seeds the heads' weights.
        classifier: built Keras model from images to class logits `(n, num_classes)`,
            which gives y in the place of a head on the trunk; or None.

    Returns of a call:
        `(y_logits, z)`, float32 `(n, num_classes)` and `(n, z_dim)`, whatever the
        dtype policy of the trunk. z is linear; `None` if `z_dim` is 0.
    """

    def __init__(
        self,
        trunk,
        num_classes,
        z_dim,
        kernel_initializer="glorot_uniform",
        batch_normalization=False,
        seed=None,
        classifier=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.trunk, self.classifier = trunk, classifier
        self.num_classes, self.z_dim = num_classes, z_dim
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.batch_normalization = batch_normalization
        features = keras.Input(trunk.output_shape[1:], name="features")
        self.y_head = self.z_head = None
        if classifier is None:
            self.y_head = self._head("y", features, num_classes, seed)
        if z_dim:
            self.z_head = self._head(
                "z", features, z_dim, None if seed is None else seed + 1
            )
        self.built = True

    def _head(self, name, features, width, seed):
        h = features
        if len(h.shape) > 2:
            h = layers.Flatten(name=f"{name}_flatten")(h)
        h = layers.Dense(
            width,
            use_bias=not self.batch_normalization,  # it has its own offset
            kernel_initializer=seeded(self.kernel_initializer, seed),
            dtype="float32",
            name=name,
        )(h)
        if self.batch_normalization:
            h = batch_normalization_layer(
                f"{name}_normalization", scale=False, dtype="float32"
            )(h)
        return keras.Model(features, h, name=f"{name}_head")

    def call(self, x, training=False):
        features = self.trunk(x, training=training)
        y_logits = self._y_logits(x, features, training)
        if self.z_head is None:
            return y_logits, None
        return y_logits, self.z_head(features, training=training)

    def _y_logits(self, x, features, training):
        if self.classifier is None:
            return self.y_head(features, training=training)
        return ops.cast(self.classifier(x, training=training), "float32")

    def classify(self, x, training=False):
        """The y logits of images, float32 `(n, num_classes)`."""
        features = None
        if self.classifier is None:
            features = self.trunk(x, training=training)
        return self._y_logits(x, features, training)

    @property
    def y_variables(self):
        """What q(y|x) is made of, and is trained."""
        if self.classifier is not None:
            return tuple(self.classifier.trainable_variables)
        return (*self.trunk.trainable_variables, *self.y_head.trainable_variables)

    @property
    def vat_probe(self):
        """See `precision.vat_probe`."""
        return vat_probe(self.classifier or self.trunk)

    def get_config(self):
        return {
            "trunk": keras.saving.serialize_keras_object(self.trunk),
            "classifier": self.classifier
            and keras.saving.serialize_keras_object(self.classifier),
            "num_classes": self.num_classes,
            "z_dim": self.z_dim,
            "kernel_initializer": keras.saving.serialize_keras_object(
                self.kernel_initializer
            ),
            "batch_normalization": self.batch_normalization,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for key in ("trunk", "classifier", "kernel_initializer"):
            config[key] = config.get(key) and keras.saving.deserialize_keras_object(
                config[key], custom_objects
            )
        return cls(**config)
