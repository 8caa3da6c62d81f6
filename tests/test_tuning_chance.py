import numpy as np
import pandas as pd
import pytest
from small_tuning import setting

from lesionbook import params
from lesionbook.errors import LesionbookError
from lesionbook.tuning import chance, printed, settings

PUBLISHED = params.load("melanoma-cnn", "paper").published


@pytest.mark.parametrize(
    ("name", "rows", "alone", "together"),
    [
        ("learning rate", 14, 17, 2),
        ("batch size", 8, 5, 2),
        ("leaky ReLU alpha", 8, 12, 3),
        ("activation", 4, 4, 0),
        ("sample size", 4, 0, 0),
    ],
)
def test_published_tables(name, rows, alone, together):
    frame = printed.sweep(PUBLISHED, name)
    found = chance.pairs(frame)
    assert len(found) == rows * (rows - 1) / 2
    assert ((found["p"] < 0.05).sum(), (found["holm"] < 0.05).sum()) == (alone, together)
    assert np.allclose(frame["right"] / frame["images"], frame["val_accuracy"], atol=0.00005)


def test_numbers_of_images_are_worked_out_from_the_accuracies():
    assert printed.sweep(PUBLISHED, "activation")["images"].tolist() == [198, 198, 198, 200]
    assert printed.sweep(PUBLISHED, "sample size")["images"].tolist() == [4, 20, 100, 200]
    impossible = {"sweeps": {"x": {"columns": ["val_accuracy"], "rows": [[0.6123]]}}}
    with pytest.raises(LesionbookError, match=r"0\.6123 is no share of 198 or 199 or 200 images"):
        printed.sweep(impossible, "x")
    with pytest.raises(LesionbookError, match="sweeps has no table 'y'; there is x"):
        printed.sweep(impossible, "y")
    assert printed.sweep({}, "").empty


def test_two_proportions_by_hand_and_by_r():
    """z = 0.2 / sqrt(0.5 · 0.5 · 2 / 100) = 2.8284; R: 2 * pnorm(-2.828427) = 0.004677735."""
    assert chance.two_proportions((60, 40), (100, 100)) == pytest.approx(0.004677735, abs=1e-9)
    # Fisher's tea tasting (1935): R's fisher.test(matrix(c(3, 1, 1, 3), 2)) gives p = 0.4857.
    assert chance.two_proportions((3, 1), (4, 4)) == pytest.approx(0.4857, abs=5e-5)


def test_mcnemar_between_its_extremes():
    """R: binom.test(0, 6)$p.value = 0.03125; binom.test(1, 5)$p.value = 0.375."""
    assert chance.mcnemar(6, 0, 10)[0] == pytest.approx(0.03125)
    assert chance.mcnemar(9, 6, 10) == pytest.approx((0.25, 0.375))
    assert chance.mcnemar(7, 7, 10) == (1.0, 1.0)


def test_holm_as_in_the_paper_of_wright():
    """Adjusted by hand: 3 × 0.01, then 2 × 0.02, then 1 × 0.04 no smaller than the one before."""
    frame = pd.DataFrame({"images": 198, "right": [100, 118, 130]})
    found = chance.pairs(frame).sort_values("p")
    by_hand = np.maximum.accumulate(np.minimum(1, found["p"].to_numpy() * [3, 2, 1]))
    assert found["holm"].to_numpy() == pytest.approx(by_hand)


def test_needed_is_the_first_difference_that_is_found():
    lead = chance.needed(198, 1, 0.6)
    right = 0.6 * 198
    assert chance.two_proportions((right + lead * 99, right - lead * 99), (198, 198)) < 0.05
    assert chance.two_proportions((right + lead * 99 - 0.5, right - lead * 99 + 0.5), (198, 198)) >= 0.05
    assert chance.needed(198, 91, 0.6) > lead


def test_detectable_as_in_cohens_table():
    """Cohen (1988), table 6.4.1: h = 0.2 takes 392 in each group for a power of 0.80, two-sided at 0.05."""
    better = chance.detectable(392, 1, share=0.5)
    assert 2 * (np.arcsin(np.sqrt(0.5 + better)) - np.arcsin(np.sqrt(0.5))) == pytest.approx(0.2, abs=0.001)


def test_rows_are_held_against_the_best_one():
    frame = printed.sweep(PUBLISHED, "batch size")
    ends = chance.against_best(frame, chance.pairs(frame))
    assert np.isnan(ends["p"][1])
    assert ends["difference"][4] == 0
    assert ends["difference"][7] == pytest.approx(-35 / 198)
    assert ends["holm"][7] < 0.05 < ends["holm"][0]


def test_the_verdict_says_all_numbers():
    frame = printed.sweep(PUBLISHED, "learning rate")
    said = chance.verdict(frame, chance.pairs(frame))
    assert "Of the 91 pairs of published rows, 17 differ at 5 % taken one by one, 2 after Holm's correction" in said
    assert "between 0 and 39 pairs after correction" in said
    assert "must lie 0.096 apart for a single comparison and 0.172 for the first of 91" in said


def test_settings_find_the_published_rows_that_they_repeat():
    loaded = params.load("melanoma-cnn", "paper")
    for name in loaded.sweeps:
        knobs = loaded.experiments[name].parameters
        applied = [settings.apply(loaded, knobs.base, knobs.fixed, change) for change in knobs.settings]
        frame = printed.sweep(loaded.published, knobs.published)
        rows = printed.match(frame, [printed.stated(one) for one in applied])
        assert rows == list(range(len(frame))), name
        points = settings.points(knobs.settings, knobs.axis)
        beside = printed.beside(frame, rows, points)
        assert beside["estimate"].tolist() == frame["val_accuracy"].tolist()
        assert (beside["low"] < beside["estimate"]).all()
    other = printed.match(
        printed.sweep(loaded.published, "batch size"), [printed.stated(setting(recipe={"batch_size": 7}))]
    )
    assert other == [None]
