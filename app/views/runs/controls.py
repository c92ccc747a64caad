"""Controls and tables of the Runs page."""

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.scope_picker import format_scope
from app.loading import runs as run_loading
from app.loading.runs import load_runs
from hlcore.analysis import run_comparison
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import IOU_PREFIX, Run

VALIDATION = "validation"
"""The value, in links, for the scores on each run's own validation split."""
MAX_RUNS = 8
"""More runs could not be told apart by colour."""
METRICS = ("mIoU", "Boundary IoU", "Small medium and large objects")
"""The definitions that the score charts use."""
ONE_SEED = "Each run is a single seed, so a small gain may be chance."


def select_runs() -> dict[str, Run]:
    """The selected runs, by name; a run that cannot be read gives a warning and is left out."""
    names = list(run_loading.find_run_folders())
    session.ensure_choices("runs", names, default=_list_comparable(names, session.get_choice("run")))
    chosen = st.multiselect("Runs", names, key="runs", max_selections=MAX_RUNS, persist_state="session")
    runs, sentences = load_runs(chosen)
    for sentence in sentences:
        st.warning(sentence, icon=":material/error:")
    return runs


def _list_comparable(names: list[str], first: str) -> list[str]:
    """The run and those trained on the same data or, where there is none, all other runs."""
    runs, _ = load_runs(names)
    ordered = [first, *(name for name in names if name != first)]
    if first in runs:
        data = runs[first].record.data_fingerprint
        same = [name for name in ordered if name in runs and runs[name].record.data_fingerprint == data]
        ordered = same if len(same) > 1 or runs[first].record.imported is not None else ordered
    return ordered[:MAX_RUNS]


def select_scores(scored: dict[str, dict[str, Analysis]], *, runs: int) -> str:
    """The selected scores: those on the validation splits, or on a data set measured with `hlcore analyze`."""
    most = max(scored, key=lambda data: len(scored[data]), default=VALIDATION)
    known = [VALIDATION, *scored]
    session.ensure_choice("scores", known, default=most)
    chosen = st.segmented_control(
        "Scored on",
        known,
        format_func=lambda data: (
            data if data == VALIDATION else f"{_format_data(scored[data])} ({len(scored[data])} of {runs} runs)"
        ),
        key="scores",
        required=True,
        persist_state="session",
        help="Validation scores after the last epoch, or scores on a data set measured with `hlcore analyze`. "
        + definitions.list_links(*METRICS),
    )
    return chosen or VALIDATION


def select_pair(names: list[str], runs: dict[str, Run]) -> tuple[str, str]:
    """The selected baseline, at first a run trained with cross entropy, and the run compared with it."""
    compared_column, baseline_column = st.columns(2)
    plain = [name for name in names if runs[name].record.objective == "ce"]
    baseline = (plain or names)[0]
    session.ensure_choice("baseline", names, default=baseline)
    session.ensure_choice("compared", names, default=next(name for name in names if name != baseline))
    compared = compared_column.selectbox(
        "Gain of", names, key="compared", persist_state="session", help=definitions.list_links("Gain", "Interval")
    )
    baseline = baseline_column.selectbox("Over", names, key="baseline", persist_state="session")
    return baseline, compared


def list_iou_columns(classes: tuple[str, ...]) -> dict[str, str]:
    """Class to the column of the epoch table that has its IoU."""
    return {name: IOU_PREFIX + name for name in classes}


def list_mean_iou_columns(runs: dict[str, Run], classes: tuple[str, ...]) -> list[str]:
    """The columns whose mean is the mean IoU over the shared classes."""
    return ["mean_iou"] if _share_classes(runs, classes) else list(list_iou_columns(classes).values())


def describe_differences(runs: dict[str, Run], classes: tuple[str, ...]) -> str:
    """Why the validation scores of these runs are not fully comparable; empty if they are."""
    trained = [run for run in runs.values() if run.record.imported is None]
    data = {run.record.data_fingerprint: run.record.config.data for run in trained}
    parts = []
    if len(data) > 1:
        names = ", ".join(dict.fromkeys(f"{d.dataset} {d.val_split}" for d in data.values()))
        parts.append(
            f"These runs were trained and validated on different data ({names}), so their scores are not comparable."
        )
    if not _share_classes(runs, classes):
        parts.append(f"Means are over the classes that all runs share: {len(classes)}.")
    return " ".join(parts)


def draw_miou_table(by_epoch: pd.DataFrame) -> None:
    """Draw the last and best mean IoU of each run."""
    reached = run_comparison.find_last_and_best(by_epoch).set_index(["run", "which"])
    rows = [
        {
            "run": run,
            "mIoU, last": reached.loc[(run, run_comparison.LAST), "value"],
            "mIoU, best": reached.loc[(run, run_comparison.BEST), "value"],
            "best epoch": reached.loc[(run, run_comparison.BEST), "epoch"],
        }
        for run in dict.fromkeys(by_epoch["run"])
    ]
    digits = st.column_config.NumberColumn(format="%.3f", help=definitions.get_text("mIoU"))
    st.dataframe(rows, hide_index=True, column_config={"mIoU, last": digits, "mIoU, best": digits})


def draw_settings_table(runs: dict[str, Run]) -> None:
    """Draw the settings of the runs, one column per run."""
    table = pd.DataFrame({name: _list_settings(run) for name, run in runs.items()})
    st.dataframe(table.astype(str), height="content", column_config={"_index": st.column_config.Column("setting")})


def _share_classes(runs: dict[str, Run], classes: tuple[str, ...]) -> bool:
    return all(set(run.record.class_names) == set(classes) for run in runs.values())


_SETTINGS = (
    *("network", "encoder", "hardness branch", "parameters", "hardness parameters", "data", "loss", "epochs", "batch"),
    *("learning rate", "seed", "device", "state"),
)


def _list_settings(run: Run) -> dict[str, object]:
    record, config = run.record, run.record.config
    if record.imported is not None:
        scores = ", ".join(score.name for score in record.imported.scores)
        settings: dict[str, object] = dict.fromkeys(_SETTINGS, "–")
        return settings | {"network": f"none: maps of {scores}", "loss": record.objective, "state": record.state}
    return {
        "network": config.network.network,
        "encoder": config.network.encoder.removeprefix("tu-"),
        "hardness branch": config.network.hardness_branch if record.hardness_parameters else "none",
        "parameters": f"{record.parameters / 1e6:.2f} M",
        "hardness parameters": f"{record.hardness_parameters / 1e6:.2f} M",
        "data": config.data.dataset,
        "loss": record.objective,
        "epochs": config.optim.epochs,
        "batch": config.optim.batch_size,
        "learning rate": config.optim.hardness_lr if record.fitted else config.optim.lr,
        "seed": config.seed,
        "device": record.device,
        "state": record.state,
    }


def _format_data(analyses: dict[str, Analysis]) -> str:
    """The data set that these analyses share, as text."""
    return format_scope(next(iter(analyses.values())))
