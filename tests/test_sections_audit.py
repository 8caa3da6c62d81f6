import pytest

from lesionbook import params, published_facts
from lesionbook.sections import audit


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(audit.report, "show_table", lambda frame, *, label, **given: found.append((label, frame)))
    monkeypatch.setattr(audit.report, "show_note", lambda text, **given: found.append(("note", text)))
    monkeypatch.setattr(audit.report, "show_figure", lambda figure, *, label, **given: found.append((label, figure)))
    return found


def run(study):
    facts = published_facts.of(study, params.load(study, "paper"))
    audit.whose(facts)
    parts = [audit.accuracies(facts), audit.reports(facts), audit.crosstabs(facts, repeats=200, seed=1)]
    return audit.findings(*parts, audit.arithmetic(facts), audit.sweeps(facts))


@pytest.mark.parametrize(
    ("study", "disagree"),
    [
        ("ham10000-transfer", 10),
        ("isic2019-transfer", 0),
        ("melanoma-cnn", 7),
        ("melanoma-three-classes", 1),
        ("metastasis-architectures", 0),
        ("metastasis-baselines", 3),
        ("my-images", 0),
    ],
)
def test_what_does_not_agree_in_each_study(shown, study, disagree):
    found = run(study)
    assert found["disagree"] == disagree == len(found["figures"])
    labels = [label for label, _ in shown if label != "note"]
    assert len(labels) == len(set(labels))
    assert ("findings" in labels) == bool(disagree)


def test_the_simulation_stands_beside_the_matrix(shown):
    run("ham10000-transfer")
    labels = [label for label, _ in shown]
    assert {"matrix-resnet50v2", "pairing", "possible-vgg16", "report-vgg16", "accuracies", "arithmetic"} <= set(labels)
    said = " ".join(text for label, text in shown if label == "note")
    assert "0.84 stated, 416/998 = 0.4168; images behind ResNet50V2 frozen, stated for test (0.84): 1,007" in said
    assert "of this report is 0.27. Stated for this model and as many images: VGG16 frozen, model.evaluate on" in said
    assert "have 1/7 = 0.14 on average" in said
    assert "Held against others that determine or repeat them: 148 figures; 10 of them do not agree." in said
    assert "the 416 of the matrix lie inside" in said
    (findings,) = [frame for label, frame in shown if label == "findings"]
    assert findings["why it may be"].str.len().min() > 20


def test_what_was_checked_is_counted(shown):
    assert run("isic2019-transfer") == {"checked": 9, "disagree": 0, "figures": []}
    assert ("note", "Held against others that determine or repeat them: 9 figures; all agree.") in shown
    (accuracies,) = [frame for label, frame in shown if label == "accuracies"]
    assert "would fit" not in accuracies, "a column without entries is not shown"


def test_sums_and_products_are_shown_with_their_own_reason(shown):
    nevi = {"figure": "nevi", "stated": 72000, "product_of": (1843, 35), "at_least": True, "why": "more were made"}
    facts = published_facts.Facts(identities=(published_facts.Identity(**nevi),))
    audit.findings(audit.arithmetic(facts))
    (findings,) = [frame for label, frame in shown if label == "findings"]
    assert findings.to_numpy().tolist() == [["nevi (more than)", "72000", "1,843 × 35 = 64,505", "more were made"]]
