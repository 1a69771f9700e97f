"""The rules of the house: imports run downhill, only `backend/` names a framework."""

import ast
import graphlib
import importlib.util
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_saae"
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# Room by room from top to bottom, the rooms that each may import. Its own files it
# may always import, except that models do not import each other.
ALLOWED = {
    "recipes": {
        *("models", "networks", "priors", "optimizers", "losses", "callbacks", "data"),
        "checks",
    },
    "models": {
        *("abilities", "phases", "door", "passes", "adversary", "optimizers", "losses"),
        *("priors", "networks", "checks"),
    },
    "abilities": {
        *("phases", "door", "passes", "adversary", "losses", "priors", "networks"),
        "checks",
    },
    "adversary": {"losses", "passes"},
    "together": {"backend"},
    "imle": {"losses", "checks"},
    "callbacks": {"plotting", "checks"},
    "evaluation": {"backend", "checks"},
    "plotting": set(),
    "phases": {"optimizers", "passes", "backend", "door"},
    "door": {"checks"},
    "passes": set(),
    "optimizers": {"backend"},
    "networks": {"checks"},
    "losses": {"backend", "checks"},
    "priors": {"checks"},
    "data": {"checks", "backend"},
    "checks": set(),
    "backend": set(),
}

# The rooms that may name a framework.
FRAMEWORKS = {
    "tensorflow": {"backend"},
    "jax": {"backend"},
    "torch": {"backend"},
    "tensorflow_datasets": {"data"},
}


def imports(source, path):
    """Yields `(line, dotted name)` for each import of a file of the package."""
    package = ".".join(["keras_saae", *pathlib.PurePosixPath(path).parent.parts])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(relative, package)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def room_of(path):
    return pathlib.PurePosixPath(path).parts[0].removesuffix(".py")


def forbidden_imports(source, path):
    """Returns one message for each import that the file at `path` may not make."""
    room = room_of(path)
    messages = []
    for line, name in imports(source, path):
        top, target, *_ = [*name.split("."), ""]
        if top in FRAMEWORKS and room not in FRAMEWORKS[top]:
            reason = f"only {' and '.join(FRAMEWORKS[top])} may name {top}"
        elif top != "keras_saae" or room == "__init__":
            continue
        elif target == room:
            if room != "models" or path == "models/__init__.py":
                continue
            reason = "models do not import each other"
        elif target in ALLOWED[room]:
            continue
        else:
            reason = f"{room} may import {sorted(ALLOWED[room]) or 'no other room'}"
        messages.append(f"keras_saae/{path}:{line} imports {name}, but {reason}.")
    return messages


@pytest.mark.parametrize("path", FILES)
def test_imports_run_downhill_and_only_backend_names_a_framework(path):
    found = forbidden_imports((PACKAGE / path).read_text(encoding="utf-8"), path)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", FILES)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    """Importing the package should cost a tenth of a second beside Keras."""
    heavy = {"matplotlib", "sklearn", "scipy", "tensorflow_datasets", "PIL"}
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    at_once = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
    names = imports(ast.unparse(ast.Module(at_once, [])), path)
    assert not [name for _, name in names if name.split(".")[0] in heavy]


def test_every_room_has_its_place_in_the_table():
    assert {room_of(path) for path in FILES} - {"__init__"} <= set(ALLOWED)


def test_table_has_no_cycle():
    graphlib.TopologicalSorter(ALLOWED).prepare()


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("losses.py", "import tensorflow as tf"),
        ("losses.py", "def f():\n    from jax import numpy"),
        ("data/load.py", "import torch.nn"),
        ("plotting/look.py", "import tensorflow_datasets"),
        ("losses.py", "from keras_saae.models import SemiSupervisedAAE"),
        ("losses.py", "from keras_saae import phases"),
        ("losses.py", "import keras_saae"),
        ("plotting/look.py", "from ..checks import check_images"),
        ("data/load.py", "from ..recipes import default"),
        ("backend/jax.py", "from ..phases import Phase"),
        ("models/one.py", "from .two import Two"),
        ("models/one.py", "from keras_saae import models"),
    ],
)
def test_checker_catches(path, source):
    (message,) = forbidden_imports(source, path)
    assert message.startswith(f"keras_saae/{path}:{len(source.splitlines())} imports ")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("__init__.py", "from keras_saae.models import SemiSupervisedAAE"),
        ("models/__init__.py", "from .one import One"),
        ("models/one.py", "from keras_saae import losses\nfrom ..phases import Phase"),
        ("backend/jax.py", "import jax"),
        ("data/load.py", "import tensorflow_datasets as tfds\nfrom .sets import Split"),
        ("losses.py", "import keras\nfrom keras import ops"),
    ],
)
def test_checker_accepts(path, source):
    assert forbidden_imports(source, path) == []
