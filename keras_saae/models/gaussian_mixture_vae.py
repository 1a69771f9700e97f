"""The VAE that refuses what it does not know (Ghosh et al. 2018)."""

import keras
from keras import ops

from keras_saae import checks, losses
from keras_saae.abilities import ClassifiesCodes, OneCode, PerturbsImages
from keras_saae.adversary import EVALUATION_SEED
from keras_saae.networks import StochasticEncoder, moved
from keras_saae.phases import Phase, PhasedModel


@keras.saving.register_keras_serializable("keras_saae")
class GaussianMixtureVAE(ClassifiesCodes, OneCode, PerturbsImages, PhasedModel):
    """Variational autoencoder whose prior has one Gaussian for each class.

    One phase, `bound`, minimizes

        reconstruction error of both kinds of images
        + w_d mean_unlabelled KL(q(z|x) || mixture)
        + w_l mean_labelled KL(q(z|x) || N(mean_y, I))
        + w_v virtual adversarial loss of the unlabelled images, if it has a weight

    so that a labelled image's code is pulled to its class's Gaussian, an unlabelled
    one's to whichever is near (`losses.mixture_kl`). A code far from all, or one that
    does not reconstruct its image, is what `evaluation.SelectiveClassifier` refuses:

        classifier = SelectiveClassifier(model, means=model.means)

    `predict(x)` gives p(y|z) at the mean code: nearness to the Gaussians alone.

    Args:
        encoder: Keras model from images `(n, height, width[, channels])` in [0, 1] to
            features; the model adds a linear head for m and log s^2 of q(z|x). Paper:
            four convolutions and two dense layers.
        decoder: Keras model from codes `(n, z_dim)` to images in [0, 1]; in the paper
            the encoder turned round.
        prior: `priors.ClassGaussians`, or another with `means`, `log_weights` and
            `log_densities(z)`, whose Gaussians have variance 1. Paper: 10 dimensions,
            equal weights.
        num_classes: number of classes.
        head_initializer: initializer of the head's weights.
        reconstruction_loss: a name in `losses.RECONSTRUCTION_LOSSES`, which says the
            reduction.
        divergence_weight: w_d.
        labelled_divergence_weight: w_l.
        vat_weight: w_v; 0 switches it off, as in the paper. Formula:
            `losses.virtual_adversarial_loss`.
        vat_radius: L2 length of its perturbation in pixel units.
        input_noise: standard deviation of the Gaussian noise on the images that the
            encoder sees, in training, in pixel units.
        augmentation: what changes images in training and leaves their class alone: a
            serializable `augmentation(x, seed)`, such as `networks.RandomAffine()`.
        seed: seeds the noise and the head.

    Raises:
        TypeError, ValueError: if the parts do not fit together, a name is unknown or a
            number out of range; if there are more classes than Gaussians.

    Source: Ghosh et al., arXiv:1806.00081. The Gaussians' places, the bound on the
    divergence to their mixture and virtual adversarial training are ours.
    """

    batch_keys = ("x", "x_labelled", "y_labelled")

    def __init__(
        self,
        encoder,
        decoder,
        prior,
        num_classes,
        head_initializer="glorot_uniform",
        reconstruction_loss="half_squared_error_sum",
        divergence_weight=1.0,
        labelled_divergence_weight=1.0,
        vat_weight=0.0,
        vat_radius=1.0,
        input_noise=0.0,
        augmentation=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        checks.check_choice(
            "reconstruction_loss", reconstruction_loss, losses.RECONSTRUCTION_LOSSES
        )
        self.reconstruction_loss_name = reconstruction_loss
        for name, value in (
            ("divergence_weight", divergence_weight),
            ("labelled_divergence_weight", labelled_divergence_weight),
            ("vat_weight", vat_weight),
            ("vat_radius", vat_radius),
            ("input_noise", input_noise),
        ):
            setattr(self, name, checks.check_number(value, name))
        self.augmentation = checks.check_augmentation(augmentation)
        self.seed = seed

        self.num_classes = checks.check_count(num_classes, "num_classes", minimum=2)
        self.prior = prior
        self.z_dim = checks.check_prior("prior", prior)
        parts = checks.check_class_prior("prior", prior)
        if not (hasattr(prior, "means") and hasattr(prior, "log_densities")):
            raise TypeError(
                "`prior` must have `means` and `log_densities(z)`, like "
                f"priors.ClassGaussians. Received: {prior!r}"
            )
        checks.check_parts("prior", parts, num_classes)
        checks.check_network("encoder", encoder)
        self.image_shape = tuple(encoder.input_shape[1:])
        checks.check_network("decoder", decoder, (self.z_dim,), self.image_shape)
        self.encoder = StochasticEncoder(
            encoder,
            self.z_dim,
            "gaussian",
            kernel_initializer=head_initializer,
            seed=seed,
            name="stochastic_encoder",
        )
        self.decoder = decoder
        self.seeds = keras.random.SeedGenerator(seed)  # tracked, so JAX carries it
        self.reconstruction = keras.metrics.Mean(name="reconstruction")
        self.divergence = keras.metrics.Mean(name="divergence")
        self.error = keras.metrics.Mean(name="error")
        self.built = True  # the parts are built already

    def phases(self):
        codes = self.encoder.trainable_variables
        images = self.decoder.trainable_variables
        return (Phase("bound", self.bound_loss, (*codes, *images)),)

    @property
    def extra_metrics(self):
        return [self.reconstruction, self.divergence, self.error]

    @property
    def means(self):
        """Middle of each class in the latent space, an array `(num_classes, z_dim)`."""
        return ops.convert_to_numpy(self.prior.means)

    def prepare(self, batch, training):
        """Images of both kinds, labels, and the noise of the codes of both."""
        views = self.views(batch, training)
        joined = ops.concatenate([views["x"], views["x_labelled"]])
        seed = self.seeds if training else EVALUATION_SEED
        noise = self.encoder.noise(joined, seed)
        return {**views, "y_labelled": batch["y_labelled"], "noise": noise}

    def bound_loss(self, batch, training):
        """Reconstruction errors, divergences and virtual adversarial training."""
        x, n = batch["x"], ops.shape(batch["x"])[0]
        seen = ops.concatenate([batch["x_noisy"], batch["x_labelled_noisy"]])
        mean, log_variance = self.encoder.moments(seen, training=training)
        of_mixture = losses.mixture_kl(
            mean[:n], log_variance[:n], self.prior.means, self.prior.log_weights
        )
        own_means = ops.take(self.prior.means, batch["y_labelled"], axis=0)
        of_class = losses.gaussian_kl(mean[n:], log_variance[n:], own_means)
        reconstruction = losses.RECONSTRUCTION_LOSSES[self.reconstruction_loss_name](
            ops.concatenate([x, batch["x_labelled"]]),
            self.decoder(moved(mean, log_variance, batch["noise"]), training=training),
        )
        self.reconstruction.update_state(reconstruction)
        self.divergence.update_state(of_mixture)
        y_logits = self.code_logits(mean[n:])
        self.error.update_state(losses.errors(batch["y_labelled"], y_logits))
        loss = (
            reconstruction
            + self.divergence_weight * ops.mean(of_mixture)
            + self.labelled_divergence_weight * ops.mean(of_class)
        )
        if training and self.vat_weight:
            loss = loss + self.vat_weight * losses.virtual_adversarial_loss(
                lambda x: self.classify(x, training=True),
                x,
                self.seeds,
                radius=self.vat_radius,
                probe=self.encoder.vat_probe,
            )
        return loss

    def code_logits(self, z):
        """Log p(y, z), up to a number that all classes share, `(n, num_classes)`."""
        return self.prior.log_densities(z) + self.prior.log_weights

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "encoder": serialize(self.encoder.trunk),
            "decoder": serialize(self.decoder),
            "prior": serialize(self.prior),
            "num_classes": self.num_classes,
            "head_initializer": serialize(self.encoder.kernel_initializer),
            "reconstruction_loss": self.reconstruction_loss_name,
            "divergence_weight": self.divergence_weight,
            "labelled_divergence_weight": self.labelled_divergence_weight,
            "vat_weight": self.vat_weight,
            "vat_radius": self.vat_radius,
            "input_noise": self.input_noise,
            "augmentation": serialize(self.augmentation),
            "seed": self.seed,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
