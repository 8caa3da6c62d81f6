import numpy as np
import pytest
from scipy.stats import chi2_contingency

from lesionbook import audit_sweeps, params, published_facts
from lesionbook.published_facts import Facts, Sweep


def facts(study):
    return published_facts.of(study, params.load(study, "paper"))


def test_sweeps_say_on_how_many_images_they_rest():
    stated = facts("melanoma-cnn")
    for name in ("learning rate", "batch size", "leaky ReLU alpha"):
        assert set(audit_sweeps.sweep_rows(stated.sweeps[name])["fits"]) == {"198"}
    assert audit_sweeps.sweep_rows(stated.sweeps["activation"])["fits"].tolist() == [
        "198, 200",
        "198",
        "198, 200",
        "200",
    ]
    assert audit_sweeps.sweep_rows(stated.sweeps["sample size"])["fits"].tolist() == ["4", "20", "100", "200"]
    found = {
        name: audit_sweeps.sweep_findings(name, one, audit_sweeps.sweep_rows(one))
        for name, one in stated.sweeps.items()
    }
    wrong = [figure for one in found.values() for figure in one.loc[~one["agrees"].astype(bool), "figure"]]
    assert wrong == [
        "training accuracy at batch size 128",
        "training accuracy at batch size 256",
        "rows of the sweep over activation",
    ]


def test_stated_results_rest_on_other_images_than_the_sweeps():
    rows = audit_sweeps.sweeps_against_results(facts("melanoma-cnn"))
    assert rows["agrees"].tolist() == [False, False]
    assert rows["follows"].tolist() == ["fits 200 images, the sweeps 198"] * 2
    assert audit_sweeps.sweeps_against_results(facts("ham10000-transfer")).empty


def test_a_sweep_that_fits_nothing_is_found():
    sweep = Sweep(columns=("rate", "val_accuracy"), rows=((0.1, 0.5001),), images=(10,))
    found = audit_sweeps.sweep_findings("rate", sweep, audit_sweeps.sweep_rows(sweep))
    assert not found["agrees"].iloc[0]


def test_expected_best_of_equal_runs():
    assert audit_sweeps.expected_best(0.6, 50, 1) == pytest.approx(0.6)
    drawn = np.random.default_rng(1).binomial(198, 0.614, size=(200_000, 14)).max(axis=1).mean() / 198
    assert audit_sweeps.expected_best(0.614, 198, 14) == pytest.approx(drawn, abs=0.0005)


@pytest.mark.parametrize(
    ("value", "batch", "said"),
    [
        (
            0.6685,
            128,
            "it fits 1,472 images: 11 whole batches of 128 and the 64 images left over",
        ),  # 984/1472 = 0.66848
        (0.5327, 256, "it fits 1,344 images: 5 whole batches of 256 and the 64 images left over"),  # 716/1344 = 0.53274
        (0.6667, 128, "it fits 1,536 images: 12 whole batches of 128"),  # 1024/1536
        (0.6685, 64, ""),  # 64 divides 1,600
        (0.6690, 128, ""),  # between 984/1472 and 985/1472, and between 1027/1536 and 1028/1536
    ],
)
def test_images_that_whole_steps_see(value, batch, said):
    assert audit_sweeps.left_over(value, 1600, batch, 4) == said


def test_a_sweep_over_the_batch_size_says_what_its_steps_saw():
    sweep = facts("melanoma-cnn").sweeps["batch size"]
    rows = audit_sweeps.sweep_findings("batch size", sweep, audit_sweeps.sweep_rows(sweep))
    why = rows.loc[~rows["agrees"].astype(bool), "why"].tolist()
    assert [text.split(":")[0] for text in why] == ["it fits 1,472 images", "it fits 1,344 images"]


def test_training_images_follow_the_size_of_the_sample():
    """The four rows of Shadis: 18 of 32, 90 of 160, 515 of 800 and 1,483 of 1,600."""
    sweep = facts("melanoma-cnn").sweeps["sample size"].model_copy(update={"training_share": 0.8})
    rows = audit_sweeps.sweep_rows(sweep)
    assert rows["training images"].tolist() == [32, 160, 800, 1600]
    assert rows["possible"].all()
    halved = audit_sweeps.sweep_rows(sweep.model_copy(update={"training_share": 0.5}))
    assert halved["possible"].tolist() == [False] * 4  # 0.5625 would be 11.25 of 20, 0.9269 would be 926.9 of 1,000


def test_settings_are_written_in_full():
    rows = audit_sweeps.sweep_rows(facts("melanoma-cnn").sweeps["learning rate"])
    assert rows["learning rate"].tolist()[:3] == ["0.00001", "0.00001", "0.00005"]
    assert rows["reduce on plateau"].tolist()[:2] == ["yes", "no"]


def test_luck_says_whether_runs_differ():
    found = audit_sweeps.luck(facts("melanoma-cnn")).set_index("sweep")
    assert "sample size" not in found.index
    right = np.array([118, 135, 121, 129, 135, 127, 119, 100])  # the sweep over the batch size, times 198
    assert found.loc["batch size", "p"] == pytest.approx(chi2_contingency([right, 198 - right]).pvalue)
    equal = Sweep(columns=("rate", "val_accuracy"), rows=((1, 0.5), (2, 0.6)), images=(10,))
    assert audit_sweeps.luck(Facts(sweeps={"rate": equal}))["p"].item() == 1.0  # 5 and 6 of 10, Yates corrected
