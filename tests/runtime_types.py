"""Check the annotated types and array shapes of hlcore during the tests; pyproject.toml loads this into pytest."""

from io import IOBase
from typing import BinaryIO

from beartype import BeartypeConf, FrozenDict, beartype

checked = beartype(
    conf=BeartypeConf(
        is_pep484_tower=True,  # an int is a float, as for the static type checker
        hint_overrides=FrozenDict({BinaryIO: IOBase}),  # an io.BytesIO is not an instance of typing.BinaryIO
    )
)
