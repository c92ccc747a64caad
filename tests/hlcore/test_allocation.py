"""Memory of freed tensors is there for the next ones, in every thread."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys, threading
from hlcore.allocation import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
import torch

def fill():
    for _ in range(100):
        torch.zeros(10_000_000)  # 40 MB

fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread = threading.Thread(target=fill)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_faults(how: str) -> int:
    """Pages that the operating system had to supply for 4 GB of tensors, 40 MB at a time, in a second thread."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, timeout=120)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives freed memory back at once")
def test_memory_of_freed_tensors_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    kept, given_back = count_faults("keep"), count_faults("default")
    assert kept < given_back / 10


def test_settings_of_the_environment_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from hlcore.allocation import keep_freed_memory

    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert not keep_freed_memory()
