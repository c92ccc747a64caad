"""Networks and data sets of your own: modules named in $HLCORE_PLUGINS, which register them when imported."""

import importlib
import os

from hlcore.errors import InvalidInputError

PLUGINS_VARIABLE = "HLCORE_PLUGINS"
"""Comma-separated names of modules that call `register_network` or `register_data`."""


def import_plugins() -> None:
    """Imports the modules that $HLCORE_PLUGINS names; every command and the app do so before they look a name up.

    Raises:
        InvalidInputError: a module cannot be imported.
    """
    for name in filter(None, os.environ.get(PLUGINS_VARIABLE, "").split(",")):
        try:
            importlib.import_module(name.strip())
        except ImportError as error:
            raise InvalidInputError(f"${PLUGINS_VARIABLE} names {name!r}, which cannot be imported: {error}") from error
