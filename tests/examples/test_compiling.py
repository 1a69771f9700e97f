import os

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
    with tiny.program("examples/xla.py") as xla:
        monkeypatch.setattr(xla, "version", lambda: jaxlib)
        xla.compile_fast()
    assert os.environ["XLA_FLAGS"] == chosen


def test_flags_that_were_given_come_last_and_once(monkeypatch):
    given = "--xla_backend_optimization_level=2 --xla_cpu_use_fusion_emitters=false"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("XLA_FLAGS", given)
    with tiny.program("examples/xla.py") as xla:
        xla.compile_fast()
        xla.compile_fast()
    assert os.environ["XLA_FLAGS"] == f"{LITTLE} {given}"


def test_version_of_jaxlib_is_empty_without_it(monkeypatch):
    def missing(name):
        raise xla.metadata.PackageNotFoundError(name)

    with tiny.program("examples/xla.py") as xla:
        monkeypatch.setattr(xla.metadata, "version", missing)
        assert xla.version() == ""
