"""Tables of text: separator, encoding, header and missing values are found out and said, never guessed in silence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.types import Dataset


def load(path: Path, content: str | bytes, **options: object) -> Dataset:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return ex.load_data(f"csv:{path}", **options)  # type: ignore[arg-type]


def rows_of(data: Dataset) -> list[list[float]]:
    tune = data.splits["tune"]
    return sorted([*row, label] for row, label in zip(tune.x.tolist(), tune.y.tolist(), strict=True))  # type: ignore[union-attr]


def test_rows_are_those_that_pandas_reads(tmp_path: Path) -> None:
    content = 'a,b,"the, label"\n1,2.5,0\n3,4e-1,1\n-5,6,0\n'
    data = load(tmp_path / "t.csv", content)

    frame = pd.read_csv(tmp_path / "t.csv")
    assert rows_of(data) == [pytest.approx(row) for row in sorted(frame.to_numpy().tolist())]
    assert data.findings[0].what.startswith("Read in UTF-8, cells separated by comma; its first row names the columns")
    assert "the, label" in data.findings[0].evidence


def test_separators_encodings_and_commas_in_numbers_are_told(tmp_path: Path) -> None:
    cases = {
        "semicolon": (b"x;y\n1,5;0\n2,5;1\n", "UTF-8", "commas in numbers read as points"),
        "tab": ("x\ty\n1.5\t0\n2.5\t1\n".encode("utf-16"), "UTF-16", "tab"),
        "bar": ("größe|y\n1.5|0\n2.5|1\n".encode("latin-1"), "LATIN-1", "bar"),
        "comma": (b"1.5,0\n2.5,1\n", "UTF-8", "no row of names"),
    }
    for separator, (content, encoding, words) in cases.items():
        data = load(tmp_path / f"{separator}.csv", content)
        assert rows_of(data) == [[1.5, 0], [2.5, 1]], separator
        assert f"Read in {encoding}, cells separated by {separator}" in data.findings[0].what
        assert words in data.findings[0].what


def test_rows_with_missing_values_are_left_out_and_counted(tmp_path: Path) -> None:
    data = load(tmp_path / "t.csv", "a,b,y\n1,2,0\n,2,1\n3,NA,1\n4,5,1\n")
    assert rows_of(data) == [[1, 2, 0], [4, 5, 1]]
    finding = next(finding for finding in data.findings if "left out" in finding.what)
    assert (finding.level, finding.what) == ("warn", "2 rows are left out: they have missing values.")
    assert "a 1" in finding.evidence


def test_names_are_classes_and_numbers_with_a_point_are_numbers(tmp_path: Path) -> None:
    data = load(tmp_path / "t.csv", "class,a\ncat,1\nant,2\ncat,3\n")
    assert data.classes == ("ant", "cat")
    assert rows_of(data) == [[1, 1], [2, 0], [3, 1]]
    numbers = load(tmp_path / "u.csv", "a,y\n1,0.5\n2,1.5\n")
    assert numbers.splits["tune"].y.dtype == torch.float32  # type: ignore[union-attr]
    other = ex.load_data(f"csv:{tmp_path / 'u.csv'}#a")
    assert rows_of(other) == [[0.5, 1], [1.5, 2]]


def test_a_table_is_what_a_network_is_measured_on(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3)).eval()
    x = torch.randn(40, 2)
    y = net(x).argmax(1)
    lines = [f"{a!r},{b!r},{label}" for (a, b), label in zip(x.tolist(), y.tolist(), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["p,q,y", *lines]))
    model = ex.load(net, example=x[:2])
    report = ex.evaluate(model, None, ex.load_data(f"csv:{tmp_path / 't.csv'}", model=model))
    assert report.accuracy is not None
    assert report.accuracy.value == 1.0


def test_what_is_no_table_of_numbers_is_refused_in_a_sentence(tmp_path: Path) -> None:
    cases = {
        "no two columns": "alone\n1\n2\n",
        "has 1 cells, the first one 2": "a,y\n1,0\n2\n",
        "no number": "a,b,y\n1,x,0\n2,z,1\n",
        "zero bytes": b"\0\1\2,3\n",
        "No row is complete": "a,y\n,1\n2,\n",
        "same name": "a,a,y\n1,2,0\n",
    }
    for words, content in cases.items():
        with pytest.raises(ex.ExplorerError, match=words):
            load(tmp_path / "t.csv", content)
    (tmp_path / "t.csv").write_text("a,y\n1,0\n")
    with pytest.raises(ex.ExplorerError, match="no column 'z'"):
        ex.load_data(f"csv:{tmp_path / 't.csv'}#z")
