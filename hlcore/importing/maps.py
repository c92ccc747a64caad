"""Write a run of imported maps, after checking all of them."""

import logging
import shutil
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from hlcore.analysis.statistics import filter_rows
from hlcore.config import DataConfig, ImportConfig, TrainConfig
from hlcore.data.images.white_level import find_white_level
from hlcore.data.labels import ClassTable, Colour, voc_palette
from hlcore.errors import CheckpointError, DatasetError, InvalidInputError
from hlcore.importing.checks import is_file, read_all, read_array
from hlcore.importing.folder import NO_CLASSES, find_maps
from hlcore.importing.source import SINGLE, Arrays, MapSource
from hlcore.storage.analyses import Analysis
from hlcore.storage.files import describe_validation_error, make_folder, write_text
from hlcore.storage.maps import Imported, ImportedScore, MapsWriter, StoredMaps
from hlcore.storage.run_records import IMPORTED_DATA, RunRecord, installed_versions, utc_now
from hlcore.storage.runs import Run
from hlcore.types import IGNORE_INDEX

log = logging.getLogger(__name__)


class Imports(NamedTuple):
    """An import that is under way."""

    total: int
    """Number of names and runs that `progress` yields."""
    progress: Generator[str | Run]
    """Yields the name of each image that is checked or written, then the run."""
    notes: list[str]
    """Sentences on what was found."""


def import_folder(folder: Path, config: ImportConfig) -> Imports:
    """Import the maps in a folder; nothing is written before all of them are checked.

    Raises:
        DatasetError: files are missing, cannot be read, or do not fit their image.
        InvalidInputError: a setting names an unknown score.
        CheckpointError: a folder of that name exists and is not empty.
    """
    name = config.name or folder.resolve().name
    if Path(name).name != name:
        raise InvalidInputError(f"expected the name of a run without slashes, got '{name}'")
    source, classes, notes = find_maps(folder, config)
    scores = next(iter(source.scores.values()))
    reading = Reading(
        config.score or ("hardness" if "hardness" in scores else next(iter(scores))),
        {score: _parse_range(score, ends) for score, ends in _split(config.ranges, "--ranges").items()},
        _split(config.units, "--units"),
        config.low_is_hard,
    )
    return _import(source, classes, config.out / name, reading)._replace(notes=notes)


def find_turned_scores(analysis: Analysis) -> list[str]:
    """Names of the scores that find right pixels rather than wrong ones, with the whole interval of their AUROC.

    Raises:
        CheckpointError: the table of scores cannot be read.
    """
    imported = analysis.record.imported
    if imported is None or not imported.has_predictions:
        return []
    rows = filter_rows(analysis.table("scores"), region="all", metric="auroc").query("high < 0.5")
    found = [imported.find(key) for key in rows["score"]]
    return [score.name for score in found if score is not None and not score.low_is_hard]


