"""Reading CSV files as they come: separators, encodings, renamed columns, doubtful values."""

import difflib
import io
import warnings
from pathlib import Path

import pandas as pd

from lesionbook import paths
from lesionbook.errors import LesionbookError
from lesionbook.findings import Finding

SEPARATORS = {",": "", ";": "semicolon", "\t": "tab"}


def read(path: Path, columns: list[str]) -> tuple[pd.DataFrame, list[Finding]]:
    """Read a CSV file whatever its separator (comma, semicolon, tab) and encoding (UTF-8, UTF-16, Windows-1252).

    Parameters
    ----------
    path : Path
        The file.
    columns : list of str
        Columns that must be there; others are read as well.

    Returns
    -------
    frame : DataFrame
        Every value as str, gaps as missing.
    findings : list of Finding
        One, where separator or encoding is not the usual one.

    Raises
    ------
    LesionbookError
        If it is no such file, a column is missing, or there are no rows.
    """
    text, encoding = _text(path)
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the header would lose its end
            frame = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, index_col=False, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame(columns=columns)
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = str(error).strip().splitlines()[-1].rstrip(".")
        raise LesionbookError(f"{paths.relative(path)}: not a sound CSV file ({reason}); correct that line.") from error
    frame.columns = frame.columns.str.strip()
    require(frame, columns, path)
    frame = frame.dropna(how="all", ignore_index=True)  # spreadsheets leave empty rows at the end
    if frame.empty:
        raise LesionbookError(f"{paths.relative(path)}: no rows; put the complete file there.")
    unusual = ", ".join(filter(None, (SEPARATORS[separator], encoding)))
    return frame, [Finding(f"separator or encoding of {path.name}", unusual, "read as it is")] if unusual else []


def require(frame: pd.DataFrame, columns: list[str], path: Path) -> None:
    """Stop if a column is missing, naming the one that may be meant."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        others = {name.lower(): name for name in frame.columns if name not in columns}
        close = difflib.get_close_matches(missing[0].lower(), others, n=1, cutoff=0.5)
        hint = f" (did you mean {others[close[0]]!r}? then rename it)" if close else ""
        raise LesionbookError(
            f"{paths.relative(path)}: column {missing[0]!r} is missing{hint}; expected {', '.join(columns)}."
        )


def check_ids(ids: pd.Series, path: Path) -> None:
    """Stop if an id is missing or stands twice."""
    if ids.isna().any():
        row = int(ids.isna().to_numpy().argmax()) + 1
        raise LesionbookError(
            f"{paths.relative(path)}: {ids.name} is empty in row {row}; fill it in or delete the row."
        )
    twice = ids[ids.duplicated()]
    if len(twice):
        raise LesionbookError(
            f"{paths.relative(path)}: {ids.name} {twice.iloc[0]!r} stands twice; keep one row per image."
        )


def check_labels(labels: pd.Series, classes: list[str], path: Path) -> None:
    """Stop if a label is none of the classes."""
    unknown = sorted(set(labels.fillna("")) - set(classes))
    if unknown:
        raise LesionbookError(
            f"{paths.relative(path)}: {labels.name} {unknown[0]!r} is none of {', '.join(classes)}; correct the row."
        )


def numbers(values: pd.Series) -> tuple[pd.Series, list[Finding]]:
    """Texts as float; ``unknown`` and gaps become NaN, as does what is no number, which is counted."""
    plain = values.str.replace(",", ".").mask(values.str.lower() == "unknown")
    numeric = pd.to_numeric(plain, errors="coerce").astype(float)
    strange = int((numeric.isna() & plain.notna()).sum())
    found = [Finding(f"values of {values.name} that are no number", strange, "treated as not recorded")]
    return numeric, found if strange else []


def one_hot(marks: pd.DataFrame, path: Path) -> pd.Series:
    """Turn columns of 0 and 1 into the name of the one column that is marked.

    Parameters
    ----------
    marks : DataFrame of numbers
        One column per class, indexed by image id.
    path : Path
        The file they come from.

    Raises
    ------
    LesionbookError
        If a row marks no class, more than one, or holds another value than 0 and 1.
    """
    wrong = ~marks.isin([0, 1]).all(axis=1) | (marks.sum(axis=1) != 1)
    if wrong.any():
        image = marks.index[wrong][0]
        values = ", ".join(f"{name} {value:g}" for name, value in marks.loc[image].items() if value > 0)
        raise LesionbookError(
            f"{paths.relative(path)}: the row of {image} does not mark one class with 1 and the others with 0 "
            f"({values or 'none marked'}); correct the row."
        )
    return marks.idxmax(axis=1)


def _text(path: Path) -> tuple[str, str]:
    """Content of a text file and the name of its encoding, empty for plain UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LesionbookError(
            f"{paths.relative(path)}: cannot be read ({error.strerror}); check its permissions."
        ) from error
    if content.startswith(b"\xef\xbb\xbf"):
        candidates = {"utf-8-sig": "UTF-8 with byte-order mark"}
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = {"utf-16": "UTF-16"}
    elif b"\0" in content[:2]:  # no byte-order mark, but every second byte of Latin text is zero
        candidates = {"utf-16-be" if content[:1] == b"\0" else "utf-16-le": "UTF-16"}
    else:
        candidates = {"utf-8": "", "cp1252": "Windows-1252"}
    for encoding, name in candidates.items():
        try:
            return content.decode(encoding), name
        except UnicodeDecodeError:
            continue
    raise LesionbookError(
        f"{paths.relative(path)}: not text in UTF-8, UTF-16 or Windows-1252; save it as CSV in UTF-8."
    )
