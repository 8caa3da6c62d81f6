import os
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import psutil
import pytest

from lesionbook import processes
from lesionbook.errors import LesionbookError


def slow_square(number, where):
    time.sleep(0.02 * (number % 3))
    (Path(where) / f"{number}-{os.getpid()}").touch()
    return number**2


def fail(number):
    if number == 3:
        raise LesionbookError("three.")
    return number


def die(number):
    if number == 2:
        os._exit(9)
    return number


@pytest.fixture(autouse=True)
def _three_cores(monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 3)


def test_results_come_in_order_from_several_processes_that_end(tmp_path):
    assert list(processes.in_order(partial(slow_square, where=tmp_path), list(range(20)))) == [k**2 for k in range(20)]
    workers = {int(name.name.split("-")[1]) for name in tmp_path.iterdir()}
    assert len(workers) > 1 and os.getpid() not in workers
    assert not any(psutil.pid_exists(worker) for worker in workers)


def test_one_item_is_worked_on_here(tmp_path):
    assert list(processes.in_order(partial(slow_square, where=tmp_path), [5])) == [25]
    assert [name.name for name in tmp_path.iterdir()] == [f"5-{os.getpid()}"]
    assert list(processes.in_order(fail, [])) == []


def test_no_more_is_begun_than_can_be_fetched_soon(tmp_path):
    with closing(processes.in_order(partial(slow_square, where=tmp_path), list(range(100)))) as results:
        assert next(results) == 0
        time.sleep(0.5)
        assert len(list(tmp_path.iterdir())) <= 7, "one fetched, two per process"
    time.sleep(0.2)
    assert len(list(tmp_path.iterdir())) <= 7, "a closed list begins nothing more"


def test_errors_come_through_and_a_dead_process_is_named():
    with pytest.raises(LesionbookError, match=r"^three\.$"):
        list(processes.in_order(fail, list(range(9))))
    with pytest.raises(LesionbookError, match=r"^One of several processes died, .*; run fewer notebooks"):
        list(processes.in_order(die, list(range(9))))


def test_pieces_are_neither_many_nor_long():
    assert processes.parted([]) == []
    assert [len(piece) for piece in processes.parted(list(range(20)))] == [8, 8, 4]
    assert len(processes.parted(list(range(1000)))) == 33
    long = processes.parted(list(range(100_000)))
    assert max(map(len, long)) == 64 and [k for piece in long for k in piece] == list(range(100_000))
    assert max(map(len, processes.parted(list(range(1000)), 5))) == 5
