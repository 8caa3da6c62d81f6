import threading
import time

import pytest

from lesionbook.serve.batching import Batcher


class Recorded:
    """Answers with the double, remembers its batches, and can be held up."""

    def __init__(self):
        self.batches, self.free = [], threading.Event()
        self.free.set()

    def __call__(self, questions):
        self.free.wait(10)
        self.batches.append(list(questions))
        return [2 * one for one in questions]


@pytest.fixture
def recorded():
    return Recorded()


@pytest.fixture
def batcher(recorded):
    made = Batcher(recorded, largest=4, wait=0.2)
    yield made
    recorded.free.set()
    made.close()


def held_up(recorded, batcher):
    """Let a first question occupy the thread."""
    recorded.free.clear()
    first = batcher.ask(0)
    while not first.running():
        time.sleep(0.001)
    return first


def test_everyone_gets_their_own_answer(recorded, batcher):
    futures = [batcher.ask(number) for number in range(50)]
    assert [future.result(5) for future in futures] == [2 * number for number in range(50)]
    assert [one for batch in recorded.batches for one in batch] == list(range(50))


def test_what_comes_meanwhile_is_answered_together_in_its_order_up_to_the_largest(recorded, batcher):
    held_up(recorded, batcher)
    futures = [batcher.ask(number) for number in range(1, 7)]
    recorded.free.set()
    assert [future.result(5) for future in futures] == [2, 4, 6, 8, 10, 12]
    assert recorded.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_who_is_alone_does_not_wait(batcher):
    start = time.monotonic()
    batcher.ask(1).result(5)
    assert time.monotonic() - start < 0.15


def test_a_batch_waits_for_those_who_are_known_to_come(recorded, batcher):
    with batcher.coming():
        first = batcher.ask(1)
        time.sleep(0.02)
        assert not recorded.batches
        second = batcher.ask(2)
    assert (first.result(5), second.result(5)) == (2, 4)
    assert recorded.batches == [[1, 2]]


def test_it_does_not_wait_for_ever_nor_for_those_who_gave_up(recorded, batcher):
    with batcher.coming():
        start = time.monotonic()
        assert batcher.ask(1).result(5) == 2
        assert 0.1 < time.monotonic() - start < 2
    with batcher.coming():
        asked, start = batcher.ask(3), time.monotonic()
    assert asked.result(5) == 6
    assert time.monotonic() - start < 0.15


def test_a_failure_reaches_those_who_asked_and_nobody_else():
    def moody(questions):
        if 13 in questions:
            raise ValueError("thirteen")
        return questions

    batcher = Batcher(moody, largest=1)
    good, bad, after = batcher.ask(1), batcher.ask(13), batcher.ask(2)
    assert (good.result(5), after.result(5)) == (1, 2)
    with pytest.raises(ValueError, match="thirteen"):
        bad.result(5)
    batcher.close()


def test_too_few_answers_are_a_failure_and_leave_nobody_waiting():
    batcher = Batcher(lambda questions: [])
    with pytest.raises(ValueError, match="zip"):
        batcher.ask(1).result(5)
    batcher.close()


def test_who_went_away_is_not_answered(recorded, batcher):
    held_up(recorded, batcher)
    gone, stayed = batcher.ask(1), batcher.ask(2)
    assert gone.cancel()
    recorded.free.set()
    assert stayed.result(5) == 4
    assert recorded.batches == [[0], [2]]


def test_at_the_end_what_was_asked_is_answered(recorded):
    batcher = Batcher(recorded)
    futures = [batcher.ask(number) for number in range(5)]
    batcher.close()
    assert [future.result(0) for future in futures] == [0, 2, 4, 6, 8]
