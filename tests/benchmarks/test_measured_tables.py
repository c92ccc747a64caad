"""Tests of tables whose rows are written by a benchmark."""

from benchmarks.measured_tables import write_row

COLUMNS = ("command", "seed", "lost")


def test_a_row_replaces_the_one_that_measured_the_same_and_leaves_the_rest(tmp_path):
    document = tmp_path / "page.md"
    other = "<!-- measured by other -->\n| a |\n| --- |\n<!-- end of measured -->\n"
    document.write_text(f"# Page\n\n<!-- measured by kills -->\n<!-- end of measured -->\n\nLater.\n{other}")
    for row in (("train", "0", "2"), ("predict", "0", "0"), ("train", "0", "0"), ("train", "1", "1")):
        write_row(document, "kills", COLUMNS, row, key=2)
    assert document.read_text() == (
        "# Page\n\n<!-- measured by kills -->\n"
        "| command | seed | lost |\n| --- | --- | --- |\n"
        "| predict | 0 | 0 |\n| train | 0 | 0 |\n| train | 1 | 1 |\n"
        f"<!-- end of measured -->\n\nLater.\n{other}"
    )
