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
        ("ham10000-transfer", 6),
        ("isic2019-transfer", 0),
        ("melanoma-cnn", 5),
        ("melanoma-three-classes", 1),
        ("metastasis-architectures", 0),
        ("metastasis-baselines", 2),
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
    assert "0.84 is stated and 416/998 = 0.4168 follows" in said
    assert "the 416 of the matrix lie inside" in said
    (findings,) = [frame for label, frame in shown if label == "findings"]
    assert findings["why it may be"].str.len().min() > 20
