"""A stop that is asked for politely."""

import threading
from typing import Any

from keeper.app.drain import drain
from keeper.errors import EndpointError
from keeper.model.block import BlockStamp


class Flying:
    """In flight until a number of looks."""

    def __init__(self, looks: int, fails: int = 0) -> None:
        self.left, self.fails, self.looked = looks, fails, 0

    def in_flight(self, lane: Any = None) -> int:
        return int(self.left > 0)

    def follow(self, block: BlockStamp) -> tuple[()]:
        self.looked += 1
        if self.fails:
            self.fails -= 1
            raise EndpointError("e", "m", "is away")
        self.left -= 1
        return ()


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


BLOCK = BlockStamp(1, "0x1", "0x0", 1, 1)


def test_a_stop_waits_for_what_is_in_flight_and_starts_nothing() -> None:
    time, flying = Time(), Flying(5)
    assert drain(flying, lambda: BLOCK, 60.0, now=time, wait=time.wait) == 0
    assert flying.looked == 5


def test_a_stop_waits_no_longer_than_it_may() -> None:
    time, flying = Time(), Flying(10_000)
    assert drain(flying, lambda: BLOCK, 60.0, now=time, wait=time.wait) == 1
    assert 60.0 <= time.now < 63.0


def test_a_look_that_fails_is_tried_again() -> None:
    time, flying = Time(), Flying(2, fails=3)
    assert drain(flying, lambda: BLOCK, 60.0, now=time, wait=time.wait) == 0


def test_with_nothing_in_flight_a_stop_is_at_once() -> None:
    time, flying = Time(), Flying(0)
    assert drain(flying, lambda: BLOCK, 60.0, now=time, wait=time.wait) == 0
    assert (flying.looked, time.now) == (0, 0.0)


def test_a_second_order_to_stop_ends_the_wait() -> None:
    time, flying, hurry = Time(), Flying(100), threading.Event()
    hurry.set()
    assert drain(flying, lambda: BLOCK, 60.0, now=time, wait=time.wait, hurry=hurry) == 1
    assert flying.looked == 0
