"""Images and label maps from untrusted files: every file becomes right pixels or one sentence that says why not."""

from hlcore.data.images.decoding import read_image, read_label_map

__all__ = ["read_image", "read_label_map"]
