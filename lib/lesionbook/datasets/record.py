"""What is known of a data set before a file of it is opened."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """Facts of a data set.

    Attributes
    ----------
    name, title : str
        Key in study files, and the full name.
    classes : dict of str to str
        Class key to its written-out name, in the fixed order of every table and figure.
    counts : dict of str to int
        Images per class in the complete set.
    groups, group_name : int, str
        Number of groups that must stay together in a split, and what they are (``lesion``).
    metadata : tuple of str
        Metadata columns of the table.
    licence, citation, source : str
        Under what terms, how to cite, where it is described.
    kaggle : str
        Handle for the download by kagglehub.
    layout : str
        What the folder must hold, in one sentence.
    """

    name: str
    title: str
    classes: dict[str, str]
    counts: dict[str, int]
    groups: int
    group_name: str
    metadata: tuple[str, ...]
    licence: str
    citation: str
    source: str
    kaggle: str
    layout: str

    @property
    def images(self) -> int:
        """Number of labelled images in the complete set."""
        return sum(self.counts.values())
