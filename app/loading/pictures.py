"""The sources of images: street scenes, example photos, followed images of a run, uploads."""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import streamlit as st

from app.loading.runs import get_modified_ns, load_probe
from app.loading.worker import run_in_turn
from hlcore.data.images import read_image, read_label_map
from hlcore.data.images.resizing import resize_image, resize_label_map
from hlcore.data.labels import CAMVID, ClassTable
from hlcore.data.readers.camvid import VOID
from hlcore.data.samples import Sample
from hlcore.data.streets import Streets
from hlcore.errors import DatasetError
from hlcore.imported import read_imported_sample
from hlcore.storage.runs import Run

SCENES, FOLLOWED, PHOTOGRAPHS, UPLOAD, DATA = "scenes", "followed", "photographs", "upload", "data"
IMPORTED = "imported"
TITLES = {
    SCENES: "Scenes",
    PHOTOGRAPHS: "Photos",
    UPLOAD: "Your photo",
    FOLLOWED: "Followed",
    IMPORTED: "Imported",
    DATA: "Data set",
}
"""Source, as in links, to its name on the page."""
_SCENE_COUNT = 12
_PHOTOGRAPHS = {
    "motorcycle": "motorcycle_left.png",
    "rocket": "rocket.jpg",
    "coffee": "coffee.png",
    "cat": "chelsea.png",
    "astronaut": "astronaut.png",
    "cameraman": "camera.png",
}


def list_sources(run: Run) -> list[str]:
    """The sources available for a run, except for DATA, which needs an analysis; maps exist only of imported images."""
    if run.record.imported is not None:
        return [IMPORTED]
    probe = load_probe(run)
    return [SCENES, PHOTOGRAPHS, UPLOAD, *([FOLLOWED] if probe and probe.images else [])]


def list_samples(run: Run, source: str) -> list[str]:
    """Names of the samples of a source; none for uploads."""
    if source == IMPORTED:
        return list(run.maps.images)
    if source == SCENES:
        return list(_make_scenes(run).names)
    if source == FOLLOWED:
        return list(probe.images) if (probe := load_probe(run)) else []
    return list(_PHOTOGRAPHS) if source == PHOTOGRAPHS else []


def format_sample(run: Run, source: str, name: str) -> str:
    """The name of a sample on the page."""
    if source == FOLLOWED and (probe := load_probe(run)):
        return f"{name} ({'trained on' if probe.split(name) == 'train' else 'held out'})"
    return name.replace("test-00", "scene ") if source == SCENES else name


def read_sample(run: Run, source: str, name: str) -> Sample:
    """A sample of a source, with its label map if the run has the same classes.

    Raises:
        DatasetError: there is no such sample.
    """
    if source == SCENES and name in _make_scenes(run).names:
        scenes = _make_scenes(run)
        sample = scenes[scenes.names.index(name)]
        return sample if scenes.classes.names == run.record.class_names else replace(sample, label_map=None)
    if source == FOLLOWED and (probe := load_probe(run)) and name in probe.images:
        return Sample(name, probe.image(name), probe.label_map(name))
    if source == IMPORTED and name in run.maps.images:
        return read_imported_sample(run, name)
    if source == PHOTOGRAPHS and name in _PHOTOGRAPHS:
        return Sample(name, read_image(_find_photograph(name)), None)
    raise DatasetError(f"there is no sample '{name}' in {TITLES.get(source, source)}; choose another")


def read_upload(run: Run, name: str, photograph: bytes, labels: bytes | None) -> Sample:
    """An uploaded photograph, with its label map if one was uploaded.

    Raises:
        DatasetError: a file cannot be read, or the label map does not fit the photograph or the run's classes.
    """
    image = read_image(photograph, name=name)
    if labels is None:
        return Sample(name, image, None)
    classes = ClassTable(run.record.class_names, run.record.palette)
    label_map = read_label_map(
        labels, classes=classes, ignored=list_ignored_ids(run), size=image.shape[:2], name="the label map"
    )
    return Sample(name, image, label_map)


def list_ignored_ids(run: Run) -> tuple[int, ...]:
    """Ids besides 255 that mean "unlabelled" in label maps for this run, such as void in CamVid's files."""
    return (VOID,) if run.record.class_names == CAMVID.names else ()


@dataclass(frozen=True)
class Picture:
    """A sample at the size at which it is analysed.

    Attributes:
        sample: The sample, scaled down if it was too large.
        own_size: (H, W) before scaling.
        window: Side of the sliding window, px; None to predict the whole image at once.
    """

    sample: Sample
    own_size: tuple[int, int]
    window: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) at which it is analysed."""
        return self.sample.image.shape[:2]

    @cached_property
    def digest(self) -> str:
        """Changes with any pixel of the image or its label map, and with the window."""
        digest = blake2b(repr((self.size, self.window)).encode(), digest_size=16)
        digest.update(self.sample.image.tobytes())
        if self.sample.label_map is not None:
            digest.update(self.sample.label_map.tobytes())
        return digest.hexdigest()


def make_picture(sample: Sample, side: int) -> Picture:
    """The sample scaled down so that its longer side has at most `side` px; a smaller one as it is."""
    height, width = sample.image.shape[:2]
    if max(height, width) <= side:
        return Picture(sample, (height, width))
    scale = side / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    label_map = None if sample.label_map is None else resize_label_map(sample.label_map, size)
    return Picture(Sample(sample.name, resize_image(sample.image, size), label_map), (height, width))


def load_sample(run: Run, source: str, name: str) -> Sample:
    """`read_sample`, cached."""
    return _cached_sample(run, str(run.path), get_modified_ns(run.path / "run.json"), source, name)


def load_upload(run: Run, name: str, photograph: bytes, labels: bytes | None, *, side: int) -> Picture:
    """The result of `read_upload`, at most `side` px on its longer side.

    Raises:
        DatasetError: a file cannot be read, or the label map does not fit the photograph or the run's classes.
        ServerBusyError: too many sessions wait.
    """
    return _cached_upload(run, str(run.path), name, photograph, labels, side)


def _make_scenes(run: Run) -> Streets:
    """Test scenes, at the run's own scene size if it was trained on scenes."""
    data = run.record.config.data
    size = data.scene_size if data.dataset == "streets" else (288, 384)
    return Streets("test", count=_SCENE_COUNT, size=size)


def _find_photograph(name: str) -> Path:
    return Path(str(files("skimage") / "data" / _PHOTOGRAPHS[name]))


# Streamlit builds the cache keys below from all arguments whose names do not start with an underscore.


@st.cache_data(max_entries=16, show_spinner="Drawing the scene …")
def _cached_sample(_run: Run, path: str, modified: int, source: str, name: str) -> Sample:
    return read_sample(_run, source, name)


@st.cache_resource(max_entries=16, show_spinner="Reading the photo …")
def _cached_upload(_run: Run, path: str, name: str, photograph: bytes, labels: bytes | None, side: int) -> Picture:
    # In turn, because a decoded photograph may take a gigabyte.
    return run_in_turn(lambda: make_picture(read_upload(_run, name, photograph, labels), side))
