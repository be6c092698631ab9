"""Whatever a chain may answer, the report is one that its schema knows, or one typed error."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import QuantityError
from keeper.model.market import Readings
from keeper.model.risk_report import Standing
from keeper.model.units import Raw, Wad
from keeper.report.risk_json import risk_json
from keeper.report.risk_schema import risk_schema
from keeper.report.risk_text import sections
from keeper.risk.deep import assess_deep
from tests.builders import NOW, make_market, make_readings
from tests.unit.report.schema_check import faults
from tests.unit.risk.books import inputs, series, with_options

SCHEMA = risk_schema()
DECIMALS = st.sampled_from([0, 6, 8, 18, 24])
RAW = st.sampled_from([0, 1, 10**18, 2**255])


@st.composite
def answers(draw: st.DrawFn) -> Readings:
    """Readings that no sane chain gives."""
    readings = make_readings(
        price=draw(st.sampled_from([1e-6, 0.5, 2_000, 1e7])),
        supplied_base=draw(st.sampled_from([0, 1, 1e6])),
        debt_asset=draw(st.sampled_from([0, 1, 2e9])),
        idle_asset=draw(st.sampled_from([0, 1e-3, 1e12])),
        asset_decimals=draw(DECIMALS),
        base_decimals=draw(DECIMALS),
    )
    if draw(st.booleans()):
        odd = replace(
            series(),
            strike_wad=Wad(draw(RAW)),
            mark_mid=Raw(draw(RAW)),
            sold=Raw(draw(RAW)),
            expiry=draw(st.sampled_from([0, NOW, NOW + 10**6, 2**63])),
        )
        value = with_options(series()).options.value
        readings = replace(
            readings, options=replace(readings.options, value=value, positions=(odd,))
        )
    waiting = replace(
        readings.depositors, pending_deposits=Raw(draw(RAW)), pending_redemptions=draw(RAW)
    )
    now = readings.price.price_wad
    price = replace(readings.price, price_wad=draw(st.sampled_from([now, Wad(2**250)])))
    pool = replace(
        readings.pool,
        sqrt_price_x96=draw(st.sampled_from([0, 1, 2**96, 2**159])),
        liquidity=draw(st.sampled_from([0, 1, 2**127])),
    )
    return replace(
        readings,
        depositors=waiting,
        price=price,
        pool=pool,
        idle_base=Raw(draw(RAW)),
        total_shares=draw(RAW),
        measure=draw(st.sampled_from([None, readings.measure])),
    )


@settings(max_examples=150, deadline=None)
@given(readings=answers(), volatility=st.sampled_from([None, 1e-6, 0.8, 10.0]))
def test_any_answer_gives_a_report_of_the_schema_or_names_what_is_wrong(
    readings: Readings, volatility: float | None
) -> None:
    try:
        found = assess_deep(make_market(readings), inputs(volatility))
    except QuantityError:
        return  # one typed error with the field in it
    assert faults(json.loads(risk_json(found)), SCHEMA, SCHEMA) == []
    assert sections(found)
    assert found.standing in set(Standing)
