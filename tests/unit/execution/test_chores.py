"""Chores are called as the contracts declare them, and each is an intent of its own."""

import pytest
from eth_abi.abi import decode
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.execution.intents import make_intent
from keeper.execution.simulate import call_data
from keeper.journal.codec import decode as read_back
from keeper.journal.codec import encode as write_down
from keeper.model.decision import (
    CancelAuction,
    Chore,
    Collect,
    CreateSeries,
    Lane,
    Observe,
    ProvePrice,
    RecordPrice,
    ResolvePrice,
)
from keeper.model.desk import Straddle
from tests.builders import make_readings
from tests.desk_builders import BOOK, DESK, SETTLEMENT, VOLATILITY, series

CALL = series()
PAIR = "(uint80,uint80)"
CASES: list[tuple[Chore, str, str, list[str], tuple[object, ...]]] = [
    (
        CreateSeries(BOOK, CALL),
        BOOK,
        "create",
        ["(address,address,address,uint64,bool,uint128,uint128)"],
        ((CALL.base, CALL.quote, CALL.oracle, CALL.expiry, True, CALL.strike_wad, 0),),
    ),
    (CancelAuction(DESK, 4), DESK, "cancel", ["uint256"], (4,)),
    (Collect(DESK, CALL.id), DESK, "collect", ["uint256"], (int(CALL.id),)),
    (Observe(VOLATILITY, 9), VOLATILITY, "observe", [], ()),
    (RecordPrice(SETTLEMENT, 5), SETTLEMENT, "record", ["uint64"], (5,)),
    (
        ProvePrice(SETTLEMENT, 5, Straddle(1, 2), Straddle(3, 4)),
        SETTLEMENT,
        "prove",
        ["uint64", PAIR, PAIR],
        (5, (1, 2), (3, 4)),
    ),
    (ResolvePrice(SETTLEMENT, 5), SETTLEMENT, "resolve", ["uint64"], (5,)),
]


@pytest.mark.parametrize(("chore", "to", "name", "types", "values"), CASES)
def test_a_chore_is_one_call_to_its_contract(
    chore: Chore, to: str, name: str, types: list[str], values: tuple[object, ...]
) -> None:
    intent = make_intent(chore, make_readings(), 0, 120)
    data = bytes.fromhex(call_data(intent)[2:])
    assert intent.to == to
    assert intent.lane is Lane.ROUTINE
    assert data[:4] == function_signature_to_4byte_selector(f"{name}({','.join(types)})")
    assert decode(types, data[4:]) == values
    assert intent.gas_limit_estimate > 21_000
    assert intent.reason


def test_every_chore_has_an_id_of_its_own_and_can_be_read_back() -> None:
    intents = [make_intent(chore, make_readings(), 0, 120) for chore, *_ in CASES]
    assert len({intent.id for intent in intents}) == len(CASES)
    assert [read_back(write_down(intent)) for intent in intents] == intents
