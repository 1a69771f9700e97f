"""The matrix products of one step, and how fast this machine makes them.

Their time is the arithmetic limit of a step as far as calls of these libraries, one by
one, can tell. A compiler that sees the whole step may do better.
"""

import collections
import itertools
import time

from timing import quartiles


def step_products(recipe, pixels, num_classes, batch_size, labelled_batch_size):
    """The products of a `SemiSupervisedAAE`'s step.

    Codes are counted as encoded once for discriminator and generator, unless the
    encoder is batch-normalized; both discriminators see draws and codes.

    Args:
        recipe: `SemiSupervisedAAERecipe`.
        pixels: number of pixels of an image.
        num_classes: width of y.
        batch_size: unlabelled images in a batch.
        labelled_batch_size: labelled images in a batch.

    Returns:
        Counter from `(m, k, n)`, a product of an `(m, k)` and a `(k, n)` matrix, to how
        often a step makes it.
    """
    n, products = batch_size, collections.Counter()
    trunk = (pixels, *recipe.hidden)
    y_head, z_head = (trunk[-1], num_classes), (trunk[-1], recipe.z_dim)
    decoder = (num_classes + recipe.z_dim, *recipe.hidden[::-1], pixels)
    z_width = recipe.z_dim + (num_classes if recipe.style_given_class else 0)
    on_z = (z_width, *recipe.discriminator_z_hidden, 1)
    on_y = (num_classes, *recipe.discriminator_y_hidden, 1)

    def passes(rows, *networks, **back):
        for widths in networks:
            products.update(network_products(rows, widths, **back))

    # reconstruction
    passes(n, trunk, weights=True)
    passes(n, z_head, decoder, weights=True, inputs=True)
    to_y = recipe.reconstruction_trains_y
    passes(n, y_head, weights=to_y, inputs=to_y)
    # discriminator: draws and codes
    passes(2 * n, on_z, on_y, weights=True)
    # generator, whose codes the discriminator has seen
    if recipe.encoder_batch_normalization:
        passes(n, trunk, y_head, z_head)
    passes(n, trunk, weights=True)
    passes(n, y_head, z_head, weights=True, inputs=True)
    passes(n, on_z, on_y, inputs=True)
    # classification
    passes(labelled_batch_size, trunk, weights=True)
    passes(labelled_batch_size, y_head, weights=True, inputs=True)
    # what keeps q(y|x) smooth, on images without noise
    if recipe.vat_weight or recipe.style_consistency_weight:
        passes(n, trunk, y_head, z_head)
    if recipe.vat_weight:
        passes(n, trunk, y_head, inputs=True)  # the direction
        passes(n, trunk, weights=True)
        passes(n, y_head, weights=True, inputs=True)
    if recipe.style_consistency_weight:
        passes(2 * n, decoder)
        passes(n, trunk, weights=True)
        passes(n, y_head, weights=True, inputs=True)
    return products


def reproduction_products(recipe, pixels, num_classes, batch_size, labelled_batch_size):
    """The same of the 2025 reproduction's step, with the sizes of such a recipe.

    It reconstructs both kinds of images, encodes anew for each of its updates, and
    takes gradients by the weights of every network that a loss has passed through.
    """
    n, products = batch_size, collections.Counter()
    trunk = (pixels, *recipe.hidden)
    y_head, z_head = (trunk[-1], num_classes), (trunk[-1], recipe.z_dim)
    decoder = (num_classes + recipe.z_dim, *recipe.hidden[::-1], pixels)
    on_y = (num_classes, *recipe.discriminator_y_hidden, 1)
    on_z = (recipe.z_dim, *recipe.discriminator_z_hidden, 1)

    def passes(rows, *networks, **back):
        for widths in networks:
            products.update(network_products(rows, widths, **back))

    for rows in (n, labelled_batch_size):  # reconstruction
        passes(rows, trunk, weights=True)
        passes(rows, y_head, z_head, decoder, weights=True, inputs=True)
    for trained, other, on_code in ((y_head, z_head, on_y), (z_head, y_head, on_z)):
        passes(n, trunk, y_head, z_head)  # discriminator
        passes(2 * n, on_code, weights=True)
        passes(n, other)  # generator
        passes(n, trunk, weights=True)
        passes(n, trained, on_code, weights=True, inputs=True)
    passes(labelled_batch_size, trunk, weights=True)  # classification
    passes(labelled_batch_size, y_head, weights=True, inputs=True)
    return products


def network_products(rows, widths, weights=False, inputs=False):
    """The products of one pass through dense layers between `widths`.

    Args:
        rows: length of the batch.
        widths: of the input, the hidden layers and the output.
        weights: whether gradients by the weights are taken.
        inputs: whether gradients by the input are.
    """
    products = collections.Counter()
    for k, (a, b) in enumerate(itertools.pairwise(widths)):
        products[rows, a, b] += 1
        if weights:
            products[a, rows, b] += 1
        if inputs or (weights and k):
            products[rows, b, a] += 1
    return products


def operations(products):
    """Multiplications and additions of some products."""
    return sum(2 * m * k * n * times for (m, k, n), times in products.items())


def seconds_of(products, backend, bfloat16, repeats=20):
    """How long this machine takes for some products, each by itself.

    Args:
        products: as of `step_products`.
        backend: "tensorflow", "jax" or "torch", whose routine is used.
        bfloat16: whether the matrices are bfloat16, else float32.
        repeats: how often each product is timed.

    Returns:
        Quartiles of the sum, three numbers in seconds.
    """
    multiply, matrix, wait = _routines(backend, "bfloat16" if bfloat16 else "float32")
    sums = [0.0, 0.0, 0.0]
    for (m, k, n), times in products.items():
        a, b = matrix(m, k), matrix(k, n)
        wait(multiply(a, b))
        inner = min(50, max(1, int(1e8 / (m * k * n))))  # a millisecond or so a time
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            for _ in range(inner):
                product = multiply(a, b)
            wait(product)
            seconds.append((time.perf_counter() - start) / inner)
        for i, value in enumerate(quartiles(seconds)):
            sums[i] += times * value
    return sums


def set_matmul_precision(backend, name):
    """How a GPU makes float32 products, for all of this process.

    Args:
        backend: "tensorflow", "jax" or "torch".
        name: "float32", or "tf32", which rounds factors to 10 bits of mantissa and is
            several times as fast.
    """
    if backend == "torch":
        import torch

        torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    elif backend == "jax":
        import jax

        precision = {"tf32": "tensorfloat32"}.get(name, name)
        jax.config.update("jax_default_matmul_precision", precision)
    else:
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(name == "tf32")


def _routines(backend, dtype):
    """`multiply(a, b)`, `matrix(rows, columns)` and `wait(result)` of a framework."""
    if backend == "torch":
        import torch

        def wait(x):
            if x.is_cuda:
                torch.cuda.synchronize()

        device = "cuda" if torch.cuda.is_available() else "cpu"
        kind = {"dtype": getattr(torch, dtype), "device": device}
        return torch.matmul, lambda m, n: torch.ones(m, n, **kind), wait
    if backend == "jax":
        import jax
        from jax import numpy as jnp

        return (
            jax.jit(jnp.matmul),
            lambda m, n: jnp.ones((m, n), dtype),
            lambda x: x.block_until_ready(),
        )
    import tensorflow as tf

    return (
        tf.linalg.matmul,
        lambda m, n: tf.ones((m, n), dtype),
        lambda x: x[0, 0].numpy(),
    )
