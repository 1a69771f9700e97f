"""Encoders, decoders and discriminators, built and ready to train."""

from keras_saae.networks.augmentation import RandomAffine
from keras_saae.networks.averaging import averaged_copy, update_average
from keras_saae.networks.class_given import EncoderGivenClass
from keras_saae.networks.conv import conv_decoder, conv_encoder
from keras_saae.networks.heads import EncoderWithHeads
from keras_saae.networks.mlp import (
    mlp_decoder,
    mlp_discriminator,
    mlp_encoder,
    with_linear_head,
)
from keras_saae.networks.pixels import pixels, with_noise
from keras_saae.networks.posterior import POSTERIORS, StochasticEncoder, moved
from keras_saae.networks.warping import AffineWarp, Retouch

__all__ = [
    "AffineWarp",
    "EncoderGivenClass",
    "EncoderWithHeads",
    "POSTERIORS",
    "RandomAffine",
    "Retouch",
    "StochasticEncoder",
    "averaged_copy",
    "conv_decoder",
    "conv_encoder",
    "mlp_decoder",
    "mlp_discriminator",
    "mlp_encoder",
    "moved",
    "pixels",
    "update_average",
    "with_linear_head",
    "with_noise",
]
