"""The commands as a user types them: some in a separate process, the others in this one, where torch is loaded."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console
from safetensors.torch import load_file, save_file
from skimage import data

from hlcore import cli
from hlcore.listing import make_score_table, make_table
from hlcore.storage.analyses import open_analysis
from hlcore.storage.bundles import BundleWriter, open_bundle
from hlcore.storage.checkpoints import METADATA_KEY, read_header
from hlcore.storage.runs import create_run, open_run
from tests.hlcore.running import hlcore, in_own_process

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("only_localhost")]
PROJECT = Path(__file__).parents[2]
PHOTOGRAPHS = Path(data.__file__).parent
SETTINGS = """
name: tiny
device: cpu
threads: 1
probe_images: 0
network:
  network: fpn
  encoder: tu-mobilenetv3_small_050
  encoder_weights: none
  encoder_depth: 3
  decoder_channels: 32
  options: {decoder_dropout: 0.1}
data: {scene_size: [48, 64], train_scenes: 8, val_scenes: 2}
optim: {epochs: 2, batch_size: 2}
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "run.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="module")
def run(settings: Path) -> Path:
    done = in_own_process("train", "--config", settings, "--out", settings.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"complete: {settings.parent / 'tiny'}\n"
    return settings.parent / "tiny"


def test_the_command_line_overrides_the_file_and_the_file_the_defaults(settings: Path, tmp_path: Path) -> None:
    done = hlcore("train", "--config", settings, "--out", tmp_path, "--optim.epochs", 1)
    assert done.returncode == 0, done.stderr
    config = open_run(tmp_path / "tiny").record.config
    assert (config.optim.epochs, config.optim.batch_size, config.optim.clip_norm) == (1, 2, 5.0)
    assert config.network.options == {"decoder_dropout": 0.1}


def test_evaluate_prints_every_class_and_the_mean(run: Path) -> None:
    done = hlcore("evaluate", run, "--split", "test", "--epoch", 1, terminal=True)
    assert done.returncode == 0, done.stderr
    assert "tiny, epoch 1, test (2 images)" in done.stdout
    for row in ("mean_iou", "pixel_accuracy", "iou/Sky", "iou/Bicyclist"):
        assert row in done.stdout


def test_evaluate_prints_the_same_numbers_in_a_pipe_and_as_json(run: Path) -> None:
    given = ("evaluate", run, "--split", "test", "--epoch", 1)
    cells = dict(line.split("\t") for line in hlcore(*given).stdout.splitlines())
    values = json.loads(hlcore(*given, "--json").stdout)
    assert values.items() >= {"run": "tiny", "epoch": 1, "split": "test", "images": 2}.items()
    assert cells == {name: "" if value is None else f"{value:.4f}" for name, value in list(values.items())[4:]}
    assert cells.keys() >= {"mean_iou", "pixel_accuracy", "iou/Sky", "iou/Bicyclist"}


def test_an_unfinished_bundle_is_continued_and_a_finished_one_refused(run: Path, tmp_path: Path) -> None:
    names = ("coffee.png", "chelsea.png", "astronaut.png")
    (tmp_path / "photos").mkdir()
    for name in names:
        with Image.open(PHOTOGRAPHS / name) as image:
            image.resize((64, 48)).save(tmp_path / "photos" / name)
    given = ("predict", run, tmp_path / "photos", "--out")
    assert hlcore(*given, tmp_path / "whole").returncode == 0
    whole = open_bundle(tmp_path / "whole")
    with BundleWriter(
        tmp_path / "part", class_names=whole.class_names, palette=whole.palette, made_with=whole.record.made_with
    ) as part:
        (part.path / "astronaut.hardness.png").write_bytes((whole.path / "astronaut.hardness.png").read_bytes())
        (part.path / "astronaut.prediction.png").write_bytes((whole.path / "astronaut.prediction.png").read_bytes())
        part._rows = whole.manifest[whole.manifest["name"] == "astronaut"].to_dict("records")
        part._write_manifest()
        shutil.copytree(part.path, tmp_path / "stopped")
    (tmp_path / "others").mkdir()
    shutil.copy(PHOTOGRAPHS / "coffee.png", tmp_path / "others" / "astronaut.png")
    refused = hlcore("predict", run, tmp_path / "others", "--out", tmp_path / "stopped")
    assert refused.returncode == 1
    assert "has the maps of another image named 'astronaut'" in refused.stderr
    refused = hlcore("predict", run, tmp_path / "photos" / "coffee.png", "--out", tmp_path / "stopped")
    assert "has the maps of an image that was not given, 'astronaut'" in refused.stderr
    done = hlcore(*given, tmp_path / "stopped")
    assert done.returncode == 0, done.stderr
    assert f"continuing {tmp_path / 'stopped'}, which has 1 of the 3 images" in done.stderr
    pd.testing.assert_frame_equal(open_bundle(tmp_path / "stopped").manifest, whole.manifest)
    assert "already holds a bundle" in hlcore(*given, tmp_path / "stopped").stderr


def test_a_continued_bundle_has_the_images_as_they_are_now(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("astronaut", "coffee"):
        shutil.copy(PHOTOGRAPHS / f"{name}.png", tmp_path / "photos")
    (tmp_path / "photos" / "zebra.png").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)
    given = ("predict", run, "photos", "--out", "maps")
    assert hlcore(*given).returncode == 1
    before = open_bundle(tmp_path / "maps")
    assert not before.record.complete
    kept, replaced = before.hardness_map("astronaut"), before.hardness_map("coffee")
    shutil.copy(PHOTOGRAPHS / "rocket.jpg", tmp_path / "photos" / "coffee.png")
    shutil.copy(PHOTOGRAPHS / "chelsea.png", tmp_path / "photos" / "zebra.png")
    done = hlcore("predict", run, tmp_path / "photos", "--out", "maps")  # another path to the same files
    assert "has the maps of another image named 'coffee'" in done.stderr
    done = hlcore(*given)
    assert done.returncode == 0, done.stderr
    assert "continuing maps, which has 1 of the 3 images" in done.stderr
    assert "3 images in maps" in done.stdout
    after = open_bundle(tmp_path / "maps")
    assert after.record.complete
    assert after.left_out == {}
    assert np.array_equal(after.hardness_map("astronaut"), kept)
    assert after.hardness_map("coffee").shape != replaced.shape
    assert sorted(after.manifest["name"]) == ["astronaut", "coffee", "zebra"]


def test_a_bundle_names_the_images_that_were_left_out(run: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    done = hlcore("predict", run, PHOTOGRAPHS / "coffee.png", tmp_path / "broken.png", "--out", tmp_path / "maps")
    assert done.returncode == 1
    assert open_bundle(tmp_path / "maps").left_out.keys() == {"broken"}


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_prediction_says_so_and_keeps_what_it_has(run: Path, tmp_path: Path, stop: signal.Signals) -> None:
    for number in range(200):
        shutil.copy(PHOTOGRAPHS / "coffee.png", tmp_path / f"{number:03}.png")
    command = [sys.executable, "-m", "hlcore", "predict", str(run), str(tmp_path), "--out", str(tmp_path / "maps")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as predicting:
        while len(list((tmp_path / "maps").glob("*.prediction.png"))) < 2:  # the second may not be listed yet
            assert predicting.poll() is None
            time.sleep(0.05)
        predicting.send_signal(stop)
        _, stderr = predicting.communicate(timeout=60)
    assert predicting.returncode == 130
    assert stderr.rstrip().endswith(f"stopped; continue with: {shlex.join(['hlcore', *command[3:]])}")
    bundle = open_bundle(tmp_path / "maps")
    assert not bundle.record.complete
    written = len(list((tmp_path / "maps").glob("*.prediction.png")))
    assert written - 1 <= len(bundle.manifest) < 200


def test_names_in_a_table_of_scores_are_not_markup() -> None:
    console = Console(width=80, file=(printed := io.StringIO()))
    scores = {"iou/road [paved]": 0.5, "iou/disc [/old]": float("nan"), "iou/[red]car": 0.25}
    console.print(make_score_table("run [a], epoch 1", scores))
    for name in ("run [a], epoch 1", *scores):
        assert name in printed.getvalue()
    assert "iou/disc [/old]  │ -" in printed.getvalue()


def test_evaluate_refuses_a_data_set_with_other_classes(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "other")
    record = json.loads((other / "run.json").read_text())
    record["config"]["data"]["dataset"] = "folder"
    (other / "run.json").write_text(json.dumps(record))
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
        Image.new("L", (64, 48)).save(tmp_path / name / "one.png")
    (tmp_path / "classes.json").write_text(json.dumps(["Sea", *record["class_names"][1:]]))
    done = hlcore("evaluate", other, "--root", tmp_path)
    assert done.returncode == 1
    assert "was trained on the classes Sky, Building" in done.stderr
    assert "but the data set has Sea, Building" in done.stderr


def test_predict_accepts_files_folders_and_globs_and_writes_a_bundle(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photographs" / "deep"
    folder.mkdir(parents=True)
    (folder / "cat.png").write_bytes((PHOTOGRAPHS / "chelsea.png").read_bytes())
    out = tmp_path / "bundle"
    inputs = PHOTOGRAPHS / "coffee.png", tmp_path / "photographs", PHOTOGRAPHS / "astro*.png"
    done = hlcore("predict", run, *inputs, "--out", out)
    assert done.returncode == 0, done.stderr
    bundle = open_bundle(out)
    assert list(bundle.manifest["name"]) == ["coffee", "deep/cat", "astronaut"]
    assert bundle.hardness_map("deep/cat").shape == bundle.prediction("deep/cat").shape == (300, 451)
    assert bundle.class_names == open_run(run).record.class_names


def test_predict_goes_on_after_any_failure_of_one_image(run: Path, tmp_path: Path) -> None:
    long = tmp_path / f"{'n' * 245}.png"
    Image.new("RGB", (64, 48)).save(long)
    out = tmp_path / "bundle"
    done = hlcore("predict", run, long, PHOTOGRAPHS / "coffee.png", "--out", out)
    assert done.returncode == 1
    assert re.search(r"skipped: .*n\.hardness\.png cannot be written \(File name too long\)", done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout == f"1 image in {out}\n"
    assert list(open_bundle(out).manifest["name"]) == ["coffee"]


def test_predict_skips_unreadable_images_and_writes_the_rest(run: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    out = tmp_path / "bundle"
    done = hlcore("predict", run, tmp_path / "broken.png", PHOTOGRAPHS / "coffee.png", "--out", out)
    assert done.returncode == 1
    assert f"skipped: {tmp_path / 'broken.png'} " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == f"1 image in {out}\n"
    assert list(open_bundle(out).manifest["name"]) == ["coffee"]


@pytest.mark.parametrize("encoder", ["tu-hf_hub:someone/theirs", "tu-local-dir:/etc"])
@pytest.mark.parametrize("command", ["evaluate", "predict", "analyze", "runs"])
def test_no_command_asks_for_what_a_checkpoint_names(run: Path, tmp_path: Path, command: str, encoder: str) -> None:
    theirs = open_run(Path(shutil.copytree(run, tmp_path / "theirs")))
    for epoch in theirs.epochs:
        path = theirs.checkpoint_path(epoch)
        header = read_header(path)
        chosen = header.network.model_copy(update={"encoder": encoder, "encoder_weights": "imagenet"})
        header = header.model_copy(update={"network": chosen})
        save_file(load_file(path), path, metadata={METADATA_KEY: header.model_dump_json()})
    further = {"predict": [PHOTOGRAPHS / "coffee.png", "--out", tmp_path / "maps"]}.get(command, [])
    done = hlcore(command, theirs.path, *further)
    if command == "runs":
        assert done.returncode == 0
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert f"epoch-0002.safetensors: unknown encoder '{encoder}'" in done.stderr


def test_predict_reads_a_folder_with_one_white_level_and_says_how_many_images_are_dark(
    run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    for name, brightest in (("bright", 4000), ("dim", 300)):
        numbers = np.linspace(0, brightest, 48 * 64).astype(np.uint16).reshape(48, 64)
        Image.fromarray(numbers).save(folder / f"{name}.png")
        Image.fromarray((numbers / 4095 * 255).round().astype(np.uint8)).save(tmp_path / f"{name}.png")
    done = hlcore("predict", run, folder, "--out", tmp_path / "found")
    assert done.returncode == 0, done.stderr
    assert f"note: 1 of 2 images, such as {folder / 'dim.png'}, use under a tenth of the range" in done.stderr
    hlcore("predict", run, tmp_path / "bright.png", tmp_path / "dim.png", "--out", tmp_path / "eight-bit")
    done = hlcore("predict", run, folder, "--out", tmp_path / "given", "--white-level", 300)
    assert "note:" not in done.stderr
    found, eight_bit, given = (open_bundle(tmp_path / name) for name in ("found", "eight-bit", "given"))
    for name in ("bright", "dim"):
        np.testing.assert_array_equal(found.hardness_map(name), eight_bit.hardness_map(name))
        assert (found.hardness_map(name) != given.hardness_map(name)).any()


def test_predict_refuses_a_white_level_of_0(run: Path, tmp_path: Path) -> None:
    done = hlcore("predict", run, PHOTOGRAPHS / "coffee.png", "--out", tmp_path / "out", "--white-level", 0)
    assert done.returncode in {1, 2}
    assert not (tmp_path / "out").exists()


def test_runs_lists_the_runs_in_a_folder(run: Path) -> None:
    done = hlcore("runs", run.parent)
    assert done.returncode == 0, done.stderr
    for cell in ("complete", "fpn / tu-mobilenetv3_small_050", "streets", "hardness", "0, 1, 2"):
        assert cell in done.stdout


def test_runs_prints_tabs_to_a_pipe_and_json_when_asked(run: Path) -> None:
    head, row = hlcore("runs", run.parent).stdout.splitlines()
    cells = dict(zip(head.split("\t"), row.split("\t"), strict=True))
    (found,) = json.loads(hlcore("runs", run.parent, "--json").stdout)
    assert cells["run"] == found["run"] == str(run)
    assert cells["kept epochs"] == "0, 1, 2"
    assert found["kept epochs"] == [0, 1, 2]
    assert float(cells["last mIoU"]) == found["last mIoU"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_runs_never_cuts_a_name_and_drops_columns_that_do_not_fit(run: Path, width: int) -> None:
    row = json.loads(hlcore("runs", run.parent, "--json").stdout)[0] | {"run": "runs/[road] deeplab-on-camvid"}
    console = Console(width=width, file=(printed := io.StringIO()))
    console.print(make_table([row], width))
    lines = printed.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "runs/[road] deeplab-on-camvid" in lines[3]
    assert "…" not in "".join(lines)
    assert ("parameters" in lines[1]) == (width == 200)


def test_help_of_an_unknown_command_is_an_error(run: Path) -> None:
    done = hlcore("evaluat", "--help")
    assert done.returncode == 2
    assert "evaluate" in done.stdout + done.stderr
    assert "Usage" not in done.stdout


def test_runs_skips_unreadable_runs_and_says_so(run: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    done = hlcore("runs", tmp_path, run)
    assert done.returncode == 0
    assert "skipped:" in done.stderr
    assert str(tmp_path / "broken") in done.stderr
    assert "complete" in done.stdout


def test_runs_lists_a_run_with_a_stray_file_and_says_so(run: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(run, tmp_path / "copied"))
    shutil.copy(
        copied / "checkpoints" / "epoch-0002.safetensors", copied / "checkpoints" / "epoch-0002 (copy).safetensors"
    )
    with (copied / "metrics.jsonl").open("a") as metrics:
        metrics.write("null\n")
    done = hlcore("runs", tmp_path, "--json")
    assert done.returncode == 0
    (row,) = json.loads(done.stdout)
    assert row["kept epochs"] == [0, 1, 2]
    assert "left out 'epoch-0002 (copy).safetensors'" in done.stderr
    assert "metrics.jsonl: left out line" in done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_a_run_that_can_be_resumed(settings: Path, tmp_path: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "hlcore", "train", "--config", str(settings), "--out", str(tmp_path)]
    training = subprocess.Popen([*command, "--optim.epochs", "200"], stdout=subprocess.PIPE, text=True)
    metrics = tmp_path / "tiny" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and metrics.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.1)
    second = hlcore("train", "--resume", tmp_path / "tiny")
    assert second.returncode == 1
    assert second.stderr.endswith(f"another process is writing to {tmp_path / 'tiny'}; wait until it ends\n")
    training.send_signal(stop)
    printed, _ = training.communicate(timeout=120)
    assert training.returncode == 130
    assert printed == f"stopped; continue with: hlcore train --resume {tmp_path / 'tiny'}\n"
    stopped = open_run(tmp_path / "tiny")
    assert stopped.record.state == "interrupted"
    assert stopped.resume_path.is_file()


def test_a_full_disk_ends_a_command_with_one_sentence_and_leaves_what_was_there(run: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: writing fails in the same way."""
    path = shutil.copytree(run, tmp_path / "run")
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
    limited = [sys.executable, "-B", "-c", limit + "from hlcore.cli import main; main()"]
    for arguments in (
        ["train", "--out", str(tmp_path / "new"), "--probe-images", "0"],
        ["predict", str(path), str(PHOTOGRAPHS / "coffee.png"), "--out", str(tmp_path / "maps")],
        ["analyze", str(path), "--limit", "1", "--out", str(tmp_path / "analysis")],
    ):
        done = subprocess.run([*limited, *arguments], capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.endswith(" cannot be written (File too large); check free space and permissions")
        assert "Traceback" not in done.stderr
    assert before == {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_analyze_writes_tables_and_a_report_beside_the_run(run: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(run, tmp_path / "whole")
    done = hlcore("analyze", whole, "--split", "test", "--epochs", "1,2")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"complete: {whole / 'analyses' / 'streets-test' / 'report.html'}\n"
    analysis = open_analysis(whole / "analyses" / "streets-test")
    assert (analysis.record.epoch, analysis.record.epochs, analysis.record.images) == (2, (1, 2), 2)
    assert analysis.record.command == f"hlcore analyze {whole} --split test --epochs 1,2"
    assert f"hlcore analyze {whole} --split test --epochs 1,2" in analysis.report_path.read_text()
    done = hlcore("analyze", whole, "--split", "test", "--epoch", 1)
    assert done.returncode == 1
    assert "with other settings (epoch: 2, now 1" in done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_an_analysis_that_the_same_command_continues(
    run: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    large = shutil.copytree(run, tmp_path / "large")
    record = json.loads((large / "run.json").read_text())
    record["config"]["data"]["val_scenes"] = 500
    (large / "run.json").write_text(json.dumps(record))
    command = [sys.executable, "-m", "hlcore", "analyze", str(large), "--out", str(tmp_path / "out")]
    measuring = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/parts/*.npz")) and time.monotonic() < deadline:
        time.sleep(0.1)
    measuring.send_signal(stop)
    printed, _ = measuring.communicate(timeout=120)
    assert measuring.returncode == 130
    assert printed == f"stopped; continue with: hlcore analyze {large} --out {tmp_path / 'out'}\n"
    assert open_analysis(tmp_path / "out").record.state == "running"
    assert 1 <= len(list(tmp_path.glob("out/parts/*"))) < 500
    assert not list(tmp_path.glob("out/*.parquet"))


@pytest.mark.parametrize(
    ("text", "encoding", "sentence"),
    [
        *(("network: {network: unett}  # é", encoding, "unknown network 'unett'") for encoding in ("utf-16", "cp1252")),
        ("network: {network: unett}", "utf-8-sig", "unknown network 'unett'"),
        ("optim: {lr: 1, lr: 2}", "utf-8", "'lr' is listed twice"),
    ],
)
def test_settings_may_be_in_any_usual_encoding_and_list_each_name_once(
    tmp_path: Path, text, encoding, sentence
) -> None:
    (tmp_path / "run.yaml").write_text(text, encoding=encoding)
    done = hlcore("train", "--config", tmp_path / "run.yaml", "--out", tmp_path)
    assert done.returncode in {1, 2}  # 2: not a valid command line
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("analyze", "RUN", "--epoch", "9"), "has not saved epoch 9; choose one of 0, 1, 2"),
        (("analyze", "RUN", "--epochs", "some"), "such as 3,9,24, got 'some'"),
        (("analyze", "RUN", "--dataset", "camvid"), "the data set 'camvid' needs its folder (DATA of fit"),
        (
            ("analyze", "RUN", "no-such-folder", "--dataset", "camvid"),
            "the folder of the data set, no-such-folder, does not exist; if it has moved",
        ),
        (("analyze", "RUN", "--merge", "list.yaml"), "list.yaml does not map class names to class names"),
        (("evaluate", "no-such-folder"), "error: no-such-folder is not a run: it has no run.json"),
        (("predict", "RUN", "no-such.png", "--out", "out"), "error: no image found for 'no-such.png'"),
        (("evaluate", "RUN", "--epoch", "9"), "has not saved epoch 9; choose one of 0, 1, 2"),
        (("train", "--network.network", "unett"), "error: unknown network 'unett'; did you mean 'unet'?"),
        (("train", "--optim.epoch", "3"), "Did you mean --optim.epochs?"),
        (("train", "--resume", "RUN"), "is complete, so there is nothing to resume"),
        (
            ("train", "--resume", "RUN", "--seed", "1", "--optim.lr", "1", "--device", "cpu", "--data.workers", "0"),
            "--resume continues with the run's own settings; leave out --optim.lr, --seed",
        ),
        (("train", "--data.dataset", "camvid", "--data.root", "~nobody-here/camvid"), "~nobody-here"),
        (("evaluate", "RUN", "--epoch", "best-ever"), "best"),
        (("train", "--config", "no-such.yaml"), "no-such.yaml does not exist; expected a YAML file"),
        (("train", "--config", "broken.yaml"), "broken.yaml is not YAML"),
        (("train", "--config", "list.yaml"), "list.yaml holds a list; expected settings such as 'seed: 0'"),
        (("train", "--device", "cuda", "--devices", "99"), "error: 99 x device 'cuda' not available"),
        (
            ("predict", "RUN", str(PHOTOGRAPHS / "coffee.png"), "--out", "list.yaml"),
            "list.yaml (File exists); give another --out",
        ),
        (("app", "no-such-folder"), "error: no-such-folder is not a folder; expected one that holds runs"),
    ],
)
def test_invalid_input_gets_one_sentence(run: Path, tmp_path: Path, arguments, sentence: str) -> None:
    (tmp_path / "broken.yaml").write_text("optim: {epochs: 3")
    (tmp_path / "list.yaml").write_text("- 3")
    files = {"RUN": run} | {name: tmp_path / name for name in arguments if name.endswith(".yaml")}
    given = [str(files.get(argument, argument)) for argument in arguments]
    if given[0] == "train" and "--resume" not in given:
        given += ["--out", str(tmp_path)]
    done = hlcore(*given)
    assert done.returncode in {1, 2}  # 2: not a valid command line
    assert sentence in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_an_error_in_a_separate_process_is_one_line_and_status_1() -> None:
    done = in_own_process("evaluate", "no-such-folder")
    assert done == (1, "", "error: no-such-folder is not a run: it has no run.json\n")


def test_a_name_that_the_output_cannot_encode_does_not_stop_a_command(run_record, tmp_path: Path) -> None:
    create_run(run_record.model_copy(update={"name": "通り"}), tmp_path)
    done = in_own_process("runs", tmp_path, PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert "\\u901a" in done.stdout


def test_a_checkout_serves_its_own_app_with_the_runs_it_is_given(tmp_path: Path, monkeypatch) -> None:
    started = []
    monkeypatch.setattr("hlcore.cli.subprocess.call", lambda command, **settings: started.append((command, settings)))
    monkeypatch.setenv("HLCORE_RUNS", "/further/runs")
    with pytest.raises(SystemExit):
        cli.serve([tmp_path], port=8600)
    ((command, settings),) = started
    assert Path(command[command.index("run") + 1]) == PROJECT / "app" / "server.py"
    assert command[-1] == "8600"
    assert settings["cwd"] == PROJECT  # where .streamlit/config.toml is
    assert settings["env"]["HLCORE_RUNS"].split(os.pathsep) == [str(tmp_path), "/further/runs"]


@pytest.mark.parametrize("command", [(), ("train",), ("evaluate",), ("predict",), ("analyze",), ("runs",), ("app",)])
def test_help_imports_neither_torch_nor_pandas(command: tuple[str, ...]) -> None:
    program = (
        "import sys\nfrom hlcore.cli import app\n"
        f"app({[*command, '--help']!r}, exit_on_error=False, result_action='return_value')\n"
        "heavy = {'torch', 'pandas', 'numpy', 'streamlit', 'plotly'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: hlcore" in done.stdout
