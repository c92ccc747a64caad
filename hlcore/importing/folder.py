"""Find images, labels, predictions and scores in folders, and read them on demand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from hlcore.config import ImportConfig
from hlcore.data.images.decoding import read_class_ids, read_label_ids
from hlcore.data.inputs import BUNDLE_MANIFEST, IMAGE_SUFFIXES
from hlcore.data.labels import ClassTable, voc_palette
from hlcore.data.readers.class_lists import read_class_json
from hlcore.data.score_maps import read_score
from hlcore.errors import DatasetError
from hlcore.importing.matching import match_names
from hlcore.importing.scores import ScoreFiles, find_scores, list_files
from hlcore.importing.source import SINGLE, MapSource
from hlcore.types import IGNORE_INDEX, LabelMap

T = TypeVar("T")
NO_CLASSES = ClassTable(("unlabelled",), ((0, 0, 0),))


class Files(Mapping[str, T], Generic[T]):
    """Files by the name of their image, each read when it is asked for."""

    def __init__(self, paths: Mapping[str, Path], read: Callable[[Path], T]) -> None:
        self.paths, self._read = paths, read

    def __getitem__(self, name: str) -> T:
        """The content of the file of an image. Raises what reading raises."""
        return self._read(self.paths[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True)
class _Places:
    """Folder of each kind of file."""

    images: Path
    labels: Path | None
    predictions: Path | None
    scores: Path


def find_maps(folder: Path, config: ImportConfig) -> tuple[MapSource, ClassTable, list[str]]:
    """The maps in a folder, their classes, and sentences on what was found.

    Raises:
        DatasetError: something is missing, or has no partner.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; expected one with images and scores (docs/import.md)")
    notes: list[str] = []
    places = _find_places(folder, config)
    images = list_files(places.images, tuple(sorted(IMAGE_SUFFIXES)))
    others = [places.images, places.labels, places.predictions]
    others = [place for place in others if place is not None and not (place / BUNDLE_MANIFEST).is_file()]
    found = find_scores(places.scores, others, tuple(images), subfolders=config.subfolders, notes=notes)
    names, scores = _pair_images(images, found, notes, skip_missing=config.skip_missing)
    every = tuple(images)
    labels = {} if places.labels is None else _pair(names, places.labels, every, notes)
    predictions = _find_predictions(places.predictions, tuple(scores), names, every, notes)
    of_classes = [*labels.values(), *(path for step in predictions.values() for path in step.values())]
    read, classes = _find_classes(folder, places, of_classes, notes)
    by_step = {
        step: {
            score: Files({name: files[name] for name in names}, partial(read_score, array=array))
            for score, (files, array) in by_score.items()
        }
        for step, by_score in scores.items()
    }
    return (
        MapSource(
            images={name: images[name] for name in names},
            labels=Files(labels, read),
            predictions={step: Files(paths, read) for step, paths in predictions.items()},
            scores=by_step,
        ),
        classes,
        notes,
    )


def _find_places(folder: Path, config: ImportConfig) -> _Places:
    def find(given: Path | None, name: str) -> Path | None:
        place = given or folder / name
        if given is not None and not given.is_dir():
            raise DatasetError(f"{given} is not a folder; expected the {name}")
        return place if place.is_dir() else None

    images = find(config.images, "images")
    if images is None:
        raise DatasetError(f"{folder} has no folder 'images'; name the one with the images with --images")
    labels, predictions = find(config.labels, "labels"), find(config.predictions, "predictions")
    return _Places(images, labels, predictions, find(None, "scores") or folder)


def _find_predictions(
    place: Path | None, steps: Sequence[str], names: Sequence[str], images: Sequence[str], notes: list[str]
) -> dict[str, dict[str, Path]]:
    """Step to the prediction of each image; the same for all steps unless they have folders of their own."""
    if place is None:
        return {}
    if SINGLE not in steps and all((place / step).is_dir() for step in steps):
        return {step: _pair(names, place / step, images, notes) for step in steps}
    return dict.fromkeys(steps, _pair(names, place, images, notes))


def _pair_images(
    images: Mapping[str, Path], scores: ScoreFiles, notes: list[str], *, skip_missing: bool
) -> tuple[tuple[str, ...], ScoreFiles]:
    """Names of the images with a file of every score, and these files."""
    lacking: dict[str, str] = {}
    matched: dict[str, dict[str, tuple[Mapping[str, Path], str]]] = {}
    for step, by_score in scores.items():
        for score, (files, array) in by_score.items():
            found, others = match_names(tuple(images), files)
            matched.setdefault(step, {})[score] = found, array
            lacking |= {name: score for name in images if name not in found}
            _note_others(others, notes)
    kept = tuple(name for name in images if name not in lacking)
    if lacking and (not skip_missing or not kept):
        name, score = next(iter(lacking.items()))
        raise DatasetError(
            f"{len(lacking)} of {len(images)} images have no file in '{score}', such as {images[name]}; a map has the "
            "name of its image, and may have the same ending in all files ('NAME_entropy.png')"
            + ("; leave out images without a map with --skip-missing" if kept else "")
        )
    if lacking:
        notes.append(f"left out images without a map ({len(lacking)}), such as {next(iter(lacking))}")
    return kept, matched


def _pair(names: Sequence[str], place: Path, images: Sequence[str], notes: list[str]) -> dict[str, Path]:
    """The label map or prediction of these images in a folder, which may have those of all images."""
    found, others = match_names(images, list_files(place, (".png",), of_bundle=".prediction.png"))
    if lacking := [name for name in names if name not in found]:
        raise DatasetError(
            f"{place} has no file for {len(lacking)} of {len(names)} images, such as {lacking[0]}; add them, or move "
            "the folder away"
        )
    _note_others(others, notes)
    return found


def _note_others(others: Sequence[Path], notes: list[str]) -> None:
    if others:
        notes.append(f"{others[0].parent}: left out files of no image ({len(others)}), such as {others[0].name}")


def _find_classes(
    folder: Path, places: _Places, files: list[Path], notes: list[str]
) -> tuple[Callable[[Path], LabelMap], ClassTable]:
    """The function that reads label maps and predictions, and the classes: listed, or numbered as in the files."""
    beside = [place.parent for place in (places.labels, places.predictions) if place is not None]
    listed = next((place / "classes.json" for place in [folder, *beside] if (place / "classes.json").is_file()), None)
    if listed is not None:
        known = read_class_json(listed)
        read = partial(
            read_class_ids, ids=known.ids, classes=known.classes, coloured=known.coloured, colours=known.colours
        )
        return read, known.classes
    highest = -1
    for path in files:
        ids = read_label_ids(path)
        highest = max(highest, int(ids[ids != IGNORE_INDEX].max(initial=0)))
    if highest < 0:
        return read_label_ids, NO_CLASSES
    if highest >= IGNORE_INDEX:
        raise DatasetError(
            f"a label map has the id {highest}; list the classes with their ids in {folder}/classes.json"
        )
    notes.append(f"no classes.json in {folder}, so the classes are numbered 0 to {highest}")
    names = tuple(f"class {index}" for index in range(highest + 1))
    return read_label_ids, ClassTable(names, voc_palette(len(names)))
