"""The wheel contains the app: `pip install 'hlcore[app]'` works outside a checkout."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
import setuptools

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[1]
SOURCES = ("app", "hlcore", "checkpoints", ".streamlit", "pyproject.toml", "setup.py", "MANIFEST.in")
DOCUMENTS = ("README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "requirements.txt")
PATIENCE_S = 60
OPEN_THE_APP = """
from importlib.util import find_spec
from pathlib import Path
import hlcore
from streamlit.testing.v1 import AppTest
assert find_spec("app") is None, "the wheel installs a package named app"
app = AppTest.from_file(str(Path(hlcore.__file__).parent / "_app" / "app" / "main.py"), default_timeout=120).run()
assert not app.exception, app.exception[0].message
print(hlcore.__file__, [box.options for box in app.selectbox])
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist, which is built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("build")
    for name in (*SOURCES, *DOCUMENTS):
        source, target = PROJECT / name, folder / "sources" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "resume.pt"))
        else:
            shutil.copy(source, target)
    build = "from setuptools import build_meta; import sys; print(build_meta.build_sdist(sys.argv[1]))"
    run(sys.executable, "-c", build, folder, cwd=folder / "sources")
    (sdist,) = folder.glob("*.tar.gz")
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, sdist, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a separate environment with the wheel; it shares the other packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-deps", "--no-index")
    run(*pip, wheel, cwd=folder)
    where = run(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    borrowed = Path(setuptools.__file__).parents[1]
    Path(where, "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return programs


def test_the_wheel_holds_the_app_the_bundled_run_and_the_types(wheel):
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} <= {"hlcore", f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    assert "hlcore/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "hlcore/_app/app/.streamlit/config.toml" in names
    for folder in ("app", "checkpoints/streets"):
        files = [p for p in (PROJECT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        kept = {p.relative_to(PROJECT).as_posix() for p in files if p.name not in {"report.html", "resume.pt"}}
        assert {name.removeprefix("hlcore/_app/") for name in names if f"_app/{folder}/" in name} >= kept


def test_the_installed_app_opens_with_the_bundled_run(environment, tmp_path):
    printed = run(environment / "python", "-c", OPEN_THE_APP, cwd=tmp_path, PYTHONPATH="")
    assert str(environment.parent) in printed
    assert "streets" in printed


def test_the_installed_command_serves_the_app(environment, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [environment / "hlcore", "app", tmp_path, "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True) as server:
        try:
            assert health(server, f"http://localhost:{port}/_stcore/health") == b"ok"
        finally:
            os.killpg(server.pid, signal.SIGTERM)


def health(server: subprocess.Popen, url: str) -> bytes:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.2)
    return b"no answer"
