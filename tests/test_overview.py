import json

import pandas as pd
import pytest

from lesionbook import overview, params, paths


@pytest.fixture
def compared(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "step", lambda profile, study, name: tmp_path / profile / study / name)
    folder = tmp_path / "laptop" / "ham10000-transfer" / "compare"
    folder.mkdir(parents=True)
    rows = [("VGG16, frozen", "macro_auc", 0.9, 0.88, 0.92), ("VGG16, frozen", "accuracy", 0.45, 0.42, 0.48)]
    table = pd.DataFrame(rows, columns=["model", "score", "estimate", "low", "high"])
    table.assign(n_images=1000, n_groups=740).to_csv(folder / "comparison.csv", index=False)
    (folder / "summary.json").write_text(json.dumps({"chosen": "VGG16, frozen"}))
    return folder


def line(profile="laptop"):
    return overview.line("ham10000-transfer", profile, params.load("ham10000-transfer", profile))


def test_the_line_says_what_came_out(compared):
    found = line()
    assert found.model == "VGG16, frozen"
    assert found.figure == "0.900 (0.880–0.920)"
    assert found.tested == "1,000 (740)"
    assert found.published == "1 agrees, 4 not compared"
    assert found.parameters == "6 not compared"


def test_without_a_comparison_there_is_no_line(compared):
    assert line("sample") is None
    (compared / "summary.json").write_text(json.dumps({"headline": "of an older form"}))
    assert line() is None
