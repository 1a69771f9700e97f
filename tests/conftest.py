"""Fixtures of all tests, and the flag that rewrites the golden files."""

import json
import os
import pathlib

# JAX reads this when it is imported. Most of the time would go into optimizing steps
# that run a few times only.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import tiny  # noqa: E402

with tiny.program("examples/compiling.py") as compiling:
    compiling.compile_fast()

GOLDEN = pathlib.Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write the golden files from this backend instead of comparing with them, "
        "and the documents' tables from the records.",
    )


@pytest.fixture
def dataset():
    return tiny.dataset()


@pytest.fixture
def batch():
    return tiny.batch()


@pytest.fixture
def golden(request):
    """Compares numbers with a committed file: `golden(name, numbers)`."""

    def compare(name, numbers):
        path = GOLDEN / f"{name}.json"
        if request.config.getoption("--update-golden"):
            rounded = json.loads(
                json.dumps(numbers), parse_float=lambda f: float(f"{float(f):.9g}")
            )
            path.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
        expected = json.loads(path.read_text(encoding="utf-8"))
        assert numbers.keys() == expected.keys()
        for key, value in numbers.items():
            np.testing.assert_allclose(
                value, expected[key], rtol=1e-5, atol=1e-5, err_msg=key
            )

    return compare


@pytest.fixture
def shows(request):
    """Compares a document's block with a table: `shows("README.md", "results", text)`.

    A block begins after `<!-- results -->` and ends before `<!-- end of results -->`.
    """

    def compare(path, block, table):
        path = GOLDEN.parents[1] / path
        text = path.read_text(encoding="utf-8")
        before, rest = text.split(f"<!-- {block} -->\n")
        shown, after = rest.split(f"<!-- end of {block} -->")
        table = table.strip() + "\n"
        if request.config.getoption("--update-golden"):
            begin, end = f"<!-- {block} -->\n", f"<!-- end of {block} -->"
            path.write_text(before + begin + table + end + after, encoding="utf-8")
        else:
            assert shown == table

    return compare


@pytest.fixture
def fixed_normal(monkeypatch):
    """`keras.random.normal` without chance: draws differ between backends."""
    monkeypatch.setattr(keras.random, "normal", tiny.fixed_normal)


@pytest.fixture
def fixed_draws(fixed_normal, monkeypatch):
    """The same, and `keras.random.uniform` without chance as well."""
    monkeypatch.setattr(keras.random, "uniform", tiny.fixed_uniform)


@pytest.fixture
def policy():
    """Sets the global dtype policy, until the test ends: `policy("mixed_bfloat16")`."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)