def save_maps(
    out: str | Path,
    images: Arrays,
    scores: Mapping[str, Any],
    *,
    labels: Arrays | None = None,
    predictions: Mapping[str, Any] | None = None,
    class_names: Sequence[str] | None = None,
    palette: Sequence[Colour] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    units: Mapping[str, str] | None = None,
    low_is_hard: Iterable[str] = (),
) -> Run:
    """Write a run folder that the app shows and `hlcore analyze` measures, from per-pixel scores of any method.

    The mappings may read their arrays when they are asked; scores are asked for twice, to check and to write them.

    Args:
        out: The run's folder, which is made.
        images: Name of each image to the path of a file, or to H W 3 uint8 RGB.
        scores: Score to {image: H W numbers}; or step (epoch or method) to score to {image: H W numbers}. The first
            score takes the place of hardness on every page.
        labels: Image to H W class indices, 255 = ignored.
        predictions: Image to H W class indices; or step to {image: H W class indices}.
        class_names: Names of the classes. Default: "class 0", ...
        palette: Their RGB colours. Default: those of Pascal VOC.
        ranges: Score to its lowest and highest possible value. Default: from 0 to the highest value, or to 1 if that is
            between 0.5 and 1; from the lowest value if there are negative ones.
        units: Score to its unit, such as "nats".
        low_is_hard: Scores whose low values mean hard pixels, such as a confidence.

    Returns:
        The run.

    Raises:
        DatasetError: an array does not fit its image.
        InvalidInputError: a name or range cannot be used.
        CheckpointError: the folder exists and is not empty.

    Example:
        >>> import tempfile
        >>> image, doubt = np.zeros((4, 6, 3), np.uint8), np.linspace(0, 1, 24).reshape(4, 6)
        >>> run = save_maps(Path(tempfile.mkdtemp()) / "mine", {"cat": image}, {"doubt": {"cat": doubt}})
        >>> run.record.imported.score.describe()
        'doubt: 0 to 1 (read from the data), high is hard'
    """
    path = Path(out)
    by_step = _nest_scores(scores, images)
    source = MapSource(images, labels or {}, _nest(predictions or {}, tuple(by_step)), by_step)
    names = tuple(class_names or _number_classes(source))
    if not all(isinstance(name, str) for name in names):
        raise InvalidInputError(f"class names must be texts, got {names}")
    classes = ClassTable(names, tuple(palette or voc_palette(len(names))))
    reading = Reading(next(iter(next(iter(by_step.values())))), ranges or {}, units or {}, tuple(low_is_hard))
    *_, run = _import(source, classes, path, reading).progress
    assert isinstance(run, Run)  # comes last
    return run


@dataclass(frozen=True)
class Reading:
    """How scores are understood."""

    first: str
    """The score that takes the place of hardness."""
    ranges: Mapping[str, tuple[float, float]]
    units: Mapping[str, str]
    low_is_hard: Sequence[str]

    def check(self, scores: Collection[str]) -> None:
        """Raise InvalidInputError if it names another score than these."""
        for name in (self.first, *self.ranges, *self.units, *self.low_is_hard):
            if name not in scores:
                raise InvalidInputError(f"there is no score '{name}'; the scores are {', '.join(map(str, scores))}")

    def describe(self, name: str, low: float, high: float) -> ImportedScore:
        """A score whose values go from low to high.

        Raises:
            DatasetError: all values are equal.
            InvalidInputError: its name or range cannot be used.
        """
        if low == high:
            raise DatasetError(f"{name} is {low:.4g} at every pixel of every image, so there is nothing to see")
        stated = self.ranges.get(name)
        if stated is not None:
            if stated[0] > low or stated[1] < high:
                log.warning("%s goes from %.4g to %.4g, beyond its stated range, and is cut there", name, low, high)
            low, high = stated
        else:
            low, high = min(low, 0.0), 1.0 if 0.5 <= high <= 1 else high
        return ImportedScore(
            name=name,
            low=low,
            high=high,
            is_range_stated=stated is not None,
            low_is_hard=name in self.low_is_hard,
            unit=self.units.get(name, ""),
        )


def _import(source: MapSource, classes: ClassTable, path: Path, reading: Reading) -> Imports:
    first = next(iter(source.scores.values()))
    reading.check(first)
    if not path.name or path.name == "..":
        raise InvalidInputError(f"expected the folder of a new run, got '{path}'")
    if path.is_dir() and any(path.iterdir()):
        what = "already holds a run" if (path / "run.json").is_file() else "exists and is not empty"
        raise CheckpointError(f"{path} {what}; give the new run another name, or remove that folder")
    maps = len(source.scores) * len(source.images)
    return Imports(2 * maps + 1, _check_and_write(source, classes, path, reading), [])


