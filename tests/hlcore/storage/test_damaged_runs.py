"""Run folders with something wrong in them: each part is read, or refused with an error that names its file."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hlcore.errors import CheckpointError
from hlcore.storage.analyses import find_analyses, open_analysis
from hlcore.storage.checkpoints import CheckpointHeader
from hlcore.storage.files import parse_json
from hlcore.storage.runs import open_run
from hlcore.storage.tables import SCHEMAS

BUNDLED = Path(__file__).parents[3] / "checkpoints" / "streets"
RECORDS = ("run.json", "probe/manifest.json", "analyses/streets-test/analysis.json")
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

numbers = st.one_of(st.integers(-2, 3), st.sampled_from([10**9, 10**19, 10**4000]), st.floats())
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=4), st.sampled_from(["../../x", "/x", "NaN"]))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the bundled run, without the weights and with few lines of metrics."""
    leave_out = shutil.ignore_patterns("*.safetensors", "*.webp", "report.html")
    copied = Path(shutil.copytree(BUNDLED, tmp_path_factory.mktemp("runs") / "streets", ignore=leave_out))
    metrics = copied / "metrics.jsonl"
    metrics.write_bytes(b"".join(metrics.read_bytes().splitlines(keepends=True)[:5]))
    return copied


def list_places(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """The path of every value in nested JSON."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from list_places(one, (*at, key))


def change_one_value(data: st.DataObject, record: Any) -> Any:
    """The JSON with one value replaced, removed or added."""
    changed = copy.deepcopy(record)
    *path, last = data.draw(st.sampled_from([place for place in list_places(changed) if place]))
    holder = changed
    for key in path:
        holder = holder[key]
    match data.draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            holder[last] = data.draw(values)
        case "remove":
            del holder[last]
        case "add" if isinstance(holder, dict):
            holder[data.draw(st.text(max_size=4))] = data.draw(values)
        case _:
            holder.append(data.draw(values))
    return changed


def read_everything(folder: Path) -> None:
    """Read a run as the app does, except for its weights; what is wrong must raise an error that names the folder."""
    run = open_run(folder)
    assert all(run.checkpoint_path(epoch).exists() for epoch in run.epochs)
    assert {"epoch", "iteration"} <= set(run.step_table()) & set(run.epoch_table())
    for sentence in run.list_faults():
        assert str(folder) in sentence
    for path in find_analyses(folder):
        open_analysis(path)
    if (probe := run.probe) is not None:
        for name in probe.images[:1]:
            assert probe.image(name).shape[:2] == probe.label_map(name).shape
            for snapshot in probe.snapshots[:1]:
                probe.maps(name, snapshot)


def check_refusal(read: Callable[[], object], *, naming: Path) -> None:
    """Call it; an error it raises must name the file or folder, in few words."""
    sentence = str(naming)
    try:
        read()
    except CheckpointError as error:
        sentence = str(error)
    assert str(naming) in sentence
    assert len(sentence) < 2000


def test_the_bundled_run_has_no_faults(folder: Path) -> None:
    read_everything(folder)
    assert open_run(folder).list_faults() == []
    open_analysis(folder / "analyses" / "streets-test").check_tables()


@pytest.mark.parametrize("name", RECORDS)
@QUICK
@given(data=st.data())
def test_a_record_with_any_value_changed_is_read_or_refused(folder: Path, name: str, data: st.DataObject) -> None:
    kept = (folder / name).read_bytes()
    try:
        (folder / name).write_text(json.dumps(change_one_value(data, json.loads(kept))), encoding="utf-8")
        check_refusal(lambda: read_everything(folder), naming=folder)
    finally:
        (folder / name).write_bytes(kept)


@pytest.mark.parametrize("name", [*RECORDS, "metrics.jsonl"])
@settings(QUICK, max_examples=20)
@given(junk=st.binary(max_size=40), at=st.integers(0, 2000))
def test_a_file_with_any_bytes_in_it_is_read_or_refused(folder: Path, name: str, junk: bytes, at: int) -> None:
    kept = (folder / name).read_bytes()
    try:
        (folder / name).write_bytes(kept[:at] + junk + kept[at + len(junk) : 20_000])
        check_refusal(lambda: read_everything(folder), naming=folder)
    finally:
        (folder / name).write_bytes(kept)


@QUICK
@given(
    rows=st.lists(
        st.one_of(
            values,
            st.fixed_dictionaries(
                {"kind": st.sampled_from(["step", "epoch"])},
                optional={
                    "epoch": values,
                    "iteration": values,
                    "mean_iou": values,
                    "mean_ce": values,
                    "iou/Sky": values,
                },
            ),
        ),
        max_size=4,
    )
)
def test_metrics_of_any_json_are_read_or_left_out(folder: Path, rows: list) -> None:
    metrics = folder / "metrics.jsonl"
    kept = metrics.read_bytes()
    try:
        metrics.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        run = open_run(folder)
        read = len(run.step_table()) + len(run.epoch_table())
        assert (read < len(rows)) == bool(run.list_faults())
    finally:
        metrics.write_bytes(kept)


@QUICK
@given(data=st.data())
def test_a_header_with_any_value_changed_is_read_or_refused(data: st.DataObject) -> None:
    config = json.loads((BUNDLED / "run.json").read_text(encoding="utf-8"))
    header = {name: config[name] for name in ("class_names", "palette")}
    header |= {"network": config["config"]["network"], "has_hardness": True, "epoch": 3, "iteration": 150}
    text = json.dumps(change_one_value(data, header))
    check_refusal(lambda: parse_json(text, CheckpointHeader, source=BUNDLED), naming=BUNDLED)


@pytest.mark.parametrize("name", SCHEMAS)
@settings(QUICK, max_examples=6)
@given(data=st.data())
def test_a_table_with_any_change_is_read_or_refused(folder: Path, name: str, data: st.DataObject) -> None:
    analysis = open_analysis(folder / "analyses" / "streets-test")
    path = analysis.table_path(name)
    if name == "ignored_classes" and not path.is_file():  # only an analysis of merged classes has it
        row = {"side": "run", "class_name": "Sky", "pixels": 3, "share": 0.1}
        pd.DataFrame([row, row | {"side": "data"}]).to_parquet(path, index=False)
    kept = path.read_bytes()
    table = analysis.table(name)
    column = data.draw(st.sampled_from(list(table)))
    changes = {
        "column gone": lambda: table.drop(columns=column),
        "no rows": lambda: table.iloc[:0],
        "one row": lambda: table.iloc[:1],
        "rows twice": lambda: pd.concat([table, table]),
        "one value": lambda: table.assign(**{column: [data.draw(scalars.filter(_fits_parquet))] * len(table)}),
        "nested": lambda: table.assign(**{column: [[1]] * len(table)}),
        "one null": lambda: table.assign(**{column: [None, *table[column].tolist()[1:]]}),
    }
    changed = changes[data.draw(st.sampled_from(list(changes)))]()
    try:
        changed.to_parquet(path, index=False)
        if data.draw(st.booleans()):
            content = path.read_bytes()
            path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        check_refusal(lambda: analysis.table(name), naming=path)
    finally:
        path.write_bytes(kept)


def _fits_parquet(value: Any) -> bool:
    return not isinstance(value, int) or abs(value) < 2**63
