"""The errors hlcore raises on purpose; each message says what was expected, what came instead and how to fix it."""

import errno


class HlcoreError(Exception):
    """Base of all errors caused by the input rather than by the program."""


class InvalidInputError(HlcoreError, ValueError):
    """An argument, array or setting that is not valid."""


class DatasetError(HlcoreError):
    """A data set, image or label file that cannot be used; the message names the file."""


class MissingSplitError(DatasetError):
    """A data set that does not have a split, or a folder of it."""


class CheckpointError(HlcoreError):
    """A run folder, checkpoint or bundle that cannot be read; the message names the file."""


class NotFiniteError(HlcoreError):
    """A network whose output is NaN or infinite."""


class StorageError(HlcoreError):
    """A file that cannot be written, or a folder that another process writes to; the message names it."""

    @property
    def refuses_name(self) -> bool:
        """Whether only the name of the file is the reason, so that other files can be written."""
        cause = self.__cause__
        return isinstance(cause, OSError) and cause.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)


class ClusterError(HlcoreError):
    """A cluster that cannot do the work; the message says why."""


class TrainingError(HlcoreError):
    """A training run that had to stop; the message names the step and the last good checkpoint."""


def explain_failure(error: Exception) -> str:
    """One line on why the work on one image failed, for a command that goes on with the others.

    Raises:
        HlcoreError: the error itself, if it is an expected one that other images would meet too.
    """
    if isinstance(error, DatasetError | NotFiniteError) or (isinstance(error, StorageError) and error.refuses_name):
        return str(error)
    if isinstance(error, HlcoreError):
        raise error
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
