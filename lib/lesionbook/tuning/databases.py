"""The database of a search: a file beside its results, or one that several workers share."""

import warnings
from pathlib import Path

import optuna

HEARTBEAT = 60  # seconds between signs of life of a worker that shares its database
PATIENCE = 120  # seconds that a worker waits for others to finish writing


def url(folder: Path, storage: str = "") -> str:
    """URL of the database: the one that is named, or that of a file in a folder."""
    return storage or f"sqlite:///{(folder / 'search.db').resolve().as_posix()}"


def opened(storage: str, *, shared: bool) -> optuna.storages.RDBStorage:
    """Open the database; workers on one file wait for each other."""
    waiting = {"connect_args": {"timeout": PATIENCE}} if storage.startswith("sqlite") else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of the heartbeat
        return optuna.storages.RDBStorage(
            storage, engine_kwargs=waiting, heartbeat_interval=HEARTBEAT if shared else None
        )
