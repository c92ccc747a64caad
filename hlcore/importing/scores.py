"""Find the files of scores in folders, and tell scores from steps."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

from hlcore.data.inputs import BUNDLE_MANIFEST, is_visible_folder, name_file, walk_files
from hlcore.data.score_maps import SUFFIXES, list_arrays
from hlcore.errors import DatasetError
from hlcore.importing.matching import match_names
from hlcore.importing.source import SINGLE

UNNAMED = "score"
"""A score whose folder says nothing about it."""
_Score: TypeAlias = tuple[Mapping[str, Path], str]
"""Files by name, and the name of the array in them."""
ScoreFiles: TypeAlias = Mapping[str, Mapping[str, _Score]]
"""Step to score to its files."""


def find_scores(
    place: Path,
    others: Iterable[Path],
    images: Sequence[str],
    *,
    subfolders: Literal["auto", "scores", "steps"],
    notes: list[str],
) -> ScoreFiles:
    """The files of each step and score.

    Args:
        place: Folder of the scores, or of all.
        others: Folders in it that hold something else.
        images: Names of the images.
        subfolders: Whether its folders are scores or steps.
        notes: Gets a sentence on whatever was decided.

    Raises:
        DatasetError: there are none, or steps differ in their scores.
    """
    elsewhere = {other.resolve() for other in others}
    parts = _list_folders(place, elsewhere)
    loose = {name_file(PurePath(path.name)): path for path in sorted(place.iterdir()) if _is_score_file(path)}
    title = UNNAMED if place.resolve().name == "scores" else place.resolve().name
    if not parts and not loose:
        raise DatasetError(
            f"{place} has neither score files ({', '.join(SUFFIXES)}) nor folders of them; expected "
            "scores/SCORE/NAME.png, or scores/STEP/SCORE/NAME.png (docs/import.md)"
        )
    if not parts:
        return {SINGLE: _name_scores(place, loose, title)}
    if loose:
        notes.append(f"{place}: left out files beside the folders ({len(loose)}), such as {next(iter(loose))}")
    if _are_steps(parts, images, subfolders, notes):
        return _read_steps(parts, images, title)
    return {SINGLE: _join((part, _name_scores(part, list_files(part, SUFFIXES), part.name)) for part in parts)}


def list_files(folder: Path, suffixes: Sequence[str], *, of_bundle: str = ".hardness.png") -> dict[str, Path]:
    """The files below a folder with one of these suffixes, by their name below it.

    Args:
        folder: An existing folder.
        suffixes: In lower case, with their dot.
        of_bundle: What the names of files end with that are taken from a bundle that `hlcore predict` has written.

    Raises:
        DatasetError: there are none, or two have the same name.
    """
    found: dict[str, Path] = {}
    is_bundle = (folder / BUNDLE_MANIFEST).is_file()
    for path in sorted(folder.rglob(f"*{of_bundle}")) if is_bundle else walk_files(folder):
        below = path.relative_to(folder)
        if path.suffix.lower() not in suffixes:
            continue
        name = name_file(below)
        if name in found:
            raise DatasetError(f"{found[name]} and {path} have the same name; keep one of them")
        found[name] = path
    if not found:
        raise DatasetError(f"{folder} has no files that end in {', '.join(suffixes)}")
    return found


def _list_folders(folder: Path, others: set[Path]) -> list[Path]:
    """The visible folders in a folder that hold score files."""
    below = sorted(path for path in folder.iterdir() if path.is_dir() and is_visible_folder(path.name))
    return [path for path in below if path.resolve() not in others and any(map(_is_score_file, path.rglob("*")))]


def _is_score_file(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Key that sorts epoch_2 before epoch_10."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _are_steps(parts: Sequence[Path], images: Sequence[str], subfolders: str, notes: list[str]) -> bool:
    """Whether folders are steps, and not scores."""
    if subfolders != "auto":
        return subfolders == "steps"
    if any(_list_folders(part, set()) and not _holds_maps(part, images) for part in parts):
        return True
    numbered = len(parts) > 1 and all(re.search(r"\d$", part.name) for part in parts)
    if numbered:
        notes.append("folders whose names end in numbers were taken as steps; --subfolders scores takes them as scores")
    return numbered


def _holds_maps(part: Path, images: Sequence[str]) -> bool:
    """Whether files below a folder have the paths of images below theirs, so that its folders are not scores."""
    return bool(match_names(images, list_files(part, SUFFIXES)).files)


def _read_steps(parts: Sequence[Path], images: Sequence[str], title: str) -> ScoreFiles:
    steps = {}
    for part in sorted(parts, key=_natural):
        below = [] if _holds_maps(part, images) else _list_folders(part, set())
        named = [(path, path.name) for path in below] or [(part, title)]
        steps[part.name] = _join((path, _name_scores(path, list_files(path, SUFFIXES), name)) for path, name in named)
    first, expected = next(iter(steps.items()))
    for step, by_score in steps.items():
        if by_score.keys() != expected.keys():
            raise DatasetError(
                f"the step {first} has the scores {', '.join(expected)}, but {step} has {', '.join(by_score)}; every "
                "step needs the same"
            )
    return steps


def _name_scores(folder: Path, files: Mapping[str, Path], name: str) -> dict[str, _Score]:
    """The score in these files; those of npz files with several arrays have the arrays' names."""
    packed = [path for path in files.values() if path.suffix.lower() == ".npz"]
    if not packed:
        return {name: (files, "")}
    if len(packed) < len(files):
        raise DatasetError(f"{folder} has npz files among others, such as {packed[0].name}; keep one kind")
    arrays = list_arrays(packed[0])
    named = len(arrays) > 1 or (name == UNNAMED and arrays != ("arr_0",))
    return {array if named else name: (files, array) for array in arrays}


def _join(of_folders: Iterable[tuple[Path, dict[str, _Score]]]) -> dict[str, _Score]:
    """The scores of several folders."""
    found: dict[str, _Score] = {}
    for folder, scores in of_folders:
        if twice := sorted(scores.keys() & found.keys()):
            raise DatasetError(f"{folder} has arrays called '{twice[0]}', as has another folder; rename one of them")
        found |= scores
    return found
