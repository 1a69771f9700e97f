"""An encoder of one code z, whose distribution q(z|x) is a choice."""

import keras
from keras import layers, ops

from keras_saae import checks
from keras_saae.networks.initializers import seeded
from keras_saae.networks.mlp import hidden_layers
from keras_saae.networks.precision import vat_probe

POSTERIORS = ("deterministic", "gaussian", "universal")
WIDEST = 512


def moved(mean, log_variance, noise):
    """A draw from N(mean, variance) by noise from N(0, I): the reparametrization."""
    return mean + ops.exp(log_variance / 2) * noise


@keras.saving.register_keras_serializable("keras_saae")
class StochasticEncoder(keras.Model):
    """Turns features into a draw from q(z|x).

    - deterministic: z is a function of x; chance comes from the data alone.
    - gaussian: z = m(x) + s(x) e, e ~ N(0, I), one s per dimension.
    - universal: z = f(x, e), e ~ N(0, I): noise is an input of the encoder, which can
      give q(z|x) any shape. The noise joins the features of the trunk, and a further
      hidden layer mixes the two, so that every trunk will do.

    Args:
        trunk: built Keras model from images to features `(n, ...)`; features of more
            than one axis are flattened.
        z_dim: width of z, and of the noise.
        posterior: a name in `POSTERIORS`.
        kernel_initializer: initializer of the weights beyond the trunk.
        seed: seeds them.

    A call takes images, or the pair of images and noise e, and returns z `(n, z_dim)`,
    float32. Without noise it is the middle, as of e = 0.

    Source: Makhzani et al., arXiv:1511.05644, section 2.1. There the noise enters
    beside the pixels.
    """

    def __init__(
        self,
        trunk,
        z_dim,
        posterior="deterministic",
        kernel_initializer="glorot_uniform",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        checks.check_choice("posterior", posterior, POSTERIORS)
        self.trunk, self.z_dim, self.posterior = trunk, z_dim, posterior
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.noise_dim = 0 if posterior == "deterministic" else z_dim
        features = keras.Input(trunk.output_shape[1:], name="features")
        noise = keras.Input((z_dim,), name="noise")
        h = layers.Flatten(name="flatten")(features)
        # Of the layer that mixes noise in: that of the features, of maps not all.
        width = h.shape[-1] if len(features.shape) == 2 else min(h.shape[-1], WIDEST)
        if posterior == "universal":
            h = layers.Concatenate(dtype="float32")([h, noise])
            h = hidden_layers(
                h,
                hidden=(width,),
                kernel_initializer=self.kernel_initializer,
                seed=None if seed is None else seed + 1,
            )
        z = layers.Dense(
            2 * z_dim if posterior == "gaussian" else z_dim,
            kernel_initializer=seeded(self.kernel_initializer, seed),
            dtype="float32",
            name="z",
        )(h)
        inputs = [features, noise] if posterior == "universal" else features
        self.head = keras.Model(inputs, z, name="z_head")
        self.built = True

    @property
    def vat_probe(self):
        """See `precision.vat_probe`."""
        return vat_probe(self.trunk)

    def call(self, inputs, training=False):
        x, noise = inputs if isinstance(inputs, (list, tuple)) else (inputs, None)
        features = self.trunk(x, training=training)
        if self.posterior == "universal":
            if noise is None:
                noise = ops.zeros((ops.shape(x)[0], self.noise_dim))
            return self.head([features, noise], training=training)
        if self.posterior == "gaussian":
            mean, log_variance = self._moments(features, training)
            return mean if noise is None else moved(mean, log_variance, noise)
        return self.head(features, training=training)

    def moments(self, x, training=False):
        """Mean and log-variance `(n, z_dim)` of q(z|x), which must be "gaussian"."""
        return self._moments(self.trunk(x, training=training), training)

    def _moments(self, features, training):
        return ops.split(self.head(features, training=training), 2, axis=-1)

    def noise(self, x, seed):
        """The noise e of images `x`, `(n, z_dim)`; None where z has no use for it."""
        if not self.noise_dim:
            return None
        shape = (ops.shape(x)[0], self.noise_dim)
        return keras.random.normal(shape, dtype="float32", seed=seed)

    def draw(self, x, noise, training=False):
        """Draws z of images `x` with noise as `noise` returned it."""
        return self(x if noise is None else [x, noise], training=training)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "trunk": serialize(self.trunk),
            "z_dim": self.z_dim,
            "posterior": self.posterior,
            "kernel_initializer": serialize(self.kernel_initializer),
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for key in ("trunk", "kernel_initializer"):
            config[key] = keras.saving.deserialize_keras_object(
                config[key], custom_objects
            )
        return cls(**config)
