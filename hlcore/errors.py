"""The errors hlcore raises on purpose; every message says what was expected, what came, and the way out."""


class HlcoreError(Exception):
    """Base of every error whose cause lies in the input and not in the program."""


class InvalidInputError(HlcoreError, ValueError):
    """An argument, array or setting that does not fit what the function states."""


class DatasetError(HlcoreError):
    """A data set, image or label file that cannot be used; the message names the file."""


class CheckpointError(HlcoreError):
    """A run folder, checkpoint or bundle that cannot be read; the message names the file."""


class TrainingError(HlcoreError):
    """A training run that had to stop; the message says where and what to resume from."""
