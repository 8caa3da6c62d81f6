"""From an executed notebook to what people read: HTML, PDF and the index over all reports."""

from importlib import resources


def asset(name: str) -> str:
    """Read a text file of ``assets``."""
    return resources.files(__name__).joinpath("assets", name).read_text(encoding="utf-8").strip()
