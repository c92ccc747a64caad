"""The commands and the map on a real Ray cluster of two machines, which are processes of this one."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from hlcore.cluster import LOST, Cluster, connect
from hlcore.config import AnalyzeConfig
from hlcore.data.labels import CAMVID
from hlcore.errors import ClusterError, DatasetError, InvalidInputError
from hlcore.measuring.loop import analyze
from hlcore.storage.analyses import Analysis
from hlcore.storage.bundles import open_bundle
from hlcore.storage.runs import Run
from tests.hlcore.running import hlcore, in_own_process

pytest.importorskip("ray", reason="Ray is not installed; pip install 'hlcore[cluster]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PHOTOGRAPHS = Path(data.__file__).parent


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a cluster of two machines with a core each."""
    from ray.cluster_utils import Cluster as Machines

    one = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        machines = Machines(initialize_head=True, head_node_args=one)
        del one["include_dashboard"]
        machines.add_node(**one)
        yield str(machines.address)
        machines.shutdown()


@pytest.fixture
def cluster(address: str) -> Iterator[Cluster]:
    with Cluster(address) as connected:
        yield connected


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Six photographs of two sizes and a file that is none."""
    folder = tmp_path / "photographs"
    (folder / "more").mkdir(parents=True)
    for index, name in enumerate(["astronaut.png", "coffee.png", "chelsea.png"]):
        photograph = Image.open(PHOTOGRAPHS / name).convert("RGB")
        photograph.resize((96, 64)).save(folder / f"{index}.png")
        photograph.resize((64, 96)).save(folder / "more" / f"{index}.jpg")
    (folder / "bad.png").write_bytes(b"no image")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """What a folder holds, without what says where and when it was made."""
    told = {"analysis.json", ".lock"}
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in told]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def kill_one_worker() -> None:
    """Kill a worker process of the cluster, as the kernel does when memory runs out."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if status.read_bytes().startswith(b"ray::_Worker"):
                os.kill(int(status.parent.name), signal.SIGKILL)
                return
        except OSError:
            continue
    pytest.fail("there is no worker to kill")


def test_predictions_of_a_cluster_are_those_of_one_machine_bit_for_bit(
    scenes_run: Run, address: str, photographs: Path, tmp_path: Path
) -> None:
    alone = hlcore("predict", scenes_run.path, photographs, "--out", tmp_path / "alone")
    together = hlcore("predict", scenes_run.path, photographs, "--out", tmp_path / "together", "--cluster", address)
    assert (alone.returncode, together.returncode) == (1, 1), together.stderr
    assert together.stdout == f"6 images in {tmp_path / 'together'}\n"
    assert together.stderr.splitlines()[-1] == alone.stderr.splitlines()[-1]
    assert "bad.png is a text file" in together.stderr
    assert files(tmp_path / "together") == files(tmp_path / "alone")


def test_workers_read_and_write_object_stores(scenes_run: Run, address: str, photographs: Path, tmp_path: Path) -> None:
    store, out = photographs.as_uri(), (tmp_path / "maps").as_uri()
    done = hlcore("predict", scenes_run.path, store, "--out", out, "--cluster", address)
    assert done.stdout == f"6 images in {out}\n"
    alone = tmp_path / "alone"
    hlcore("predict", scenes_run.path, photographs, "--out", alone)
    maps = {name: content for name, content in files(alone).items() if name.endswith(".png")}
    assert {name: content for name, content in files(tmp_path / "maps").items() if name.endswith(".png")} == maps


