"""What figures depend on: processor and code; and the memory of this process."""

import functools
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def machine():
    """Processor, cores that this process may use, and NVIDIA's GPUs, if any."""
    return ", ".join([processor(), f"{number_of_cores()} cores", *gpus()])


def processor():
    """Its name where Linux tells it, else its kind, such as arm64."""
    try:
        names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        names = []
    return " ".join(names[0].split()) if names else platform.machine()


@functools.cache
def gpus():
    """The names of NVIDIA's GPUs, one each; nothing without their driver."""
    try:
        told = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return re.findall(r"GPU \d+: (.+?) \(", told)


def number_of_cores():
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def peak_memory_mib():
    """Largest resident memory of this process so far, in MiB; not on Windows."""
    try:
        status = Path("/proc/self/status").read_text()
        return round(int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 2**10, 1)
    except (OSError, TypeError):  # not Linux
        import resource

    # On Linux this would begin with the peak of the process that started this one.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def commit():
    """Short name of the commit, with a plus if code has changed since; None without."""
    code = ("keras_saae", "examples", "benchmarks/*.py")
    try:
        name, changes = (
            subprocess.run(
                ["git", *arguments],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for arguments in (
                ("rev-parse", "--short", "HEAD"),
                ("status", "--porcelain", "--", *code),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return name + ("+" if changes else "")
