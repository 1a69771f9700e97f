"""The notebook is what its reviewed script generates."""

import pathlib

import pytest

NOTEBOOKS = pathlib.Path(__file__).parents[1] / "notebooks"
MOST_BYTES = 600_000

jupytext = pytest.importorskip("jupytext", reason="the extra `notebooks` has it")


@pytest.fixture(params=sorted(NOTEBOOKS.glob("*.py")), ids=lambda path: path.stem)
def script(request):
    return request.param


def cells(path):
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


def test_notebook_has_the_cells_of_its_script(script):
    notebook = script.with_suffix(".ipynb")
    assert cells(notebook) == cells(script), (
        f"{notebook.name} is not what {script.name} generates. Generate it again: "
        f"jupytext --to ipynb --execute notebooks/{script.name}"
    )


def test_notebook_is_kept_executed_small_and_without_errors(script):
    notebook = script.with_suffix(".ipynb")
    code = [c for c in jupytext.read(notebook).cells if c.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert notebook.stat().st_size < MOST_BYTES
