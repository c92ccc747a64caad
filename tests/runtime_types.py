"""Checks the annotated types and array shapes of hlcore while the tests run; pytest is told so in pyproject.toml."""

from io import IOBase
from typing import BinaryIO

from beartype import BeartypeConf, FrozenDict, beartype

checked = beartype(
    conf=BeartypeConf(
        is_pep484_tower=True,  # an int is a float, as the type checker has it
        hint_overrides=FrozenDict({BinaryIO: IOBase}),  # an io.BytesIO is no instance of typing.BinaryIO
    )
)
