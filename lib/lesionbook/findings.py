"""What a check came across: one row of the table of checks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check, how often it struck, and what was done about it.

    Attributes
    ----------
    check : str
        What was looked for, as the subject of "how many": ``images without a label``.
    found : int or str
        How many, or the value found.
    treatment : str
        What was done with them.
    """

    check: str
    found: int | str
    treatment: str
