"""Plugins: modules named in $HLCORE_PLUGINS that register your own networks and data sets."""

import importlib
import os

from hlcore.errors import InvalidInputError

PLUGINS_VARIABLE = "HLCORE_PLUGINS"
"""Comma-separated names of modules that call `register_network` or `register_data`."""


def import_plugins() -> None:
    """Import the modules named in $HLCORE_PLUGINS; this happens before a network or data set is looked up by name.

    Raises:
        InvalidInputError: a module cannot be imported.
    """
    for name in filter(None, os.environ.get(PLUGINS_VARIABLE, "").split(",")):
        try:
            importlib.import_module(name.strip())
        except ImportError as error:
            raise InvalidInputError(f"${PLUGINS_VARIABLE} names {name!r}, which cannot be imported: {error}") from error