def test_a_prediction_stopped_on_one_machine_continues_on_a_cluster(
    scenes_run: Run, address: str, photographs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "maps"
    hlcore("predict", scenes_run.path, photographs, "--out", out)
    (photographs / "bad.png").write_bytes((photographs / "0.png").read_bytes())
    continued = hlcore("predict", scenes_run.path, photographs, "--out", out, "--cluster", address)
    assert continued.returncode == 0, continued.stderr
    assert "which has 6 of the 7 images" in continued.stderr
    assert len(open_bundle(out).manifest) == 7


def test_tables_of_a_cluster_are_those_of_one_machine_bit_for_bit(
    scenes_run: Run, cluster: Cluster, analysed: Analysis, tmp_path: Path, quick_analyses: None
) -> None:
    config = AnalyzeConfig(out=tmp_path / "together", split="test", epochs="all")
    *_, last = analyze(scenes_run, None, config, cluster=cluster)
    assert last.status == "complete"
    assert files(tmp_path / "together") == files(analysed.path)
    assert last.analysis.record.device == "cpu, 2 machines, 2 cores"


def test_an_image_that_cannot_be_read_is_left_out_as_on_one_machine(
    scenes_run: Run, cluster: Cluster, tmp_path: Path, quick_analyses: None
) -> None:
    root = tmp_path / "set"
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for index in range(3):
        Image.open(PHOTOGRAPHS / "coffee.png").resize((96, 64)).save(root / "images" / f"{index}.png")
        Image.fromarray(np.full((64, 96), index, np.uint8)).save(root / "labels" / f"{index}.png")
    (root / "labels" / "1.png").write_bytes(b"no image")
    (root / "classes.json").write_text(json.dumps(CAMVID.names))
    records = []
    for connected in (None, cluster):
        config = AnalyzeConfig(out=tmp_path / str(len(records)), dataset="folder", split="all")
        *_, last = analyze(scenes_run, root, config, cluster=connected)
        records.append(last.analysis.record)
    assert list(records[0].left_out) == ["1"]
    assert records[1].left_out == records[0].left_out
    assert files(tmp_path / "1") == files(tmp_path / "0")


def test_killed_workers_cost_a_retry(
    scenes_run: Run, cluster: Cluster, analysed: Analysis, tmp_path: Path, quick_analyses: None
) -> None:
    config = AnalyzeConfig(out=tmp_path / "killed", split="test", epochs="all")
    for step in analyze(scenes_run, None, config, cluster=cluster):
        if step.measured == 1:
            kill_one_worker()
    tables = {name: content for name, content in files(tmp_path / "killed").items() if name.endswith(".parquet")}
    assert tables == {name: content for name, content in files(analysed.path).items() if name.endswith(".parquet")}


def test_a_row_that_kills_its_worker_again_and_again_is_given_up(cluster: Cluster, tmp_path: Path) -> None:
    def open_work() -> Callable:
        def work(rows: list[dict[str, int]]) -> Iterator[int]:
            for row in rows:
                if row["number"] == 5:
                    (tmp_path / str(time.time_ns())).touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                yield row["number"] ** 2

        return work

    rows = [{"number": number} for number in range(40)]
    squares = list(cluster.map(open_work, rows, device="cpu", give_up=lambda row: f"{row['number']}: {LOST}"))
    assert squares == [number**2 if number != 5 else f"5: {LOST}" for number in range(40)]
    assert "3 times" in LOST
    assert len(list(tmp_path.iterdir())) in (3, 6)  # alone from the start, or first among others


def test_an_error_of_a_worker_is_raised_here(cluster: Cluster) -> None:
    def cannot_open() -> Callable:
        raise DatasetError("no such folder")

    def cannot_work() -> Callable:
        def work(rows: list) -> list:
            raise DatasetError(f"nothing for {rows}")

        return work

    for open_work, sentence in ((cannot_open, "no such folder"), (cannot_work, "nothing for")):
        with pytest.raises(DatasetError, match=sentence):
            list(cluster.map(open_work, [{"number": 1}], device="cpu", give_up=str))


def test_a_worker_that_sees_other_images_says_so(scenes_run: Run, cluster: Cluster, tmp_path: Path) -> None:
    from hlcore.measuring.worker import open_work

    *_, last = analyze(scenes_run, None, AnalyzeConfig(out=tmp_path / "some", limit=2))
    config = AnalyzeConfig(out=last.analysis.path, limit=2)
    network = {"epoch": 2, "device": "cpu", "backend": "torch"}
    work = partial(open_work, scenes_run.path, None, config, network)
    with pytest.raises(DatasetError, match="does not have other on every machine"):
        list(cluster.map(work, [{"position": 0, "image": "other"}], device="cpu", give_up=str))


def test_a_cluster_without_the_device_says_so(cluster: Cluster) -> None:
    assert cluster.choose_device("auto") == "cpu"
    with pytest.raises(ClusterError, match=r"has no GPU \(2 machines, 2 cores\); add a machine with one"):
        list(cluster.map(list, [{}], device=cluster.choose_device("cuda"), give_up=str))


def test_no_rows_need_no_worker(cluster: Cluster) -> None:
    assert list(cluster.map(list, [], device="cpu", give_up=str)) == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9"),
        ("ray://head:10001", "run the command on a machine of the cluster"),
        ("head", "expected the address of a Ray cluster such as 10.0.0.1:6379, got 'head'"),
        ("127.0.0.1:99999", "no Ray cluster answers at 127.0.0.1:99999"),
    ],
)
def test_an_address_without_a_cluster_gets_one_sentence(address: str, sentence: str) -> None:
    with pytest.raises((ClusterError, InvalidInputError), match=sentence), connect([address]):
        pass


def test_ray_is_asked_for_only_when_a_cluster_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with connect(None) as nothing:
        assert nothing is None
    with pytest.raises(InvalidInputError, match=r"pip install 'hlcore\[cluster\]'"), connect([]):
        pass


def test_a_command_starts_and_stops_a_cluster_of_its_own(scenes_run: Run, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    done = in_own_process("predict", scenes_run.path, photographs / "more", "--out", out, "--cluster", "local")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"3 images in {out}\n"
    assert len(open_bundle(out).manifest) == 3
