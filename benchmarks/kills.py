"""Kill train, predict and analyze at random moments (kill -9), repeat them, and compare with an undisturbed result.

    python -m benchmarks.kills --kills 50

A command is killed, repeated as its documentation says, killed again ... until it finishes. Then weights, metrics,
tables and maps must equal those of a command that nobody killed: nothing is lost, and nothing is there twice. It
is repeated in new folders until it was killed often enough. The results become rows of the table in
docs/reliability.md.
"""

import filecmp
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from skimage import data

from benchmarks.measured_tables import write_row
from hlcore.storage.analyses import open_analysis
from hlcore.storage.bundles import MANIFEST, open_bundle
from hlcore.storage.runs import open_run

DOCUMENT = Path(__file__).parents[1] / "docs" / "reliability.md"
COLUMNS = ("command", "seed", "kills", "times completed", "lost or doubled")
SETTINGS = """\
name: tiny
device: cpu
threads: 1
probe_images: 2
network:
  {network: fpn, encoder: tu-mobilenetv3_small_050, encoder_weights: none, encoder_depth: 3, decoder_channels: 32}
data: {scene_size: [96, 128], train_scenes: 16, val_scenes: 24}
optim: {epochs: 12, batch_size: 2}
"""
EXAMPLES = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "retina.jpg", "motorcycle_left.png")
PHOTOGRAPHS = [str(path) for name in EXAMPLES if (path := Path(data.__file__).parent / name).is_file()]


def main() -> None:
    """Write the rows."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="kills of each command")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--only", choices=("train", "predict", "analyze"), help="kill only this command")
    options = parser.parse_args()
    moments = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "tiny.yaml").write_text(SETTINGS, encoding="utf-8")
        train = ["train", "--config", str(root / "tiny.yaml"), "--out"]

        def continue_training(folder: Path) -> list[str] | None:
            path = folder / "tiny"
            if not (path / "run.json").exists() or open_run(path).is_blank:
                return [*train, str(folder)]
            return None if open_run(path).record.state == "complete" else ["train", "--resume", str(path)]

        run = str(root / "train" / "tiny")

        def continue_predicting(folder: Path) -> list[str] | None:
            complete = (folder / MANIFEST).exists() and open_bundle(folder).record.complete
            return None if complete else ["predict", run, *PHOTOGRAPHS, "--out", str(folder)]

        commands = {
            "train": (continue_training, compare_runs),
            "predict": (continue_predicting, compare_bundles),
            "analyze": (lambda folder: ["analyze", run, "--epochs", "all", "--out", str(folder)], compare_analyses),
        }
        for name, (command, compare) in commands.items():
            seconds = run_undisturbed(command(root / name))
            if options.only not in (None, name):
                continue
            kills, faults, trials = 0, [], 0
            while kills < options.kills:
                trials += 1
                again = root / f"{name}-{trials}"
                kills += kill_and_repeat(partial(command, again), seconds, options.kills - kills, moments)
                faults += compare(root / name, again)
            row = f"`hlcore {name}`", str(options.seed), str(kills), str(trials), ", ".join(faults) or "nothing"
            print(dict(zip(COLUMNS, row, strict=True)), flush=True)
            write_row(DOCUMENT, "benchmarks.kills", COLUMNS, row, key=2)


def run_undisturbed(arguments: list[str] | None) -> float:
    """Seconds that the command takes; 0 if there is nothing to do."""
    start = time.perf_counter()
    if arguments is None:
        return 0
    subprocess.run([sys.executable, "-m", "hlcore", *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def kill_and_repeat(
    command: Callable[[], list[str] | None], seconds: float, kills: int, moments: np.random.Generator
) -> int:
    """Number of times the command was killed before it was left to finish, at most `kills`.

    Args:
        command: What to run next, given what is on disk; None if that is finished.
        seconds: How long it takes undisturbed; it is killed at a random moment within that time.
        kills: Number of kills after which it is left to finish.
        moments: The random moments.
    """
    for done in range(kills):
        if (arguments := command()) is None:
            return done
        process = subprocess.Popen(
            [sys.executable, "-m", "hlcore", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=moments.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        else:
            return done
    run_undisturbed(command())
    return kills


def compare_runs(whole: Path, killed: Path) -> list[str]:
    """What differs between two runs in weights and logged steps."""
    first, second = (open_run(folder / "tiny") for folder in (whole, killed))
    faults = [] if first.epochs == second.epochs else ["kept epochs"]
    for epoch in set(first.epochs) & set(second.epochs):
        before, after = (load_file(run.checkpoint_path(epoch)) for run in (first, second))
        if not all(torch.equal(before[name], after[name]) for name in before):
            faults.append(f"weights of epoch {epoch}")
    if list(first.step_table()["iteration"]) != list(second.step_table()["iteration"]):
        faults.append("logged steps")
    return faults


def compare_bundles(whole: Path, killed: Path) -> list[str]:
    """What differs between two bundles in manifest and maps."""
    first, second = open_bundle(whole), open_bundle(killed)
    faults = [] if list(first.manifest["name"]) == list(second.manifest["name"]) else ["manifest"]
    pictures = sorted(path.name for path in whole.glob("*.png"))
    _, different, missing = filecmp.cmpfiles(whole, killed, pictures, shallow=False)
    return [*faults, *different, *missing]


def compare_analyses(whole: Path, killed: Path) -> list[str]:
    """The tables that differ between two analyses."""
    first, second = open_analysis(whole), open_analysis(killed)
    names = sorted(path.stem for path in whole.glob("*.parquet"))
    return [name for name in names if not first.table(name).equals(second.table(name))]


if __name__ == "__main__":
    main()
