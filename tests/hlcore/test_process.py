"""Memory of freed tensors is there for the next ones, and threads are as many as there are cores."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from hlcore.process import keep_freed_memory, limit_threads, share_cores

PROGRAM = """
import resource, sys, threading
from hlcore.process import keep_freed_memory
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
    for name in [name for name in os.environ if name == "GLIBC_TUNABLES" or name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    kept, given_back = count_faults("keep"), count_faults("default")
    assert kept < given_back / 10


def test_settings_of_the_environment_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert not keep_freed_memory()


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, ""),
        ({"cpu.max": "max 100000\n"}, ""),
        ({"cpu.max": "150000 100000\n"}, "2"),
        ({"cpu.max": "20000 100000\n"}, "1"),
        ({"cpu.max": "800000 100000\n"}, ""),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, ""),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, "3"),
    ],
)
def test_there_are_as_many_threads_as_a_container_has_cores(
    files: dict[str, str], cores: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    limit_threads(tmp_path)
    assert os.environ["OMP_NUM_THREADS"] == cores
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    limit_threads(tmp_path)
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_a_given_way_to_wait_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    monkeypatch.setenv("GOMP_SPINCOUNT", "")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    share_cores()
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.delenv("OMP_WAIT_POLICY")
    share_cores()
    assert os.environ["GOMP_SPINCOUNT"] == "3000"
