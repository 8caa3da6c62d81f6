"""What is known of a data set before a file of it is opened."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Record:
    """Facts of a data set.

    Attributes
    ----------
    name, title : str
        Key in study files, and the full name.
    subject : str
        What the images show, as the end of the sentence "they only resemble …".
    classes : dict of str to str
        Class key to its written-out name, in the fixed order of every table and figure; empty where each folder has
        classes of its own.
    counts : dict of str to int
        Images per class in the complete set; empty like the classes.
    groups : int or None
        Number of groups that must stay together in a split, None where that is not published.
    group_name, grouping : str
        What a group is (``lesion``), and in one sentence what is known of groups.
    artefacts, limits : str
        What in the images has nothing to do with the class, as the end of "look for …"; and in whole sentences what the
        collection cannot tell.
    metadata : tuple of str
        Metadata columns that the table may have, in their order.
    known_before : tuple of str
        Those of them that are known before the diagnosis, so that a model may be told them.
    licence, citation, source : str
        Under what terms, how to cite, where it is described.
    kaggle : str
        Handle for the download by kagglehub, empty where there is nothing to download.
    layout : str
        What the folder must hold, in one sentence.
    original : dict of str to str
        Column of the table to its name in the data set's own file, where it is another.
    competition : bool
        Whether the handle is that of a Kaggle competition, whose rules must be accepted first, not of a data set.
    checksums : dict of str to str
        Published MD5 checksums by file name.
    """

    name: str
    title: str
    subject: str
    classes: dict[str, str]
    counts: dict[str, int]
    groups: int | None
    group_name: str
    grouping: str
    artefacts: str
    limits: str
    metadata: tuple[str, ...]
    licence: str
    citation: str
    source: str
    kaggle: str
    layout: str
    original: dict[str, str] = field(default_factory=dict)
    known_before: tuple[str, ...] = ()
    competition: bool = False
    checksums: dict[str, str] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """Number of labelled images in the complete set."""
        return sum(self.counts.values())
