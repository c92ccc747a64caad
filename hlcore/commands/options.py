"""What several commands share."""

from typing import Annotated

from cyclopts import Parameter

ClusterAddress = Annotated[list[str] | None, Parameter(consume_multiple=(0, 1), metavar="[ADDRESS]", negative=())]
"""`--cluster`, which is an empty list, or `--cluster ADDRESS`."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as in shells, so that scripts can tell a stopped command from a finished one."""


def find_address(cluster: list[str] | None) -> str | None:
    """The address of a cluster; "auto" for an option without a value, and None without the option."""
    return None if cluster is None else (cluster or ["auto"])[0]
