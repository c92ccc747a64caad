"""The command line. Each command calls hlcore and prints the result; torch is imported only when one runs."""

import importlib.util
import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import App, Parameter

from hlcore import commands
from hlcore.config import TrainConfig
from hlcore.errors import HlcoreError, InvalidInputError
from hlcore.process import keep_freed_memory, limit_threads

app = App(
    name="hlcore",
    help="Train and run segmentation networks that learn how hard each pixel is.",
    suppress_keyboard_interrupt=False,
)
app.meta.suppress_keyboard_interrupt = False
for command in (
    commands.fit,
    commands.suspicion,
    commands.evaluate,
    commands.predict,
    commands.analyze,
    commands.runs,
    commands.export,
):
    app.command(command)
app.command(commands.import_maps, name="import")


_RESUMABLE = {"data.root", "data.workers", "device", "devices", "nodes"}
"""Settings of `train` that may differ when a run is resumed."""


class _Settings(cyclopts.config.Yaml):
    """Settings from a YAML file; `network.options` is passed on as JSON, which preserves numbers and lists."""

    def _load_config(self, path: Path) -> dict[str, Any]:
        import yaml

        from hlcore.data.text import read_yaml

        try:
            settings = read_yaml(path) or {}
        except (yaml.YAMLError, RecursionError) as error:
            raise InvalidInputError(f"{path} is not YAML: {error}") from error
        if not isinstance(settings, dict):
            raise InvalidInputError(f"{path} holds a {type(settings).__name__}; expected settings such as 'seed: 0'")
        if odd := [name for name in _list_keys(settings) if not isinstance(name, str)]:
            raise InvalidInputError(f"{path} has the setting name {odd[0]!r}, which is not text; put it in quotes")
        network = settings.get("network")
        if isinstance(network, dict) and "options" in network:
            try:
                network["options"] = json.dumps(network["options"])
            except TypeError as error:
                raise InvalidInputError(
                    f"{path}: network.options has a value that JSON cannot represent: {error}"
                ) from error
        return settings


def _list_keys(settings: dict[Any, Any]) -> Iterator[Any]:
    """Every key of nested settings."""
    for name, value in settings.items():
        yield name
        yield from _list_keys(value) if isinstance(value, dict) else ()


@app.meta.default
def _with_config_file(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)], config: Path | None = None
) -> Any:
    """Read settings from a file first, then from the command line.

    Parameters
    ----------
    config
        YAML file with the command's settings, nested by name. Options on the command line override it.
    """
    if config is not None:
        if not config.is_file():
            what = "is a folder" if config.is_dir() else "does not exist"
            raise InvalidInputError(f"{config} {what}; expected a YAML file with the command's settings")
        app.config = [_Settings(config, must_exist=True, use_commands_as_keys=False)]
    return app(tokens)


@app.command
def train(*, config: Annotated[TrainConfig | None, Parameter(name="*")] = None, resume: Path | None = None) -> None:
    """Train a network with its hardness branch. Ctrl-C stops the run; `--resume` continues it.

    Parameters
    ----------
    resume
        Folder of an interrupted run, which continues with its own settings. Only --data.root, --data.workers, --device,
        --devices and --nodes may be given besides, for data or a run that moved. On another number of devices, the
        batch size changes so that each step has the same images.
    """
    from hlcore.progress.training import show_training_progress
    from hlcore.training import loop

    config = config or TrainConfig()
    if resume is None:
        reports = loop.train(config)
    else:
        given = set(_list_settings(config.model_dump(exclude_unset=True)))
        if fixed := sorted(f"--{name}" for name in given - _RESUMABLE):
            raise InvalidInputError(f"--resume continues with the run's own settings; leave out {', '.join(fixed)}")
        workers = config.data.workers if "data.workers" in given else None
        place = config.model_dump(include=given & {"device", "devices", "nodes"})
        reports = loop.resume(resume, root=config.data.root, workers=workers, **place)
    if not show_training_progress(reports):
        raise SystemExit(commands.INTERRUPTED)


def _list_settings(settings: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted names of nested settings."""
    for name, value in settings.items():
        yield from _list_settings(value, f"{prefix}{name}.") if isinstance(value, dict) and value else [prefix + name]


@app.command(name="app")
def serve(folders: list[Path] | None = None, *, port: int = 8501) -> None:
    """Start the app on this machine, with the bundled runs and those in folders (default: runs).

    Parameters
    ----------
    folders
        Folders that hold runs.
    port
        Port on localhost.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise InvalidInputError("the app needs Streamlit, which is not installed; pip install 'hlcore[app]'")
    if missing := [folder for folder in folders or [] if not folder.is_dir()]:
        raise InvalidInputError(f"{missing[0]} is not a folder; expected one that holds runs")
    shown = [str(folder.resolve()) for folder in folders or [Path("runs")]]
    if further := os.environ.get("HLCORE_RUNS"):
        shown.append(further)
    environment = os.environ | {"HLCORE_RUNS": os.pathsep.join(shown)}
    installed, checkout = Path(__file__).parent / "_app", Path(__file__).parents[1]
    home = installed if installed.is_dir() else checkout
    server = ["--server.address", "localhost", "--server.port", str(port)]
    command = [sys.executable, "-m", "streamlit", "run", str(home / "app" / "server.py"), *server]
    # Streamlit's settings are beside the app in a wheel and at the root of a checkout, so Streamlit must start there.
    raise SystemExit(subprocess.call(command, env=environment, cwd=None if home == installed else checkout))


def main() -> None:
    """Run the command line; an expected error becomes one line on stderr and exit status 1."""
    for stream in ("stdout", "stderr"):  # None if whoever starts the command has closed it
        setattr(sys, stream, getattr(sys, stream) or open(os.devnull, "w"))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):  # a Windows pipe may not be UTF-8: escape what it cannot encode
        sys.stdout.reconfigure(errors="backslashreplace")
    keep_freed_memory()
    limit_threads()
    os.environ.setdefault("PYDANTIC_ERRORS_INCLUDE_URL", "0")  # errors of settings are for users
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    words = list(map(_expand_home, sys.argv[1:]))
    if (command := _find_command(words)) and command not in app:
        words = [command]  # so that --help shows the error, not the help of all commands
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a batch system's stop is like Ctrl-C
    try:
        try:
            app.meta(words)
        finally:
            sys.stdout.flush()
    except HlcoreError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    except KeyboardInterrupt as error:
        print("stopped", file=sys.stderr)
        raise SystemExit(commands.INTERRUPTED) from error
    except OSError as error:
        if isinstance(sys.stdout, io.TextIOWrapper):  # or Python would fail once more when it exits
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # whoever reads the output has read enough
            print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from error


def _find_command(words: list[str]) -> str:
    """The first word that is neither an option nor the file of `--config`; empty if there is none."""
    for before, word in zip(["", *words], words, strict=False):
        if not word.startswith("-") and before != "--config":
            return word
    return ""


def _expand_home(word: str) -> str:
    """A word of the command line with the home folder in place of "~", also after an option's "="."""
    option, equals, value = word.partition("=")
    if word.startswith("--") and value.startswith("~"):
        return f"{option}{equals}{os.path.expanduser(value)}"  # noqa: PTH111  (a Path would change "~user/" and "./")
    return os.path.expanduser(word) if word.startswith("~") else word  # noqa: PTH111


if __name__ == "__main__":
    main()
