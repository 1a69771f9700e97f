"""Codes of images distributed like a prior of your choice, with no labels at all.

    python examples/priors.py --prior=swiss_roll
    KERAS_BACKEND=jax python examples/priors.py --dataset=digits

Figures: the codes over their prior and the decoded plane, as figures 2 and 5 of the
paper; of a categorical prior, what each of its ten corners stands for. Number: the
maximum mean discrepancy of codes of test images and their prior.
"""

import common
from absl import flags

common.define_flags("Settings: aae, aae_small or another of keras_saae.recipes.")
_PRIOR = flags.DEFINE_enum(
    "prior",
    None,
    ["gaussian", "uniform", "categorical", "mixture", "swiss_roll"],
    "What the codes should be distributed like; the recipe's own if not given, a "
    "mixture of Gaussians on a ring.",
)
_POSTERIOR = flags.DEFINE_enum(
    "posterior",
    None,
    ["deterministic", "gaussian", "universal"],
    "What q(z|x) is; the recipe's own if not given, deterministic.",
)
_DISCRIMINATOR_LOSS = flags.DEFINE_enum(
    "discriminator_loss",
    None,
    ["cross_entropy", "least_squares", "hinge", "wasserstein"],
    "What the discriminator minimizes; the recipe's own if not given, cross_entropy.",
)

GRID = 16  # images along an edge of the decoded plane
NUM_CORNERS = 10  # of a categorical prior


def main(argv):
    """Trains, looks at the codes of test images once, and writes everything down."""
    del argv
    from keras import ops

    from keras_saae import evaluation, plotting

    changes = common.choose_prior("aae", _PRIOR.value)
    if _PRIOR.value == "categorical":
        changes["z_dim"] = NUM_CORNERS
    run = common.train(
        "aae",
        labels=0,
        setting=lambda r: f"{r.prior}, {r.posterior}, {r.discriminator_loss}",
        posterior=_POSTERIOR.value,
        discriminator_loss=_DISCRIMINATOR_LOSS.value,
        **changes,
    )
    model, images = run.model, run.images
    z = model.encode(images.x_test[:2000], seed=0)
    # Another seed: with the same, codes of a Gaussian posterior have the prior's noise.
    draws = ops.convert_to_numpy(model.prior.sample(2000, seed=1))
    if _PRIOR.value == "categorical":
        decoded = decoded_corners(model)
    else:
        decoded = decoded_plane(model, draws)
    error = model.reconstruct(images.x_test) - images.x_test / 255.0
    common.finish(
        run,
        {
            "latent_mmd": evaluation.latent_mmd(z, draws),
            "test_half_squared_error": float(0.5 * (error**2).sum() / len(error)),
        },
        {
            "codes": plotting.codes(z, images.y_test[:2000], draws),
            "plane": decoded,
        },
    )


def decoded_plane(model, draws):
    """Figure of what lies where, as far as the prior reaches."""
    import numpy as np

    from keras_saae import plotting

    across = np.linspace(draws[:, 0].min(), draws[:, 0].max(), GRID)
    up = np.linspace(draws[:, 1].max(), draws[:, 1].min(), GRID)
    plane = np.zeros((GRID, GRID, model.z_dim), "float32")
    plane[..., 0], plane[..., 1] = across[None], up[:, None]
    decoded = model.decode(plane.reshape(-1, model.z_dim))
    decoded = decoded.reshape(GRID, GRID, *model.image_shape)
    return plotting.image_grid(decoded, "The decoded plane", "z[1]", "z[0]")


def decoded_corners(model):
    """Figure of what each corner of a categorical prior stands for."""
    import numpy as np

    from keras_saae import plotting

    decoded = model.decode(np.eye(model.z_dim, dtype="float32"))
    return plotting.image_grid(decoded[None], "The decoded corners")


if __name__ == "__main__":
    common.start(main)
