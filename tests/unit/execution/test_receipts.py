"""A receipt is believed only as far as the transaction that was signed can have it."""

from dataclasses import replace
from typing import Any

import pytest

from keeper.errors import EndpointError
from keeper.execution.receipts import result_of
from keeper.model.outcome import AttemptStatus
from keeper.model.units import Wei
from tests.unit.journal.values import ATTEMPT

SIGNED = replace(ATTEMPT, gas_limit=500_000, max_fee_wei=Wei(10**11))


def receipt(**changes: Any) -> dict[str, Any]:
    return {
        "transactionHash": SIGNED.tx_hash,
        "blockNumber": "0x7",
        "blockHash": "0xAB",
        "status": "0x1",
        "gasUsed": hex(SIGNED.gas_limit),
        "effectiveGasPrice": hex(SIGNED.max_fee_wei),
        **changes,
    }


def test_gas_up_to_what_was_signed_is_believed() -> None:
    found = result_of(SIGNED, receipt(), "node")
    assert found is not None
    assert (found.status, found.gas_used, found.gas_price_wei) == (
        AttemptStatus.MINED,
        500_000,
        10**11,
    )
    assert found.block_hash == "0xab"


@pytest.mark.parametrize(
    "change", [{"gasUsed": hex(500_001)}, {"effectiveGasPrice": hex(10**11 + 1)}]
)
def test_more_gas_than_was_signed_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(EndpointError, match="more than was signed"):
        result_of(SIGNED, receipt(**change), "node")


def test_what_waits_has_no_receipt_and_another_transactions_is_refused() -> None:
    assert result_of(SIGNED, None, "node") is None
    assert result_of(SIGNED, receipt(blockNumber=None), "node") is None
    with pytest.raises(EndpointError, match="another transaction"):
        result_of(SIGNED, receipt(transactionHash="0xbb"), "node")
