import pytest
from bs4 import BeautifulSoup

from lesionbook.render import times

TIMED = [
    times.Timed("sample", "A <study>", "The model", "sample/s/model.html", 12.4),
    times.Timed("sample", "A <study>", "The comparison", "sample/s/compare.html", 107.6),
    times.Timed("laptop", "A <study>", "A sweep", "laptop/s/sweep.html", 9000, {"rate 1": 0.314, "rate 2": 0.157}),
]


def page(folder, timed):
    times.render(timed, folder / "times.html")
    return BeautifulSoup((folder / "times.html").read_text(encoding="utf-8"), "html.parser")


def test_every_notebook_has_its_time_and_every_study_the_sum(tmp_path):
    soup = page(tmp_path, TIMED)
    assert [" ".join(heading.text.split()) for heading in soup.find_all("h2")] == [
        "A <study> sample",
        "A <study> laptop",
    ]
    first, second, epochs = soup.find_all("table")
    assert [cell.text for cell in first.select("td")] == ["12 s", "1.8 min", "2.0 min"]
    assert [link["href"] for link in first.find_all("a")] == ["sample/s/model.html", "sample/s/compare.html"]
    assert [cell.text for cell in second.select("td")] == ["2.5 h", "2.5 h"]
    assert soup.find("h3").text == "A sweep: time per epoch"
    assert [cell.text for cell in epochs.select("th[scope=row], .number[scope!=col]")] == [
        *("rate 1", "0.31 s"),
        *("rate 2", "0.16 s"),
    ]
    assert [bar["style"] for bar in epochs.select(".bar")] == ["width: 12.0rem", "width: 6.0rem"]
    assert "All studies together: 2.5 h" in soup.text


def test_without_notebooks_it_says_what_to_do(tmp_path):
    soup = page(tmp_path, [])
    assert "make report" in soup.text and not soup.find("table")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.314, "0.31 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (99.4, "99 s"),
        (99.6, "1.7 min"),
        (5964, "99.4 min"),
        (6000, "1.7 h"),
    ],
)
def test_durations_are_written_for_reading(seconds, text):
    assert times.written(seconds) == text
