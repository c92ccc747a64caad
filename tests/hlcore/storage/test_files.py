"""Atomic writes, and clear errors for invalid JSON."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from subprocess import PIPE

import pytest
import torch
from safetensors.torch import save_file

from hlcore.errors import CheckpointError, StorageError
from hlcore.storage.files import lock_folder, make_folder, parse_json, read_json, replace_atomically, write_text
from hlcore.storage.run_records import RunRecord


def test_new_content_replaces_the_old_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "notes.txt"
    write_text(path, "old")
    write_text(path, "new, with ünïcode")
    assert path.read_text(encoding="utf-8") == "new, with ünïcode"
    assert list(path.parent.iterdir()) == [path]


def test_old_content_stays_while_the_new_is_written_and_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    write_text(path, "old")

    def fail() -> None:
        with replace_atomically(path) as temporary:
            temporary.write_text("half of the n")
            assert path.read_text() == "old"
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError, match="the power fails"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(("umask", "expected"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_file_has_the_permissions_the_umask_gives_whatever_the_writer_chose(
    tmp_path: Path, umask: int, expected: int
) -> None:
    path = tmp_path / "weights.safetensors"
    before = os.umask(umask)
    try:
        with replace_atomically(path) as temporary:
            save_file({"a": torch.zeros(2)}, temporary)
            temporary.chmod(0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == expected


def test_a_file_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "occupied").touch()
    with pytest.raises(StorageError, match=r"notes\.txt cannot be written \((File exists|Not a directory)\)"):
        write_text(tmp_path / "occupied" / "notes.txt", "new")


def test_a_folder_that_may_not_be_written_to_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:  # tmp_path is below a folder that another user may not open
        Path(folder).chmod(0o555)
        privileged = os.geteuid() == 0
        if privileged:
            os.seteuid(65534)
        try:
            with pytest.raises(StorageError, match="Permission denied"):
                write_text(Path(folder, "notes.txt"), "new")
            with pytest.raises(StorageError, match="Permission denied"):
                make_folder(Path(folder, "new"))
            with pytest.raises(StorageError, match="Permission denied"), lock_folder(Path(folder)):
                pass
        finally:
            if privileged:
                os.seteuid(0)
            Path(folder).chmod(0o755)


def test_a_folder_is_held_until_the_block_or_its_process_ends(tmp_path: Path) -> None:
    command = (
        "from hlcore.storage.files import lock_folder; from pathlib import Path; "
        f"held = lock_folder(Path({str(tmp_path)!r})); held.__enter__(); print('held', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", command], stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="another process is writing to"), lock_folder(tmp_path):
            pass
        other.kill()
    with lock_folder(tmp_path), pytest.raises(StorageError, match="another process"), lock_folder(tmp_path):
        pass
    with lock_folder(tmp_path):
        pass


def test_record_read_back_is_the_record_written(tmp_path: Path, run_record: RunRecord) -> None:
    write_text(tmp_path / "run.json", run_record.model_dump_json())
    assert read_json(tmp_path / "run.json", RunRecord) == run_record


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"optim":', '"optimm":', "unknown key 'config.optimm'; did you mean 'optim'?"),
        ('"batch_size":', '"batchsize":', "unknown key 'config.optim.batchsize'; did you mean 'batch_size'?"),
        ('"seed":', '"zzz":', "unknown key 'config.zzz'; known: name, out, seed, device"),
        ('"parameters":', '"parameter_count":', "key 'parameters' is missing"),
        ('"parameters":10', '"parameters":"many"', "parameters: input should be a valid integer"),
        ('"parameters":10', '"parameters":"many"', "got 'many'"),
        ('"state":"running"', '"state":"asleep"', "state: input should be 'running', 'interrupted'"),
        ("}", "", "invalid JSON"),
    ],
)
def test_invalid_json_is_explained_with_file_and_key(run_record: RunRecord, old: str, new: str, sentence: str) -> None:
    text = run_record.model_dump_json()
    assert old in text
    with pytest.raises(CheckpointError) as caught:
        parse_json(text.replace(old, new), RunRecord, source=Path("runs/small/run.json"))
    message = str(caught.value)
    assert message.startswith("runs/small/run.json cannot be read: ")
    assert sentence in message
    assert "http" not in message


def test_file_that_is_not_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match=r"run\.json cannot be read"):
        read_json(tmp_path / "run.json", RunRecord)
