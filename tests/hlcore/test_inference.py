"""One image through a network, whole and in windows."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from skimage import data
from torch import nn

from hlcore.errors import InvalidInputError, NotFiniteError
from hlcore.inference import _window_slices, predict, predicted_classes, run_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.types import Image

NAMES = ("sky", "road", "car")


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def strided_network() -> HardnessSegmenter:
    """Looks at 8 x 8 px at a time and has a batch normalisation that training mode would change."""
    torch.manual_seed(1)
    encoder = nn.Sequential(nn.Conv2d(3, 4, 8, stride=8), nn.BatchNorm2d(4))
    return HardnessSegmenter(encoder, nn.Conv2d(4, 3, 1), nn.Conv2d(4, 1, 1), stride=8)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (8, 8), (9, 17), (33, 47)])
def test_record_has_the_images_size_and_proper_values(
    strided_network: HardnessSegmenter, size: tuple[int, int]
) -> None:
    image = noise(*size)
    record = predict(strided_network, image, class_names=NAMES, name="corner", label_map=np.full(size, 2))
    assert record.name == "corner"
    assert record.image is image
    assert record.prediction.shape == record.hardness_map.shape == size
    assert (record.prediction.dtype, record.hardness_map.dtype) == (np.uint8, np.float32)
    assert record.hardness_map.min() > 0
    assert record.hardness_map.max() < 1
    np.testing.assert_allclose(record.probabilities.sum(0), 1, rtol=1e-5)
    np.testing.assert_array_equal(record.probabilities.argmax(0), record.prediction)
    assert record.loss_map.shape == size


def test_record_has_the_networks_output(strided_network: HardnessSegmenter) -> None:
    image = noise(16, 24)
    record = predict(strided_network, image, class_names=NAMES)
    with torch.no_grad():
        logits, hardness = strided_network.eval()(torch.from_numpy(image).permute(2, 0, 1)[None])
    np.testing.assert_array_equal(record.prediction, logits[0].argmax(0))
    np.testing.assert_allclose(record.hardness_map, torch.sigmoid(hardness[0, 0]), rtol=1e-6)
    np.testing.assert_allclose(record.probabilities, torch.softmax(logits[0], 0), rtol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_network_runs_in_evaluation_mode_and_its_mode_is_restored(
    strided_network: HardnessSegmenter, training: bool
) -> None:
    strided_network.train(training)
    before = copy.deepcopy(strided_network.state_dict())
    run_network(strided_network, noise(16, 16))
    assert strided_network.training is training
    assert all(torch.equal(value, before[name]) for name, value in strided_network.state_dict().items())


def test_mode_is_restored_when_the_network_fails(strided_network: HardnessSegmenter) -> None:
    strided_network.train()
    with pytest.raises(InvalidInputError):
        run_network(strided_network, noise(16, 16), window=1)
    assert strided_network.training


@pytest.mark.parametrize("window", [47, 48, 1000])
def test_window_larger_than_the_image_is_the_whole_image(strided_network: HardnessSegmenter, window: int) -> None:
    image = noise(33, 47)
    for whole, windowed in zip(
        run_network(strided_network, image), run_network(strided_network, image, window=window), strict=True
    ):
        assert torch.equal(whole, windowed)


@pytest.mark.parametrize("window", [2, 5, 16])
@pytest.mark.parametrize("size", [(17, 23), (7, 30), (21, 3), (1, 1)])
def test_windows_of_a_network_that_sees_single_pixels_join_without_seams(
    pixel_network: HardnessSegmenter, window: int, size: tuple[int, int]
) -> None:
    image = noise(*size)
    for whole, windowed in zip(
        run_network(pixel_network, image), run_network(pixel_network, image, window=window), strict=True
    ):
        torch.testing.assert_close(windowed, whole, rtol=1e-5, atol=1e-5)


@given(length=st.integers(1, 500), window=st.integers(2, 200), stride=st.sampled_from([1, 4, 32]))
def test_windows_cover_every_pixel_overlap_by_a_quarter_and_start_where_the_network_samples(
    length: int, window: int, stride: int
) -> None:
    assume(window >= stride)
    windows = list(_window_slices(length, window, stride))
    assert windows[0].start == 0
    assert windows[-1].stop == length
    assert all(w.start % stride == 0 and 0 < w.stop - w.start <= window for w in windows)
    for left, right in pairwise(windows):
        assert left.start < right.start
        assert left.stop - right.start >= min(window // 4, window - stride)


def test_overlapping_windows_are_averaged_and_count_less_at_their_edges() -> None:
    class Corner(nn.Module):
        """1 in the first column of its input, 0 elsewhere."""

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            mark = torch.zeros_like(image[:, :1])
            mark[..., 0] = 1
            return mark

    network = HardnessSegmenter(nn.Identity(), Corner(), Corner(), stride=1)
    logits, hardness = run_network(network, noise(1, 8), window=4)  # windows start at 0, 3 and 4; weights ½, 1, 1, ½
    for result in (logits, hardness):
        assert result[0, 0, 0].tolist() == pytest.approx([1, 0, 0, 1 / 2, 1 / 3, 0, 0, 0])


@pytest.mark.parametrize("window", [64, 96, 128])
def test_seams_between_windows_do_not_show(window: int) -> None:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Conv2d(3, 16, 7, 4, 3), nn.Tanh(), nn.Conv2d(16, 16, 5, 1, 2), nn.Tanh())
    network = HardnessSegmenter(encoder, nn.Conv2d(16, 3, 3, padding=1), nn.Conv2d(16, 1, 3, padding=1), stride=4)
    image = data.astronaut()[:256, :256]
    whole, windowed = (predict(network, image, class_names=NAMES, window=side).hardness_map for side in (None, window))
    for axis in (0, 1):
        seam = np.abs(np.diff(windowed - whole, axis=axis)).max()
        assert seam < np.abs(np.diff(whole, axis=axis)).max() / 2, "twice as smooth as the image's own contours"


def test_large_images_go_through_windows_by_themselves(pixel_network: HardnessSegmenter, monkeypatch) -> None:
    monkeypatch.setattr("hlcore.inference.WHOLE_PX", 400)
    monkeypatch.setattr("hlcore.inference.WINDOW_SIDE_PX", 16)
    sizes = []
    pixel_network.encoder.register_forward_hook(lambda _module, _inputs, output: sizes.append(output.shape[-2:]))
    run_network(pixel_network, noise(20, 20))
    assert max(height * width for height, width in sizes) == 400
    sizes.clear()
    run_network(pixel_network, noise(20, 21))
    assert max(height * width for height, width in sizes) == 256


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((4, 4), np.uint8), r"\(4, 4\) of uint8"),
        (np.zeros((4, 4, 4), np.uint8), r"\(4, 4, 4\) of uint8"),
        (np.zeros((4, 4, 3), np.float32), r"\(4, 4, 3\) of float32"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\) of uint8"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_anything_but_an_rgb_image_is_refused(pixel_network: HardnessSegmenter, image: np.ndarray, got: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"image must be H W 3 uint8, got shape {got}"):
        predict(pixel_network, image, class_names=NAMES)


def test_window_below_the_stride_is_refused(strided_network: HardnessSegmenter) -> None:
    with pytest.raises(InvalidInputError, match="window must be at least the network's stride 8 px, got 7"):
        predict(strided_network, noise(16, 16), class_names=NAMES, window=7)


def test_network_without_hardness_is_refused_with_the_way_out(pixel_network: HardnessSegmenter) -> None:
    pixel_network.hardness_branch = None
    with pytest.raises(InvalidInputError, match=r"no hardness branch.*learn one with hlcore fit"):
        predict(pixel_network, noise(2, 2), class_names=NAMES)
    assert run_network(pixel_network, noise(5, 5), window=2).hardness is None


def test_class_names_that_do_not_match_the_network_are_refused(pixel_network: HardnessSegmenter) -> None:
    with pytest.raises(InvalidInputError, match=r"probabilities must have shape \(2, 4, 4\), got \(3, 4, 4\)"):
        predict(pixel_network, noise(4, 4), class_names=("sky", "road"))


@pytest.mark.parametrize("buffer", ["std", "mean"])
def test_an_output_that_is_not_finite_is_refused(strided_network: HardnessSegmenter, buffer: str) -> None:
    getattr(strided_network, buffer).fill_(0 if buffer == "std" else float("nan"))
    with pytest.raises(NotFiniteError, match="the network's output is not finite"):
        run_network(strided_network, noise(16, 24))


def test_the_predicted_class_is_the_first_with_the_largest_logit() -> None:
    logits = torch.randint(0, 3, (2, 5, 40, 50)).float()
    expected = torch.from_numpy(logits.numpy().argmax(axis=1))  # NumPy promises the first
    assert torch.equal(predicted_classes(logits), expected)
