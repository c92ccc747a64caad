"""Read images and label maps from untrusted files: each gives correct pixels or one clear error."""

from hlcore.data.images.decoding import read_image, read_label_map

__all__ = ["read_image", "read_label_map"]
