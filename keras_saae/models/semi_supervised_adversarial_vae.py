"""Second step of the semi-supervised adversarial VAE (Zemouri 2020): its decoder."""

import keras
from keras import layers, ops

from keras_saae import checks, losses
from keras_saae.abilities import ClassifiesCodes, OneCode
from keras_saae.adversary import EVALUATION_SEED
from keras_saae.networks import moved, pixels
from keras_saae.phases import Phase, PhasedModel
from keras_saae.priors import Gaussian


@keras.saving.register_keras_serializable("keras_saae")
class SemiSupervisedAdversarialVAE(ClassifiesCodes, OneCode, PhasedModel):
    """Decoder of a classifying code, trained to look real and to keep the code.

    The encoder comes from a `VariationalEncoderClassifier` and stays as it is, so that
    no label is needed here. A step runs, on codes z ~ q(z|x) of images x:

    - discriminator: it tells images x from decoded ones D(z).
    - reconstruction: the decoder minimizes

        sum_layers mean_units (h(x) - h(D(z)))^2     over the encoder's hidden layers
        + beta  * the discriminator's surprise at D(z)
        + gamma * mean (z - m(D(z)))^2               m: the encoder's mean code

    Left open by the description that we build from, and chosen here: layers count
    alike, by the mean over their units, and pixels are none of them; the hidden layers
    are those of the trunk that have an activation; discriminator first; real images are
    those of the batch, decoded ones their reconstructions, none of codes drawn from the
    prior; surprise is -log of the discriminator's probability of "real", as in AAEs;
    gamma compares with the draw z that was decoded, by the mean over its dimensions;
    the encoder does not learn and keeps its moving averages.

    Args:
        encoder: `VariationalEncoderClassifier.encoder`, trained.
        y_head: `VariationalEncoderClassifier.y_head`, trained.
        decoder: Keras model from codes `(n, z_dim)` to images in [0, 1].
        discriminator: Keras model from images to one logit `(n, 1)`, positive for
            "real".
        beta: weight of the adversarial term. Typical: 0 to 0.1.
        gamma: weight of the latent term. Typical: 0 or 0.1.
        feature_layers: names of the trunk's layers to compare, instead.
        discriminator_loss: a name in `losses.ADVERSARIAL_LOSSES` but "wasserstein".
        seed: seeds the codes.

    Raises:
        TypeError, ValueError: if the parts do not fit together, a name is unknown or a
            number out of range; if the encoder has no hidden layer to compare.

    Source: after Zemouri 2020, Semi-supervised adversarial variational autoencoder,
    doi:10.3390/make2030020, section 3.3 (second step: three losses of the
    decoder). Of its text we have seen the abstract and the headings, not the equations.
    """

    def __init__(
        self,
        encoder,
        y_head,
        decoder,
        discriminator,
        beta=0.0075,
        gamma=0.0,
        feature_layers=None,
        discriminator_loss="cross_entropy",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.beta = checks.check_number(beta, "beta")
        self.gamma = checks.check_number(gamma, "gamma")
        games = [name for name in losses.ADVERSARIAL_LOSSES if name != "wasserstein"]
        checks.check_choice("discriminator_loss", discriminator_loss, games)
        self.discriminator_loss_name, self.seed = discriminator_loss, seed
        checks.check_gaussian_encoder("encoder", encoder)
        self.image_shape = tuple(encoder.trunk.input_shape[1:])
        self.z_dim = encoder.z_dim
        checks.check_classifier("y_head", y_head, (self.z_dim,), None)
        checks.check_network("decoder", decoder, (self.z_dim,), self.image_shape)
        checks.check_network("discriminator", discriminator, self.image_shape, (1,))
        self.num_classes = y_head.output_shape[-1]
        self.feature_layers = feature_layers or _hidden_layers(encoder.trunk)
        self.features = keras.Model(
            encoder.trunk.inputs[0],
            [encoder.trunk.get_layer(name).output for name in self.feature_layers],
            name="features",
        )
        self.encoder, self.y_head = encoder, y_head
        self.decoder, self.discriminator = decoder, discriminator
        self.prior = Gaussian(self.z_dim)
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.discriminator_accuracy = keras.metrics.Mean(name="discriminator_accuracy")
        self.feature_error = keras.metrics.Mean(name="feature_error")
        self.code_error = keras.metrics.Mean(name="code_error")
        self.built = True  # the parts are built already

    def phases(self):
        scores = self.discriminator.trainable_variables
        images = self.decoder.trainable_variables
        return (
            Phase("discriminator", self.discriminator_loss, scores),
            Phase("reconstruction", self.reconstruction_loss, images),
        )

    @property
    def extra_metrics(self):
        return [self.discriminator_accuracy, self.feature_error, self.code_error]

    def prepare(self, batch, training):
        """Images and their codes, the same for both phases of the step."""
        x = pixels(batch["x"])
        noise = self.encoder.noise(x, self.seeds if training else EVALUATION_SEED)
        return {"x": x, "z": moved(*self.encoder.moments(x), noise)}

    def discriminator_loss(self, batch, training):
        """It tells real from decoded images; guessing is 2 log 2 = 1.386."""
        x_decoded = ops.stop_gradient(self.decoder(batch["z"], training=training))
        on_real = self.discriminator(batch["x"], training=training)
        on_decoded = self.discriminator(x_decoded, training=training)
        right = ops.concatenate([on_real > 0, on_decoded < 0])
        self.discriminator_accuracy.update_state(ops.cast(right, "float32"))
        loss_fn, _ = losses.ADVERSARIAL_LOSSES[self.discriminator_loss_name]
        return loss_fn(on_real, on_decoded)

    def reconstruction_loss(self, batch, training):
        """Features and, weighted, the discriminator's surprise and the code's error."""
        x, z = batch["x"], batch["z"]
        x_decoded = self.decoder(z, training=training)
        features = losses.feature_error(
            self._features_of(x), self._features_of(x_decoded)
        )
        code = losses.squared_error_mean(z, self.encoder(x_decoded))
        self.feature_error.update_state(features)
        self.code_error.update_state(code)
        loss = features + self.gamma * code
        if self.beta:
            _, surprise = losses.ADVERSARIAL_LOSSES[self.discriminator_loss_name]
            on_decoded = self.discriminator(x_decoded, training=training)
            loss = loss + self.beta * surprise(on_decoded)
        return loss

    def code_logits(self, z):
        """Class logits of codes `(n, z_dim)`."""
        return self.y_head(z)

    def _features_of(self, x):
        features = self.features(x, training=False)
        return features if isinstance(features, (list, tuple)) else [features]

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder),
            "y_head": serialize(self.y_head),
            "decoder": serialize(self.decoder),
            "discriminator": serialize(self.discriminator),
            "beta": self.beta,
            "gamma": self.gamma,
            "feature_layers": self.feature_layers,
            "discriminator_loss": self.discriminator_loss_name,
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }


def _hidden_layers(trunk):
    """Names of a network's layers that end in an activation."""
    linear = (None, keras.activations.linear)
    rectifiers = (layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU)
    names = [
        layer.name
        for layer in trunk.layers
        if getattr(layer, "activation", None) not in linear
        or isinstance(layer, rectifiers)
    ]
    if not names:
        raise ValueError(
            f"No layer of {trunk.name!r} has an activation to compare images by. Name "
            "the `feature_layers` yourself; of a network within the network, whose "
            "layers are not reached, go on from its output: keras.Model(inner.input, "
            "pooling(inner.output))."
        )
    return names
