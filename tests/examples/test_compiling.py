import os

import keras
import pytest
import tiny

LITTLE = "--xla_backend_optimization_level=0"
OLDER_EMITTERS = "--xla_cpu_use_fusion_emitters=false"


@pytest.mark.parametrize(
    "backend, jaxlib, chosen",
    [
        ("jax", "0.10.2", f"{LITTLE} {OLDER_EMITTERS}"),
        ("jax", "0.4.38", LITTLE),  # which may not know the flag
        ("jax", "", LITTLE),
        ("torch", "0.10.2", LITTLE),
    ],
)
def test_fast_compiling_asks_for_flags_that_are_known(
    monkeypatch, backend, jaxlib, chosen
):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setenv("XLA_FLAGS", "")
    with tiny.program("examples/compiling.py") as compiling:
        monkeypatch.setattr(compiling, "version", lambda: jaxlib)
        compiling.compile_fast()
    assert os.environ["XLA_FLAGS"] == chosen


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
def test_tensorflow_rewrites_no_graphs():
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    with tiny.program("examples/compiling.py") as compiling:
        compiling.compile_fast()
    assert tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"]


def test_flags_that_were_given_come_last_and_once(monkeypatch):
    given = "--xla_backend_optimization_level=2 --xla_cpu_use_fusion_emitters=false"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("XLA_FLAGS", given)
    with tiny.program("examples/compiling.py") as compiling:
        compiling.compile_fast()
        compiling.compile_fast()
    assert os.environ["XLA_FLAGS"] == f"{LITTLE} {given}"


def test_version_of_jaxlib_is_empty_without_it(monkeypatch):
    def missing(name):
        raise compiling.metadata.PackageNotFoundError(name)

    with tiny.program("examples/compiling.py") as compiling:
        monkeypatch.setattr(compiling.metadata, "version", missing)
        assert compiling.version() == ""
