"""The paper's four phases by hand, in jitted JAX: what the package is held against.

The same loop as `plain_torch.py`; the compiler finds by itself that discriminator and
generator encode the same images. A test compares its losses with the package's.
"""

import functools
import itertools

import jax
import numpy as np
from jax import numpy as jnp

RATES = {  # learning rate, momentum: appendix A.2.1 of the paper
    "reconstruction": (0.01, 0.9),
    "discriminator": (0.1, 0.1),
    "generator": (0.1, 0.1),
    "classification": (0.1, 0.9),
}
UPDATES = {  # the networks that each phase updates
    "reconstruction": ("trunk", "y_head", "z_head", "decoder"),
    "discriminator": ("on_z", "on_y"),
    "generator": ("trunk", "y_head", "z_head"),
    "classification": ("trunk", "y_head"),
}
NOISE = 0.3


class PlainJax:
    """The model and its step.

    Args:
        pixels, hidden, num_classes, z_dim: sizes; `hidden` are those of the encoder.
        bfloat16: whether matrix products are made in bfloat16.
    """

    def __init__(self, pixels, hidden, num_classes=10, z_dim=10, bfloat16=False):
        widths = {  # in the order of the package's weights
            "trunk": (pixels, *hidden),
            "y_head": (hidden[-1], num_classes),
            "z_head": (hidden[-1], z_dim),
            "decoder": (num_classes + z_dim, *hidden[::-1], pixels),
            "on_z": (z_dim, *hidden, 1),
            "on_y": (num_classes, *hidden, 1),
        }
        rng = np.random.Generator(np.random.PCG64(0))
        self.weights = {
            name: [
                (jnp.array(0.01 * rng.normal(size=(a, b)), "float32"), jnp.zeros(b))
                for a, b in itertools.pairwise(widths[name])
            ]
            for name in widths
        }
        self.momenta = {
            phase: jax.tree.map(jnp.zeros_like, {n: self.weights[n] for n in names})
            for phase, names in UPDATES.items()
        }
        self.key = jax.random.key(0)
        self._step = jax.jit(functools.partial(step, bfloat16), donate_argnums=(0, 1))

    def set_weights(self, arrays):
        """Takes kernels `(in, out)` and biases, in the package's order."""
        arrays = map(jnp.array, arrays)
        for layers in self.weights.values():
            layers[:] = [(next(arrays), next(arrays)) for _ in layers]

    def step(self, x, x_labelled, y_labelled, draws=None):
        """Updates all weights by a batch of uint8 images; returns the four losses."""
        self.key, key = jax.random.split(self.key)
        self.weights, self.momenta, losses = self._step(
            self.weights, self.momenta, x, x_labelled, y_labelled, draws, key
        )
        return losses


def step(bfloat16, weights, momenta, x, x_labelled, y_labelled, draws, key):
    """One step as a pure function: new weights, new momenta, losses."""
    x, x_labelled = (i.reshape(len(i), -1) / 255.0 for i in (x, x_labelled))
    if draws is None:
        z_dim, num_classes = (weights[n][0][0].shape[0] for n in ("on_z", "on_y"))
        draws = draw(key, x.shape, x_labelled.shape, z_dim, num_classes)
    noise, noise_labelled, prior_z, prior_y = draws
    noisy, noisy_labelled = x + noise, x_labelled + noise_labelled
    mlp = functools.partial(dense_layers, bfloat16)

    def heads(w, x):
        features = jax.nn.relu(mlp(w["trunk"], x))
        return mlp(w["y_head"], features), mlp(w["z_head"], features)

    def encode(w, x):
        y_logits, z = heads(w, x)
        return jax.nn.softmax(y_logits), z

    def reconstruction(w):
        x_again = jax.nn.sigmoid(mlp(w["decoder"], jnp.hstack(encode(w, noisy))))
        return 0.5 * jnp.square(x - x_again).sum(1).mean()

    def discriminator(w):
        y, z = jax.lax.stop_gradient(encode(w, noisy))
        return sum(
            jax.nn.softplus(-mlp(w[name], prior)).mean()
            + jax.nn.softplus(mlp(w[name], code)).mean()
            for name, prior, code in (("on_z", prior_z, z), ("on_y", prior_y, y))
        )

    def generator(w):
        y, z = encode(w, noisy)
        return (
            jax.nn.softplus(-mlp(w["on_z"], z)).mean()
            + jax.nn.softplus(-mlp(w["on_y"], y)).mean()
        )

    def classification(w):
        log_y = jax.nn.log_softmax(heads(w, noisy_labelled)[0])
        return -jnp.take_along_axis(log_y, y_labelled[:, None], 1).mean()

    losses = []
    for loss_fn in (reconstruction, discriminator, generator, classification):
        phase = loss_fn.__name__
        loss, own, momenta[phase] = update(loss_fn, weights, momenta[phase], phase)
        weights = {**weights, **own}
        losses.append(loss)
    return weights, momenta, jnp.stack(losses)


def update(loss_fn, weights, momentum, phase):
    """Loss, and the phase's weights and momentum after a step of gradient descent."""
    own = {name: weights[name] for name in UPDATES[phase]}
    loss, gradients = jax.value_and_grad(lambda own: loss_fn({**weights, **own}))(own)
    rate, mass = RATES[phase]
    momentum = jax.tree.map(lambda v, g: mass * v - rate * g, momentum, gradients)
    return loss, jax.tree.map(jnp.add, own, momentum), momentum


def dense_layers(bfloat16, layers, x):
    """Dense layers with ReLU between them; the result is float32."""
    dtype = jnp.bfloat16 if bfloat16 else jnp.float32
    for k, (kernel, bias) in enumerate(layers):
        x = jax.nn.relu(x) if k else x
        x = x.astype(dtype) @ kernel.astype(dtype) + bias.astype(dtype)
    return x.astype(jnp.float32)


def draw(key, shape, labelled_shape, z_dim, num_classes):
    """What chance decides in a step: noise of both batches, prior z and y."""
    keys = jax.random.split(key, 4)
    classes = jax.random.randint(keys[3], (shape[0],), 0, num_classes)
    return (
        NOISE * jax.random.normal(keys[0], shape),
        NOISE * jax.random.normal(keys[1], labelled_shape),
        jax.random.normal(keys[2], (shape[0], z_dim)),
        jax.nn.one_hot(classes, num_classes),
    )
