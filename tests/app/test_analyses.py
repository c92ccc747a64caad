"""Which analyses of a run the pages offer."""

from pathlib import Path

from app import cache
from hlcore.storage.runs import open_run
from tests.analyses import make_analysis


def test_an_analysis_is_offered_once_it_is_complete(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((runs / "tiny" / "run.json").read_bytes())
    make_analysis(tmp_path, "streets-test")
    make_analysis(tmp_path, "streets-val", state="running")
    assert list(cache.analyses(open_run(tmp_path))) == ["streets-test"]
