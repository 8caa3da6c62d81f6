"""Catches what a section shows, so that a test can read its numbers."""

from lesionbook import report


class Caught:
    """What was shown: tables, figures and captions by label, notes in their order."""

    def __init__(self):
        self.tables, self.figures, self.captions, self.notes = {}, {}, {}, []


def caught(monkeypatch):
    found = Caught()

    def table(frame, *, label, caption, **given):
        assert label not in found.tables, f"two tables {label!r}"
        found.tables[label], found.captions["tbl-" + label] = frame, caption

    def figure(drawn, *, label, caption, alt):
        assert label not in found.figures, f"two figures {label!r}"
        assert alt
        found.figures[label], found.captions["fig-" + label] = drawn, caption

    monkeypatch.setattr(report, "show_table", table)
    monkeypatch.setattr(report, "show_figure", figure)
    monkeypatch.setattr(report, "show_note", lambda text, **given: found.notes.append(text))
    return found


def parts(text):
    """Numbers of ``0.713 (0.650–0.769)`` or ``+0.100 (+0.050 to +0.150)``."""
    plain = text.replace("\u00a0", " ").replace("−", "-").replace("+", "").rstrip(")")
    estimate, ends = plain.split(" (")
    return [float(estimate), *(float(end) for end in ends.replace(" to ", "–").split("–"))]
