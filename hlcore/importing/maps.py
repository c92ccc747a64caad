"""Write a run of imported maps, after checking all of them."""

import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from hlcore.config import DataConfig, ImportConfig, TrainConfig
from hlcore.data.images import read_image
from hlcore.data.images.decoding import check_label_size, describe_turn
from hlcore.data.images.white_level import find_white_level
from hlcore.data.labels import ClassTable, Colour, voc_palette
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.importing.folder import NO_CLASSES, Files, find_maps
from hlcore.importing.source import SINGLE, Arrays, MapSource
from hlcore.storage.files import check_name, describe_validation_error, make_folder, write_text
from hlcore.storage.maps import Imported, ImportedScore, MapsWriter, StoredMaps
from hlcore.storage.runs import IMPORTED, Run, RunRecord, check_no_existing_run, installed_versions, utc_now
from hlcore.types import IGNORE_INDEX

log = logging.getLogger(__name__)


class Imports(NamedTuple):
    """An import that is under way."""

    total: int
    """Number of names and runs that `steps` yields."""
    steps: Generator[str | Run]
    """Yields the name of each image that is checked or written, then the run."""
    notes: list[str]
    """Sentences on what was found."""


@dataclass
class _Checked:
    """What reading all maps has shown."""

    lows: dict[str, float] = field(default_factory=dict)
    highs: dict[str, float] = field(default_factory=dict)

    def see(self, score: str, values: np.ndarray) -> None:
        """Widen the range of a score."""
        self.lows[score] = min(self.lows.get(score, np.inf), float(values.min()))
        self.highs[score] = max(self.highs.get(score, -np.inf), float(values.max()))


