"""What records say of the machine that made them."""

import subprocess

import pytest
import tiny

TOLD = "GPU 0: NVIDIA H200 (UUID: GPU-1)\nGPU 1: NVIDIA H200 (UUID: GPU-2)\n"


@pytest.fixture
def machine(monkeypatch):
    with tiny.program("examples/machine.py") as module:
        module.gpus.cache_clear()
        monkeypatch.setattr(module, "processor", lambda: "A CPU")
        monkeypatch.setattr(module, "number_of_cores", lambda: 4)
        yield module
        module.gpus.cache_clear()


def test_machine_is_its_processor_cores_and_gpus(machine, monkeypatch):
    def run(command, **_):
        return subprocess.CompletedProcess(command, 0, stdout=TOLD)

    monkeypatch.setattr(subprocess, "run", run)
    assert machine.machine() == "A CPU, 4 cores, NVIDIA H200, NVIDIA H200"


def test_machine_without_a_driver_names_no_gpu(machine, monkeypatch):
    def run(command, **_):
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "run", run)
    assert machine.machine() == "A CPU, 4 cores"
