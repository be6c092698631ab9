"""decode(encode(x)) == x, for everything a tick sees and decides (K-07)."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.journal.codec import CodecError, decode, encode
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane, Refusal, Target, Verdict
from keeper.model.exposure import RiskInputs
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome, TickStatus
from keeper.model.risk import RiskReport
from keeper.model.units import MAX_UINT256, Raw, Wad
from keeper.risk import assess
from tests.builders import make_market, make_readings
from tests.unit.execution.intents import make_test_intent

NUMBERS = st.integers(0, 2**63) | st.integers(0, MAX_UINT256)


@given(
    price=st.just(0.0) | st.floats(0.01, 1e7), idle=st.floats(0, 1e9), decimals=st.integers(0, 24)
)
def test_a_market_state_comes_back_the_same(price: float, idle: float, decimals: int) -> None:
    readings = make_readings(price=price, idle_asset=idle, asset_decimals=decimals)
    market = make_market(readings, faults=("price is 9 s old", "\u20ac \x00 \ud7ff"))
    assert decode(encode(market)) == market
    assert decode(encode(assess(market))) == assess(market)


@given(number=NUMBERS, text=st.text())
def test_integers_and_text_of_any_size_come_back(number: int, text: str) -> None:
    block = BlockStamp(number, text, "0x0", number // 3, number // 7)
    assert decode(encode(block)) == block


@given(
    st.lists(st.builds(Refusal, st.text(), st.text())).map(lambda found: Verdict(tuple(found)))
    | st.builds(
        Target,
        st.sampled_from(Lane),
        st.none() | NUMBERS.map(Wad),
        st.none() | st.integers(-(2**200), 2**200).map(Raw),
        st.text(),
    )
    | st.builds(
        TickOutcome,
        st.integers(0, 2**64),
        st.sampled_from(TickStatus),
        st.text(),
        st.none() | st.text(),
        st.none() | st.text(),
    )
)
def test_decisions_and_outcomes_come_back(value: Verdict | Target | TickOutcome) -> None:
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


def test_an_intent_comes_back_with_its_plan() -> None:
    intent = make_test_intent()
    assert decode(encode(intent)) == intent


@pytest.mark.parametrize("leverage", [math.inf, -math.inf, 0.1 + 0.2, 5e-324, 1.0])
def test_floats_come_back_bit_for_bit(leverage: float) -> None:
    report = RiskReport(
        None, Wad(1), Raw(-5), Raw(0), Raw(0), leverage, None, None, 0.1, has_position=True
    )  # fmt: skip
    assert decode(encode(report)) == report


def test_integers_a_reader_would_round_are_strings() -> None:
    block = BlockStamp(2**53, "a", "b", 2**53 + 1, 0)
    plain = json.loads(encode(block))
    assert (plain["number"], plain["timestamp"]) == (2**53, str(2**53 + 1))


def test_equal_values_give_equal_text() -> None:
    assert encode(make_market()) == encode(make_market())


def test_enums_come_back_as_enums() -> None:
    result = AttemptResult("0x1", "0x2", AttemptStatus.MINED, None, 0, 0)
    assert isinstance(decode(encode(result)).status, AttemptStatus)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "7", "{}", '{"$":"Unknown"}', '{"$":"BlockStamp"}',
        '{"$":"Refusal","rule":"a","message":"b","more":1}', '{"$":"Refusal","rule":1,"message":"b"}',
        '{"$":"Verdict","refusals":7}',
    ],
)  # fmt: skip
def test_text_that_is_no_value_of_ours_is_refused(text: str) -> None:
    with pytest.raises(CodecError):
        decode(text)


def test_what_is_not_of_the_model_is_not_written() -> None:
    with pytest.raises(CodecError, match="no JSON form for object"):
        encode(Verdict((object(),)))  # type: ignore[arg-type]


def test_the_health_that_risk_asks_for_comes_back_bit_for_bit() -> None:
    report = assess(make_market(), RiskInputs(volatility=0.8))
    assert report.collateral is not None
    assert decode(encode(report)) == report


def test_a_report_of_an_older_keeper_is_read_without_what_came_later() -> None:
    plain = json.loads(encode(assess(make_market(), RiskInputs(volatility=0.8))))
    del plain["collateral"]
    assert decode(json.dumps(plain)) == assess(make_market())
    del plain["nav"]
    with pytest.raises(CodecError, match="nav"):
        decode(json.dumps(plain))