def import_folder(folder: Path, config: ImportConfig) -> Imports:
    """Import the maps in a folder; nothing is written before all of them are checked.

    Raises:
        DatasetError: files are missing, cannot be read, or do not fit their image.
        InvalidInputError: a setting names an unknown score.
        CheckpointError: a run of that name exists.
    """
    source, classes, notes = find_maps(folder, config)
    return _import(source, classes, config, folder.resolve(), notes)


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

    The mappings may read their arrays when they are asked; each array is asked for twice.

    Args:
        out: The run's folder, which is made.
        images: Name of each image to a file, or to H W 3 uint8 RGB.
        scores: Score to {image: H W numbers}; or step (epoch or method) to score to {image: H W numbers}. The first
            score takes the place of hardness on every page.
        labels: Image to H W class indices, 255 = ignored.
        predictions: Image to H W class indices; or step to {image: H W class indices}.
        class_names: Names of the classes. Default: "class 0", ...
        palette: Their RGB colours. Default: those of Pascal VOC.
        ranges: Score to its lowest and highest possible value. Default: 0 to 1 if all values are within it, else the
            range of the values.
        units: Score to its unit, such as "nats".
        low_is_hard: Scores whose low values mean hard pixels, such as a confidence.

    Returns:
        The run.

    Raises:
        DatasetError: an array does not fit its image.
        InvalidInputError: a name or range cannot be used.
        CheckpointError: the folder holds a run.

    Example:
        >>> import tempfile
        >>> image, doubt = np.zeros((4, 6, 3), np.uint8), np.linspace(0, 1, 24).reshape(4, 6)
        >>> run = save_maps(Path(tempfile.mkdtemp()) / "mine", {"cat": image}, {"doubt": {"cat": doubt}})
        >>> run.record.imported.score.describe()
        'doubt: 0 to 1 (read from the data), high is hard'
    """
    path = Path(out)
    if not images:
        raise InvalidInputError("there is no image to save")
    by_step = _nest_scores(scores, images)
    source = MapSource(images, labels or {}, _nest(predictions or {}, tuple(by_step)), by_step)
    names = class_names or _number_classes(source)
    classes = ClassTable(tuple(names), tuple(palette or voc_palette(len(names))))
    config = ImportConfig(
        out=path.parent,
        name=path.name,
        score=next(iter(next(iter(source.scores.values()), {})), None),
        low_is_hard=tuple(low_is_hard),
        ranges=tuple(f"{name}={low}:{high}" for name, (low, high) in (ranges or {}).items()),
        units=tuple(f"{name}={unit}" for name, unit in (units or {}).items()),
    )
    *_, run = _import(source, classes, config, None, []).steps
    assert isinstance(run, Run)  # comes last
    return run


def _import(
    source: MapSource, classes: ClassTable, config: ImportConfig, folder: Path | None, notes: list[str]
) -> Imports:
    name = config.name or (folder.name if folder is not None else "maps")
    path = config.out / name
    check_no_existing_run(path)
    first = next(iter(source.scores.values()))
    chosen = config.score or ("hardness" if "hardness" in first else next(iter(first)))
    stated = {
        "--score": [chosen],
        "--low-is-hard": config.low_is_hard,
        "--ranges": list(_split(config.ranges, "--ranges")),
        "--units": list(_split(config.units, "--units")),
    }
    for option, given in stated.items():
        if unknown := [one for one in given if one not in first]:
            raise InvalidInputError(f"{option} names the score '{unknown[0]}', but there are {', '.join(first)}")
    ordered = [chosen, *(score for score in first if score != chosen)]
    maps = len(source.scores) * len(source.images)
    return Imports(2 * maps + 1, _check_and_write(source, classes, config, path, ordered), notes)


def _check_and_write(
    source: MapSource, classes: ClassTable, config: ImportConfig, path: Path, ordered: list[str]
) -> Generator[str | Run]:
    files = [image for image in source.images.values() if isinstance(image, Path)]
    white_level = find_white_level(files).level if files else None
    checked = _Checked()
    yield from _check(source, classes, white_level, checked)
    scores = tuple(_describe_score(name, checked, config) for name in ordered)
    imported = Imported(
        scores=scores,
        steps=tuple(source.scores),
        has_labels=bool(source.labels),
        has_predictions=bool(source.predictions),
        white_level=white_level,
    )
    for score in scores:
        low, high = checked.lows[score.name], checked.highs[score.name]
        if low < score.low or high > score.high:
            log.warning("%s goes from %.4g to %.4g, beyond its stated range, and is cut there", score.name, low, high)
    make_folder(path)
    writer = MapsWriter(path / "maps", imported)
    for epoch, (step, by_score) in enumerate(source.scores.items(), start=1):
        for name, image in source.images.items():
            if epoch == 1:
                writer.add_image(name, image, source.labels.get(name))
            if source.predictions:
                writer.add_prediction(name, epoch, source.predictions[step][name])
            for index, score in enumerate(ordered):
                writer.add_score(name, epoch, index, np.asarray(by_score[score][name], np.float64))
            yield name
    writer.finish()
    stored = StoredMaps(path / "maps", imported, num_classes=len(classes.names))
    record = RunRecord(
        name=path.name,
        state="complete",
        created=utc_now(),
        config=TrainConfig(name=path.name, data=DataConfig(dataset=IMPORTED, train_split="all", val_split="all")),
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


def _check(source: MapSource, classes: ClassTable, white_level: float | None, checked: _Checked) -> Generator[str]:
    """Read everything once; yields the name of each image of each step."""
    for step, by_score in source.scores.items():
        for name, image in source.images.items():
            _check_image_name(name)
            pixels = read_image(image, white_level=white_level) if isinstance(image, Path) else np.asarray(image)
            if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
                raise DatasetError(f"the image {name} must be H W 3 uint8, got {pixels.dtype} {pixels.shape}")
            size = pixels.shape[:2]
            if source.labels:
                _check_classes(source.labels, name, size, classes, "label map")
            if source.predictions:
                _check_classes(source.predictions[step], name, size, classes, "prediction")
            for score, maps in by_score.items():
                values = _get(maps, name, score)
                what = str(maps.paths[name]) if isinstance(maps, Files) else f"{score} of {name}"
                if values.shape != size:
                    own = f"{values.shape[1]} x {values.shape[0]} px" if values.ndim == 2 else f"of {values.shape}"
                    raise DatasetError(
                        f"{what} is {own}, but its image is {size[1]} x {size[0]} px; resize it to the size of the "
                        f"image{describe_turn(values.shape[:2], size)}"
                    )
                if not np.isfinite(values).all():
                    raise DatasetError(f"{what} has pixels that are not finite; give every pixel a number")
                checked.see(score, values)
            yield name


def _check_image_name(name: str) -> None:
    try:
        check_name(name)
    except ValueError as error:
        raise InvalidInputError(f"an image cannot have the name {name[:60]!r}: {error}") from error


def _check_classes(maps: Arrays, name: str, size: tuple[int, int], classes: ClassTable, kind: str) -> None:
    class_map = _get(maps, name, f"{kind}s")
    what = str(maps.paths[name]) if isinstance(maps, Files) else f"the {kind} of {name}"
    check_label_size(class_map.shape[:2], size, name=what)
    if class_map.dtype.kind not in "iu":
        raise DatasetError(f"{what} must hold whole numbers, got {class_map.dtype}")
    used = class_map[class_map != IGNORE_INDEX]
    if kind == "prediction" and used.size < class_map.size:
        unknown = class_map.size - used.size
        raise DatasetError(f"{what} has {unknown} pixels without a class (255); a prediction needs one everywhere")
    count = 0 if classes is NO_CLASSES else len(classes.names)
    if used.size and not 0 <= used.min() <= used.max() < count:
        raise DatasetError(
            f"{what} has class indices {used.min()} to {used.max()}, but there are {count} classes; 255 is ignored"
        )


def _get(maps: Arrays, name: str, what: str) -> np.ndarray:
    try:
        return np.asarray(maps[name])  # once: a mapping may read a file, also when it is asked whether it has a name
    except KeyError as error:
        raise DatasetError(f"{what} has nothing for the image {name}") from error


def _describe_score(name: str, checked: _Checked, config: ImportConfig) -> ImportedScore:
    """The score with its range, stated or read from the data."""
    low, high = checked.lows[name], checked.highs[name]
    if low == high:
        raise DatasetError(f"{name} is {low:.4g} at every pixel of every image, so there is nothing to see")
    if stated := _split(config.ranges, "--ranges").get(name):
        ends = stated.split(":")
        try:
            low, high = map(float, ends)
        except ValueError as error:
            raise InvalidInputError(f"--ranges expects NAME=LOW:HIGH, such as {name}=0:2.5, got {stated!r}") from error
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    unit = _split(config.units, "--units").get(name, "")
    try:
        return ImportedScore(
            name=name,
            low=low,
            high=high,
            is_range_stated=bool(stated),
            low_is_hard=name in config.low_is_hard,
            unit=unit,
        )
    except ValidationError as error:
        raise InvalidInputError(f"{name}: {describe_validation_error(error, ImportedScore)}") from error


def _split(given: Iterable[str], option: str) -> dict[str, str]:
    """NAME=VALUE by name."""
    found = {}
    for one in given:
        name, equals, value = one.rpartition("=")
        if not equals:
            raise InvalidInputError(f"{option} expects NAME=..., got {one!r}")
        found[name] = value
    return found


def _nest_scores(scores: Mapping[str, Any], images: Arrays) -> dict[str, dict[str, Arrays]]:
    """Scores by step, with a single one if there are no steps; no array is read if its image has its name."""
    if not scores:
        raise InvalidInputError("there is no score to save")
    first = next(iter(scores.values()))
    if not isinstance(first, Mapping):
        raise InvalidInputError("expected scores as {score: {image: array}} or {step: {score: {image: array}}}")
    is_nested = not set(first) & set(images) and isinstance(next(iter(first.values()), None), Mapping)
    nested = scores if is_nested else {SINGLE: scores}
    by_step = {step: dict(by_score) for step, by_score in nested.items()}
    expected = list(next(iter(by_step.values())))
    for step, by_score in by_step.items():
        if set(by_score) != set(expected):
            raise InvalidInputError(
                f"every step needs the scores {', '.join(expected)}; {step} has {', '.join(by_score)}"
            )
    return by_step


def _nest(predictions: Mapping[str, Any], steps: tuple[str, ...]) -> dict[str, Arrays]:
    """Predictions by step; those without steps are the same at each."""
    if not predictions:
        return {}
    if set(predictions) == set(steps) and isinstance(next(iter(predictions.values())), Mapping):
        return {step: predictions[step] for step in steps}
    return dict.fromkeys(steps, predictions)


def _number_classes(source: MapSource) -> tuple[str, ...]:
    """Names of the classes up to the highest index in labels and predictions."""
    highest = -1
    for maps in (source.labels, *source.predictions.values()):
        for name in maps:
            used = np.asarray(maps[name])
            highest = max(highest, int(used[used != IGNORE_INDEX].max(initial=-1)))
    return tuple(f"class {index}" for index in range(highest + 1)) or NO_CLASSES.names
