"""Settings of compilers for what compiles for longer than it computes."""

import os
from importlib import metadata

# XLA ends the process at a flag that it does not know; these know the second.
VERSIONS_OF_JAXLIB = ("0.10.",)


def compile_fast():
    """Lets XLA and TensorFlow optimize little: to be called before they are at work.

    Most of the time of compiling for a CPU goes into emitting fusions through MLIR; the
    older emitters are several times as fast. What is in `XLA_FLAGS` already stays, and
    wins: the last of a kind counts. TensorFlow rewrites no graph: the brief run of
    attacks.py takes 14 seconds in the place of 15.
    """
    chosen = ["--xla_backend_optimization_level=0"]
    if os.environ.get("KERAS_BACKEND") == "jax" and version().startswith(
        VERSIONS_OF_JAXLIB
    ):
        chosen.append("--xla_cpu_use_fusion_emitters=false")
    given = os.environ.get("XLA_FLAGS", "").split()
    added = [flag for flag in chosen if flag not in given]
    os.environ["XLA_FLAGS"] = " ".join([*added, *given])
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def version():
    """That of jaxlib, empty where it is not installed."""
    try:
        return metadata.version("jaxlib")
    except metadata.PackageNotFoundError:
        return ""
