"""An encoder that is told the class: q(y|x) beside q(z|x, y)."""

import keras
from keras import layers, ops

from keras_saae.networks.initializers import seeded
from keras_saae.networks.mlp import hidden_layers


@keras.saving.register_keras_serializable("keras_saae")
class EncoderGivenClass(keras.Model):
    """Reads the class from an image, and the style from image and class.

        q(y|x) = Cat(softmax(classifier(x)))
        q(z|x, y) = N(m, s^2),   (m, log s^2) = head(trunk(x), y)

    The trunk looks at an image once for all classes; y joins its features.

    Args:
        trunk: built Keras model from images to features `(n, ...)`; features of more
            than one axis are flattened.
        classifier: built Keras model from images to class logits `(n, num_classes)`.
        z_dim: width of z.
        hidden: units of the head's hidden layers.
        activation: of these.
        kernel_initializer: initializer of the head's weights.
        seed: seeds them.

    Returns of a call:
        `(y_logits, z)`, float32 `(n, num_classes)` and `(n, z_dim)`. z is the mean of
        q(z|x, y) at the most probable class.

    Source: Kingma et al., arXiv:1406.5298, equation 4; there s depends on x alone.
    """

    def __init__(
        self,
        trunk,
        classifier,
        z_dim,
        hidden=(500,),
        activation="relu",
        kernel_initializer="glorot_uniform",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.trunk, self.classifier, self.z_dim = trunk, classifier, z_dim
        self.hidden, self.activation = tuple(hidden), activation
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.num_classes = classifier.output_shape[-1]
        features = keras.Input(trunk.output_shape[1:], name="features")
        y = keras.Input((self.num_classes,), name="y")
        h = layers.Flatten(name="flatten")(features)
        h = hidden_layers(
            layers.Concatenate(dtype="float32")([h, y]),
            hidden=self.hidden,
            activation=activation,
            kernel_initializer=self.kernel_initializer,
            seed=None if seed is None else seed + 1,
        )
        moments = layers.Dense(
            2 * z_dim,
            kernel_initializer=seeded(self.kernel_initializer, seed),
            dtype="float32",
            name="z",
        )(h)
        self.head = keras.Model([features, y], moments, name="z_head")
        self.built = True

    def classify(self, x, training=False):
        """The y logits of images, float32 `(n, num_classes)`."""
        return ops.cast(self.classifier(x, training=training), "float32")

    def moments(self, features, y, training=False):
        """Mean and log-variance of q(z|x, y), `(n, z_dim)` each.

        Args:
            features: of images, `(n, ...)`, from `trunk`.
            y: class codes `(n, num_classes)`, such as one-hot rows.
            training: whether the network trains.
        """
        return ops.split(self.head([features, y], training=training), 2, axis=-1)

    def call(self, x, training=False):
        y_logits = self.classify(x, training=training)
        y = ops.one_hot(ops.argmax(y_logits, axis=-1), self.num_classes)
        features = self.trunk(x, training=training)
        return y_logits, self.moments(features, y, training=training)[0]

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "trunk": serialize(self.trunk),
            "classifier": serialize(self.classifier),
            "z_dim": self.z_dim,
            "hidden": list(self.hidden),
            "activation": self.activation,
            "kernel_initializer": serialize(self.kernel_initializer),
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for key in ("trunk", "classifier", "kernel_initializer"):
            config[key] = keras.saving.deserialize_keras_object(
                config[key], custom_objects
            )
        return cls(**config)
