"""An order outlives either process, is answered once, and is not carried out long after it was given."""

from pathlib import Path

import pytest

from keeper.errors import RejectedError
from keeper.ops.requests import GOOD_FOR_S, Request, Requests

INTENT = "0x" + "ab" * 32


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def requests(tmp_path: Path, clock: Clock) -> Requests:
    return Requests(tmp_path / "requests", clock)


def test_an_order_waits_for_another_process_and_its_answer_comes_back(
    requests: Requests, tmp_path: Path, clock: Clock
) -> None:
    order = requests.ask("cancel", INTENT)
    assert requests.answer(order) is None
    keeper = Requests(tmp_path / "requests", clock)
    assert keeper.waiting() == (order,)
    keeper.carry_out(lambda request: f"{request.action} of {request.intent_id[:4]}")
    answer = requests.answer(order)
    assert answer is not None
    assert (answer.done, answer.text) == (True, "cancel of 0xab")
    assert keeper.waiting() == ()


def test_orders_are_carried_out_in_their_order_and_once(requests: Requests, clock: Clock) -> None:
    asked = []
    for action in ("cancel", "speed-up", "abandon"):
        asked.append(requests.ask(action, INTENT))
        clock.now += 1
    done: list[Request] = []

    def act(request: Request) -> str:
        done.append(request)
        return "done"

    for _ in range(2):
        requests.carry_out(act)
    assert done == asked


def test_what_cannot_be_done_is_an_answer_and_does_not_stop_the_next(requests: Requests) -> None:
    orders = requests.ask("cancel", INTENT), requests.ask("abandon", INTENT)

    def act(request: Request) -> str:
        if request == orders[0]:
            raise RejectedError("0x", "nothing to replace")
        return "abandoned"

    requests.carry_out(act)
    first, second = (requests.answer(order) for order in orders)
    assert first is not None
    assert second is not None
    assert (first.done, second.done) == (False, True)
    assert "nothing to replace" in first.text


def test_an_unexpected_fault_leaves_the_order_for_the_next_start(requests: Requests) -> None:
    order = requests.ask("cancel", INTENT)
    with pytest.raises(ZeroDivisionError):
        requests.carry_out(lambda _: str(1 // 0))
    assert requests.waiting() == (order,)


def test_an_old_order_is_refused(requests: Requests, clock: Clock) -> None:
    order = requests.ask("cancel", INTENT)
    clock.now += GOOD_FOR_S + 1
    requests.carry_out(lambda _: "carried out")
    answer = requests.answer(order)
    assert answer is not None
    assert not answer.done
    assert "give it again" in answer.text


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", "\x00", '{"id":1,"action":"cancel","intent_id":"x","asked_at":1}'),
        '{"id":"a","action":"send","intent_id":"x","asked_at":1}',
    ],
)
def test_what_is_no_order_is_left_alone(requests: Requests, tmp_path: Path, content: str) -> None:
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "x.json").write_text(content)
    assert requests.carry_out(lambda _: "carried out") == ()


def test_answers_are_forgotten_after_a_day(
    requests: Requests, tmp_path: Path, clock: Clock
) -> None:
    old = requests.ask("cancel", INTENT)
    requests.carry_out(lambda _: "done")
    clock.now += 90_000
    requests.ask("cancel", INTENT)
    requests.carry_out(lambda _: "done")
    assert requests.answer(old) is None
    assert len(list((tmp_path / "requests").iterdir())) == 1
