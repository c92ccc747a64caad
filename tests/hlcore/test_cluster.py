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
from hlcore.measuring.job import open_job
from hlcore.measuring.loop import analyze
from hlcore.measuring.tables import write_tables
from hlcore.measuring.worker import open_work
from hlcore.storage.analyses import Analysis
from hlcore.storage.analysis_writer import open_analysis_writer
from hlcore.storage.bundles import open_bundle
from hlcore.storage.runs import Run
from tests.hlcore.running import hlcore, in_own_process

pytest.importorskip("ray", reason="Ray is not installed; pip install 'hlcore[cluster]'")
from ray.cluster_utils import Cluster as Machines

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PHOTOGRAPHS = Path(data.__file__).parent


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a cluster of two machines with a core each."""
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


def test_a_worker_that_is_killed_costs_a_retry(
    scenes_run: Run, cluster: Cluster, analysed: Analysis, tmp_path: Path, quick_analyses: None
) -> None:
    path, marker = tmp_path / "killed", tmp_path / "marker"
    settings = AnalyzeConfig(out=path, split="test", epochs="all")
    job = open_job(scenes_run, None, settings)
    record = job.record(device="cpu", backend="torch", command="")
    writer = open_analysis_writer(path, record)

    def open_and_die_once() -> Callable:
        work = open_work(scenes_run.path, None, settings, {"epoch": 2, "device": "cpu", "backend": "torch"})

        def work_or_die(rows: list) -> Iterator:
            for measured in work(rows):
                yield measured
                if not marker.exists():
                    marker.write_text(str(os.getpid()))
                    os.kill(os.getpid(), signal.SIGKILL)

        return work_or_die

    rows = [{"position": position, "image": name} for position, name in enumerate(job.names)]
    done = list(cluster.map(open_and_die_once, rows, device="cpu", on_lost=str))
    assert [measured.image for measured in done] == list(job.names)
    assert marker.exists(), "no worker died"
    write_tables(writer)
    tables = {name: content for name, content in files(path).items() if name.endswith(".parquet")}
    assert tables == {name: content for name, content in files(analysed.path).items() if name.endswith(".parquet")}


def test_a_machine_that_is_lost_costs_a_retry(tmp_path: Path) -> None:
    one = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    machines = Machines(initialize_head=True, head_node_args=one | {"include_dashboard": False})
    second = machines.add_node(**one)
    folder = tmp_path / "started"
    folder.mkdir()

    def open_slow() -> Callable:
        def work(rows: list) -> Iterator:
            for row in rows:
                (folder / f"{row['number']}-{os.getpid()}").touch()
                time.sleep(0.3)
                yield row["number"]

        return work

    try:
        with Cluster(str(machines.address)) as connected:
            rows = [{"number": number} for number in range(30)]
            results = connected.map(open_slow, rows, device="cpu", on_lost=str)
            done = [next(results), next(results)]
            while len({path.name.split("-")[1] for path in folder.iterdir()}) < 2:  # both machines work
                done.append(next(results))
            machines.remove_node(second, allow_graceful=False)
            assert [*done, *results] == list(range(30))
    finally:
        machines.shutdown()
    tried = [path.name.split("-")[0] for path in folder.iterdir()]
    assert len(tried) > len(set(tried)), "the machine was lost while it did not work"


def test_a_row_that_kills_its_worker_again_and_again_is_given_up(cluster: Cluster, tmp_path: Path) -> None:
    def open_deadly() -> Callable:
        def work(rows: list[dict[str, int]]) -> Iterator[int]:
            for row in rows:
                if row["number"] == 5:
                    (tmp_path / str(time.time_ns())).touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                yield row["number"] ** 2

        return work

    rows = [{"number": number} for number in range(40)]
    squares = list(cluster.map(open_deadly, rows, device="cpu", on_lost=lambda row: f"{row['number']}: {LOST}"))
    assert squares == [number**2 if number != 5 else f"5: {LOST}" for number in range(40)]
    assert len(list(tmp_path.iterdir())) == 3
    assert "died 3 times" in LOST


def test_workers_that_cannot_start_end_the_command(cluster: Cluster) -> None:
    def die() -> Callable:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def fail() -> Callable:
        raise ZeroDivisionError("a bug")

    for open_none, sentence in ((die, "do not start"), (fail, "do not start: .*a bug")):
        with pytest.raises(ClusterError, match=sentence):
            list(cluster.map(open_none, [{"number": 1}], device="cpu", on_lost=str))


def test_a_bug_in_the_work_is_not_hidden(cluster: Cluster) -> None:
    def open_broken() -> Callable:
        return lambda rows: [1 / 0 for _ in rows]

    with pytest.raises(ZeroDivisionError):
        list(cluster.map(open_broken, [{"number": 1}], device="cpu", on_lost=str))


def test_an_error_of_a_worker_is_raised_here(cluster: Cluster) -> None:
    def cannot_open() -> Callable:
        raise DatasetError("no such folder")

    def cannot_work() -> Callable:
        def work(rows: list) -> list:
            raise DatasetError(f"nothing for {rows}")

        return work

    for make, sentence in ((cannot_open, "no such folder"), (cannot_work, "nothing for")):
        with pytest.raises(DatasetError, match=sentence):
            list(cluster.map(make, [{"number": 1}], device="cpu", on_lost=str))


def test_a_worker_that_sees_other_images_says_so(scenes_run: Run, cluster: Cluster, tmp_path: Path) -> None:
    *_, last = analyze(scenes_run, None, AnalyzeConfig(out=tmp_path / "some", limit=2))
    config = AnalyzeConfig(out=last.analysis.path, limit=2)
    network = {"epoch": 2, "device": "cpu", "backend": "torch"}
    work = partial(open_work, scenes_run.path, None, config, network)
    with pytest.raises(DatasetError, match="does not have other on every machine"):
        list(cluster.map(work, [{"position": 0, "image": "other"}], device="cpu", on_lost=str))


def test_a_cluster_without_the_device_says_so(cluster: Cluster) -> None:
    assert cluster.choose_device("auto") == "cpu"
    with pytest.raises(ClusterError, match=r"no machine of the cluster \(2 machines, 2 cores\) has a GPU, a core"):
        list(cluster.map(list, [{}], device=cluster.choose_device("cuda"), on_lost=str))


def test_no_rows_need_no_worker(cluster: Cluster) -> None:
    assert list(cluster.map(list, [], device="cpu", on_lost=str)) == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9"),
        ("ray://head:10001", "run the command on one of its machines, or submit it with `ray job submit`"),
        ("http://head:8265", "takes jobs from outside the cluster; give HOST:PORT"),
        ("head", "expected the address of a Ray cluster such as 10.0.0.1:6379, got 'head'"),
        ("127.0.0.1:99999", "no Ray cluster answers at 127.0.0.1:99999"),
    ],
)
def test_an_address_without_a_cluster_gets_one_sentence(address: str, sentence: str) -> None:
    with pytest.raises((ClusterError, InvalidInputError), match=sentence), connect(address):
        pass


def test_ray_is_asked_for_only_when_a_cluster_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with connect(None) as nothing:
        assert nothing is None
    with pytest.raises(InvalidInputError, match=r"pip install 'hlcore\[cluster\]'"), connect("auto"):
        pass


def test_plugins_reach_the_workers(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLCORE_PLUGINS", "json")

    def open_reader() -> Callable:
        return lambda rows: [os.environ.get("HLCORE_PLUGINS") for _ in rows]

    assert list(cluster.map(open_reader, [{"number": 1}], device="cpu", on_lost=str)) == ["json"]


def test_a_command_starts_and_stops_a_cluster_of_its_own(scenes_run: Run, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    done = in_own_process("predict", scenes_run.path, photographs / "more", "--out", out, "--cluster", "local")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"3 images in {out}\n"
    assert len(open_bundle(out).manifest) == 3
