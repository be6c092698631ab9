"""A strategy that fails in a backtest is one line that names it, the cause and the moment."""

from datetime import UTC, datetime
from typing import Any

import pytest

from keeper.backtest.asked import Asked
from keeper.errors import StrategyError
from tests.unit.app.test_sound import BAD
from tests.unit.backtest.worlds import START, Erratic, run, spec, walk


@pytest.mark.parametrize("strategy", BAD.values(), ids=BAD)
def test_what_a_strategy_does_wrong_ends_the_run_with_its_name(strategy: Any) -> None:
    with pytest.raises(StrategyError) as raised:
        run(walk(3, 1), Asked(strategy, "mine"), spec())
    assert raised.value.strategy == "mine"
    assert raised.value.time == START
    assert f"{datetime.fromtimestamp(START, UTC):%Y-%m-%d %H:%M:%S}" in str(raised.value)


def test_what_it_does_right_passes_as_it_is() -> None:
    plain = run(walk(40, 2), Erratic(2), spec())
    assert run(walk(40, 2), Asked(Erratic(2), "erratic"), spec()).digest == plain.digest
