import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from notebook_fixture import curve, markup
from PIL import Image

from lesionbook import predictions, report
from lesionbook.errors import LesionbookError


def soup(call, *args, **keywords):
    return BeautifulSoup(markup(call, *args, **keywords), "html.parser")


def test_figure_has_label_caption_description_and_is_sharp():
    before = set(plt.get_fignums())
    shown = soup(report.show_figure, curve(), label="loss", caption="**Loss** of $a_1*b_2$.", alt='A "line" < 1')
    image = shown.img
    assert shown.figure["id"] == "fig-loss"
    assert image["alt"] == 'A "line" < 1'
    assert shown.figcaption.strong.get_text() == "Loss"
    assert "$a_1*b_2$" in shown.figcaption.get_text()
    stored = Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
    assert stored.width > 1.5 * int(image["width"])
    assert set(plt.get_fignums()) == before, "the figure is closed"


def test_figure_bytes_repeat_and_name_no_software():
    first, second = (
        markup(report.show_figure, curve(), label="loss", caption="Loss.", alt="A line.") for _ in range(2)
    )
    assert first == second
    data = base64.b64decode(first.partition("base64,")[2].partition('"')[0])
    assert b"Software" not in data and b"tEXt" not in data


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"caption": " "}, "caption"),
        ({"alt": ""}, "description"),
        ({"label": "two words"}, "label"),
        ({"label": ""}, "label"),
    ],
)
def test_figure_without_a_part_is_refused(change, word):
    with pytest.raises(LesionbookError, match=word):
        markup(report.show_figure, curve(), **({"label": "loss", "caption": "Loss.", "alt": "A line."} | change))


def test_table_aligns_formats_and_escapes():
    frame = pd.DataFrame(
        {
            "name": ["<script>x</script>", None],
            "share": [0.5, np.nan],
            "count": [1, 2],
            "interval": ["0.83 (0.80–0.86)", "<0.001"],
            "malignant": [True, False],
            "score": [0.12345, 1.0],
        },
        index=pd.Index(["nv", "mel"], name="key"),
    )
    shown = soup(report.show_table, frame, label="t", caption="All.", formats={"share": "{:.0%}", "absent": "{}"})
    heads = [cell.get_text() for cell in shown.thead.find_all("th")]
    assert heads == ["key", "name", "share", "count", "interval", "malignant", "score"]
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in shown.tbody.find_all("tr")]
    assert rows[0] == ["nv", "<script>x</script>", "50%", "1", "0.83 (0.80–0.86)", "yes", "0.123"]
    assert rows[1] == ["mel", "–", "–", "2", "<0.001", "no", "1.000"]
    assert shown.find("script") is None
    right = ["number" in cell.get("class", []) for cell in shown.tbody.tr.find_all("td")]
    assert right == [False, True, True, True, False, True]
    assert all("number" in cell.get("class", []) for cell in shown.find_all("th", string="share"))


def test_table_of_many_levels_keeps_cells_under_their_heads():
    columns = pd.MultiIndex.from_product([["VGG16", "ResNet50V2"], ["AUC", "model"]])
    rows = pd.MultiIndex.from_tuples([("sex", "female"), ("sex", "male"), ("age", "over 60")], names=["group", "value"])
    frame = pd.DataFrame([[0.1, "a", 0.2, "b"]] * 3, index=rows, columns=columns)
    shown = soup(report.show_table, frame, label="t", caption="All.")
    heads = shown.thead.find_all("tr")
    assert [cell.get_text() for cell in heads[-1].find_all("th")] == ["group", "value", "AUC", "model", "AUC", "model"]
    assert [cell.get("colspan") for cell in heads[0].find_all("th")][-2:] == ["2", "2"]
    for row in shown.tbody.find_all("tr"):
        assert ["number" in cell.get("class", []) for cell in row.find_all("td")] == [True, False, True, False]
    assert shown.find("th", string="sex")["rowspan"] == "2"


def test_table_tolerates_repeated_names_long_texts_and_no_rows():
    frame = pd.DataFrame([["x" * 300, 1]], columns=["same", "same"])
    assert "x" * 300 in markup(report.show_table, frame, label="t", caption="All.")
    assert soup(report.show_table, frame.iloc[:0], label="t", caption="All.").thead.get_text() == "samesame"


def test_cells_of_a_table_may_lead_somewhere():
    frame = pd.DataFrame({"item": ["1", "2"], "answered in": ["Exploring <b>", "not here"]})
    links = {"answered in": ["explore.html#Size", None]}
    soup = BeautifulSoup(
        markup(report.show_table, frame, label="t", caption="c", index=False, links=links), "html.parser"
    )
    assert [(link["href"], link.get_text()) for link in soup.find_all("a")] == [("explore.html#Size", "Exploring <b>")]


def test_table_without_index_and_with_a_wrong_format():
    frame = pd.DataFrame({"name": ["a"]})
    assert soup(report.show_table, frame, label="t", caption="All.", index=False).tbody.th is None
    with pytest.raises(LesionbookError, match="'name'"):
        markup(report.show_table, frame, label="t", caption="All.", formats={"name": "{:.3f}"})


@pytest.mark.parametrize("kind", ["info", "drawn", "warning"])
def test_note_takes_inline_markdown_but_no_markup(kind):
    shown = soup(report.show_note, "**Read** [this](#fig-a) <img src=x> $2*3*4$", kind)
    assert f"note-{kind}" in shown.div["class"]
    assert shown.strong.get_text() == "Read" and shown.a["href"] == "#fig-a"
    assert shown.find("img") is None and shown.find("em") is None


def test_note_refuses_unknown_kinds_and_silence():
    with pytest.raises(LesionbookError, match="danger"):
        report.show_note("x", "danger")
    with pytest.raises(LesionbookError, match="empty"):
        report.show_note(" ")


def test_source_is_shown_whole_with_its_place_in_the_package():
    shown = soup(report.show_source, predictions.class_names)
    assert shown.figcaption.get_text() == "lesionbook/predictions.py"
    assert "def class_names(frame" in shown.pre.get_text() and shown.pre.find("span", class_="k")
    with pytest.raises(LesionbookError, match="source"):
        report.show_source(len)
