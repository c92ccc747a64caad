"""Resize images and label maps."""

import numpy as np
from jaxtyping import Integer, UInt8
from PIL import Image as PillowImage


def resize_image(image: UInt8[np.ndarray, "H W 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """The image at another (height, width), bilinear and antialiased.

    Example:
        >>> resize_image(np.array([[[0, 0, 0], [200, 100, 50]]], np.uint8), (1, 1)).tolist()
        [[[100, 50, 25]]]
    """
    height, width = size
    return np.asarray(PillowImage.fromarray(image).resize((width, height), PillowImage.Resampling.BILINEAR))


def resize_label_map(label_map: Integer[np.ndarray, "H W"], size: tuple[int, int]) -> Integer[np.ndarray, "h w"]:
    """The label map at another (height, width); each pixel takes the class at its centre.

    Example:
        >>> resize_label_map(np.array([[3, 255]]), (1, 4)).tolist()
        [[3, 3, 255, 255]]
    """
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, label_map.shape, strict=True)
    )
    return label_map[rows[:, None], columns]
