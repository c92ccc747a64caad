"""`hlcore.save_maps`: the same run from arrays, in one call."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

import hlcore
from hlcore.errors import CheckpointError, DatasetError, InvalidInputError
from hlcore.imported import read_imported_record, read_imported_sample

DOCUMENT = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
IMAGE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
DOUBT = np.arange(48, dtype=float).reshape(6, 8)
LABELS = np.repeat(np.arange(2), 24).reshape(6, 8)


def save(out: Path, **changes: Any) -> Any:
    given: dict[str, Any] = {"images": {"a": IMAGE}, "scores": {"doubt": {"a": DOUBT}}} | changes
    images, scores = given.pop("images"), given.pop("scores")
    return hlcore.save_maps(out, images, scores, **given)


def test_the_example_of_the_document_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    exec(compile(example, "import.md", "exec"), {})  # our own document
    assert capsys.readouterr().out.strip() == example.splitlines()[-1].partition("# ")[2]


def test_arrays_come_back_within_the_precision_of_16_bits(tmp_path: Path) -> None:
    run = save(tmp_path / "run", labels={"a": LABELS}, predictions={"a": 1 - LABELS}, ranges={"doubt": (0, 50)})
    record = read_imported_record(run, 1, read_imported_sample(run, "a"))
    assert np.abs(50 * record.hardness_map - DOUBT).max() < 50 / 65535
    assert np.array_equal(record.image, IMAGE)
    assert np.array_equal(record.labels, LABELS)
    assert np.array_equal(record.prediction, 1 - LABELS)
    assert record.class_names == ("class 0", "class 1")


def test_small_types_paths_and_lists_are_read(tmp_path: Path) -> None:
    PillowImage.fromarray(IMAGE).save(tmp_path / "a.png")
    labels = LABELS.astype(np.uint8).tolist()
    run = save(tmp_path / "run", images={"a": str(tmp_path / "a.png")}, labels={"a": labels}, predictions={"a": labels})
    sample = read_imported_sample(run, "a")
    assert np.array_equal(sample.image, IMAGE)
    assert sample.label_map is not None
    assert np.array_equal(sample.label_map, LABELS)
    assert run.record.class_names == ("class 0", "class 1")


def test_steps_are_epochs(tmp_path: Path) -> None:
    scores = {"early": {"doubt": {"a": DOUBT}}, "late": {"doubt": {"a": DOUBT[::-1]}}}
    run = save(tmp_path / "run", scores=scores, predictions={"early": {"a": LABELS}, "late": {"a": 1 - LABELS}})
    assert [run.name_epoch(epoch) for epoch in run.epochs] == ["early", "late"]
    early, late = (read_imported_record(run, epoch, read_imported_sample(run, "a")) for epoch in run.epochs)
    assert np.array_equal(early.hardness_map, late.hardness_map[::-1])
    assert np.array_equal(early.prediction, 1 - late.prediction)


def test_mappings_may_read_when_they_are_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    class Lazy(Mapping[str, np.ndarray]):
        def __getitem__(self, name: str) -> np.ndarray:
            asked.append(name)
            return DOUBT + len(name)

        def __iter__(self) -> Iterator[str]:
            return iter(("a", "bb"))

        def __len__(self) -> int:
            return 2

    save(tmp_path / "run", images={"a": IMAGE, "bb": IMAGE}, scores={"doubt": Lazy()})
    assert sorted(asked) == ["a", "a", "bb", "bb"]


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"images": {}}, InvalidInputError, "there is no image"),
        ({"scores": {}}, InvalidInputError, "there is no score"),
        ({"scores": {"doubt": DOUBT}}, InvalidInputError, "expected scores as {score: {image: array}}"),
        ({"scores": {"doubt": {"b": DOUBT}}}, DatasetError, "doubt has nothing for the image a"),
        ({"scores": {"doubt": {"a": DOUBT[1:]}}}, DatasetError, "doubt of a is 8 x 5 px, but its image is 8 x 6 px"),
        (
            {"scores": {"doubt": {"a": DOUBT[0]}}},
            DatasetError,
            "doubt of a must have the shape (height, width), got (8,)",
        ),
        ({"scores": {"a:b": {"a": DOUBT}}}, InvalidInputError, "without ':' or ','"),
        ({"scores": {"doubt": {"a": np.full((6, 8), np.inf)}}}, DatasetError, "not finite"),
        ({"images": {"../a": IMAGE}}, InvalidInputError, "an image cannot have the name"),
        ({"images": {"a": IMAGE[..., 0]}}, DatasetError, "the image a must be H W 3 uint8"),
        (
            {"labels": {"a": LABELS}, "class_names": ["one"]},
            DatasetError,
            "class indices 0 to 1, but the number of classes is 1",
        ),
        (
            {"labels": {"a": LABELS / 1}, "class_names": ["one", "two"]},
            DatasetError,
            "must hold one whole number per pixel",
        ),
        ({"scores": {"doubt": {"a": DOUBT * 1j}}}, DatasetError, "must hold one real number per pixel, got complex128"),
        ({"scores": {"doubt": {"a": np.ma.masked_less(DOUBT, 3)}}}, DatasetError, "got a masked array"),
        ({"scores": {"doubt": {"a": DOUBT.astype(str)}}}, DatasetError, "must hold one real number per pixel, got <U"),
        ({"scores": {"doubt": {"a": [[1], [1, 2]]}}}, DatasetError, "doubt of a is no array"),
        (
            {"images": {"a" * 300: IMAGE}, "scores": {"d": {"a" * 300: DOUBT}}},
            InvalidInputError,
            "longer than 200 bytes",
        ),
        ({"predictions": {"a": np.full((6, 8), 255)}}, DatasetError, "48 pixels without a class (255)"),
        ({"predictions": {"b": LABELS}}, DatasetError, "predictions has nothing for the image a"),
        ({"low_is_hard": ["trust"]}, InvalidInputError, "there is no score 'trust'; the scores are doubt"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    changes: dict[str, Any], error: type[Exception], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        save(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    save(tmp_path / "run")
    with pytest.raises(CheckpointError, match="already holds a run"):
        save(tmp_path / "run")