def _check_and_write(source: MapSource, classes: ClassTable, path: Path, reading: Reading) -> Generator[str | Run]:
    files = [Path(image) for image in source.images.values() if is_file(image)]
    white_level = find_white_level(files).level if files else None
    ranges: dict[str, tuple[float, float]] = {}
    for name, _, _, values in read_all(source, classes, white_level):
        for score, of_score in values.items():
            low, high = ranges.get(score, (np.inf, -np.inf))
            ranges[score] = min(low, float(of_score.min())), max(high, float(of_score.max()))
        yield name
    ordered = [reading.first, *(score for score in ranges if score != reading.first)]
    try:
        imported = Imported(
            scores=tuple(reading.describe(name, *ranges[name]) for name in ordered),
            steps=tuple(source.scores),
            has_labels=bool(source.labels),
            has_predictions=bool(source.predictions),
            white_level=white_level,
        )
    except ValidationError as error:
        raise InvalidInputError(f"the maps cannot be imported: {describe_validation_error(error, Imported)}") from error
    make_folder(path)
    writer = MapsWriter(path / "maps", imported)
    try:
        for name, epoch, classified, values in read_all(source, classes, white_level):
            if epoch == 1:
                image = source.images[name]
                writer.add_image(name, Path(image) if is_file(image) else np.asarray(image), classified.label_map)
            if classified.prediction is not None:
                writer.add_prediction(name, epoch, classified.prediction)
            for index, score in enumerate(ordered):
                writer.add_score(name, epoch, index, values[score])
            yield name
        writer.finish()
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    stored = StoredMaps(path / "maps", imported, num_classes=len(classes.names))
    record = RunRecord(
        name=path.name,
        state="complete",
        created=utc_now(),
        config=TrainConfig(name=path.name, data=DataConfig(dataset=IMPORTED_DATA, train_split="all", val_split="all")),
        data_fingerprint=stored.fingerprint,
        class_names=classes.names,
        palette=classes.palette,
        parameters=0,
        hardness_parameters=0,
        device="",
        versions=installed_versions(),
        imported=imported,
    )
    write_text(path / "run.json", record.model_dump_json(indent=2) + "\n")
    yield Run(path, record)


def _split(given: Iterable[str], option: str) -> dict[str, str]:
    """NAME=VALUE by name."""
    found = {}
    for one in given:
        name, equals, value = one.rpartition("=")
        if not equals:
            raise InvalidInputError(f"{option} expects NAME=..., got {one!r}")
        found[name] = value
    return found


def _parse_range(name: str, ends: str) -> tuple[float, float]:
    try:
        low, high = map(float, ends.split(":"))
    except ValueError as error:
        raise InvalidInputError(f"--ranges expects NAME=LOW:HIGH, such as {name}=0:2.5, got {ends!r}") from error
    return low, high


def _nest_scores(scores: Mapping[str, Any], images: Arrays) -> dict[str, dict[str, Arrays]]:
    """Scores by step, with a single one if there are no steps; no array is read if its image has its name."""
    if not images:
        raise InvalidInputError("there is no image to save")
    if not scores:
        raise InvalidInputError("there is no score to save")
    first = next(iter(scores.values()))
    is_nested = (
        isinstance(first, Mapping)
        and not set(first) & set(images)
        and isinstance(next(iter(first.values()), None), Mapping)
    )
    by_step = {step: dict(by_score) for step, by_score in scores.items()} if is_nested else {SINGLE: dict(scores)}
    expected = next(iter(by_step.values()))
    for step, by_score in by_step.items():
        if set(by_score) != set(expected):
            raise InvalidInputError(
                f"every step needs the scores {', '.join(expected)}; {step} has {', '.join(by_score)}"
            )
        if not all(isinstance(maps, Mapping) for maps in by_score.values()):
            raise InvalidInputError("expected scores as {score: {image: array}} or {step: {score: {image: array}}}")
    return by_step


def _nest(predictions: Mapping[str, Any], steps: Sequence[str]) -> dict[str, Arrays]:
    """Predictions by step; those without steps are the same at each."""
    if not predictions:
        return {}
    if set(predictions) & set(steps):
        if lacking := [step for step in steps if step not in predictions]:
            raise InvalidInputError(f"there are no predictions of the step {lacking[0]}")
        return {step: predictions[step] for step in steps}
    return dict.fromkeys(steps, predictions)


def _number_classes(source: MapSource) -> tuple[str, ...]:
    """Names of the classes up to the highest index in labels and predictions."""
    highest = -1
    for maps in (source.labels, *source.predictions.values()):
        for name in maps:
            used = read_array(maps, name, "class maps").astype(np.int64)
            highest = max(highest, int(used[used != IGNORE_INDEX].max(initial=-1)))
    return tuple(f"class {index}" for index in range(min(highest + 1, IGNORE_INDEX))) or NO_CLASSES.names
