"""The paper's figure 1 over many images: how both maps change while a copy of a trained network memorises one image.

    python -m benchmarks.memorise --run checkpoints/streets --split test
    python -m benchmarks.memorise --run checkpoints/camvid --split test --root CAMVID

Columns of the table: run, split, image, map, step, and the measures of hlcore.analysis.stability.compare_with_first,
each compared with the map before the first step.
"""

from pathlib import Path

import pandas as pd
from cyclopts import App

from benchmarks.evidence.measures import read_samples
from hlcore.analysis.stability import compare_with_first
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import Run, open_run
from hlcore.training.memorise import memorise

RESULTS = Path(__file__).parent / "results" / "memorise.csv"

app = App(name="python -m benchmarks.memorise", help=__doc__)


@app.default
def main(*, run: Path, split: str, images: int = 10, root: Path | None = None, out: Path = RESULTS) -> None:
    """Memorise images of a split one by one, and replace the rows of this run and split in the table.

    Parameters
    ----------
    run
        Run folder; its last epoch is used.
    split
        Split of the run's data set.
    images
        Number of images, evenly spaced over the split.
    root
        Folder of the data set. Default: the one the run was trained on.
    out
        CSV file of the table.
    """
    opened = open_run(run)
    table = memorise_images(opened, split, images=images, root=root)
    if out.exists():
        before = pd.read_csv(out)
        table = pd.concat([before[(before["run"] != opened.name) | (before["split"] != split)], table])
    out.parent.mkdir(exist_ok=True)
    table.round(5).to_csv(out, index=False)


def memorise_images(run: Run, split: str, *, images: int, root: Path | None = None) -> pd.DataFrame:
    """One row for each image, map and kept step; progress is printed."""
    checkpoint, config = load_checkpoint(run.checkpoint_path(run.epochs[-1])), run.record.config
    tables = []
    for sample in read_samples(run, split, images=images, root=root):
        assert sample.label_map is not None  # every split of a known data set is labelled
        reports = memorise(checkpoint, sample.image, sample.label_map, loss=config.loss, optim=config.optim)
        kept = {str(report.step): report.snapshot for report in reports if report.snapshot is not None}
        maps = {step: (maps.hardness_map, maps.loss_map) for step, maps in kept.items()}
        table = compare_with_first(maps, sample.label_map, c=config.loss.c).rename(columns={"snapshot": "step"})
        tables.append(table.assign(run=run.name, split=split, image=sample.name))
        last = table[table["step"] == list(maps)[-1]].set_index("map")["relative_level"]
        print(f"{sample.name}: loss {last['loss']:.2f}, hardness {last['hardness']:.2f} of what it was", flush=True)
    return pd.concat(tables)


if __name__ == "__main__":
    app()
