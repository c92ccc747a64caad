"""The wheel carries the app and one small run as data of hlcore, in hlcore/_app; pyproject.toml says the rest."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BUNDLED = {
    "app": "app",
    ".streamlit": "app/.streamlit",  # Streamlit looks beside the script, wherever it is started
    "checkpoints/streets": "checkpoints/streets",
}
LEFT_OUT = shutil.ignore_patterns("__pycache__", "report.html", "resume.pt", "secrets.toml")


class BuildWithApp(build_py):
    """Builds hlcore, then lays the app beside it; an editable install uses the app of the checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        bundle = Path(self.build_lib, "hlcore", "_app")
        shutil.rmtree(bundle, ignore_errors=True)  # of an earlier build
        for source, target in BUNDLED.items():
            shutil.copytree(source, bundle / target, ignore=LEFT_OUT)


setup(cmdclass={"build_py": BuildWithApp})
