"""What a mined transaction really cost: gas, the fee for its data, and the NAV the vault lost."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3

from keeper import abi
from keeper.execution.realised import Realised, realised
from keeper.journal.store import SqliteJournal
from tests.unit.execution.account import SIGNER, attempts, executor_of
from tests.unit.execution.fake_chain import FakeChain
from tests.unit.execution.intents import make_test_intent
from tests.unit.execution.panel_of_three import World
from tests.unit.journal.values import decide

INTENT = make_test_intent()
EVENT = next(e for e in abi.load("Vault") if e.get("name") == "Rebalanced")


def rebalanced(before: int, after: int, **change: Any) -> dict[str, Any]:
    """As the vault of this project emits it: topic and fields from its ABI, not from the code under test."""
    signature = f"Rebalanced({','.join(i['type'] for i in EVENT['inputs'])})"
    return {
        "address": INTENT.to.lower(),
        "topics": [
            Web3.keccak(text=signature).to_0x_hex(),
            INTENT.id,
            "0x" + SIGNER.address[2:].lower().rjust(64, "0"),
        ],
        "data": "0x" + encode(["uint256"] * 4, [before, after, 10**18, 2 * 10**18]).hex(),
        **change,
    }


def mined(chain: FakeChain, journal: SqliteJournal, logs: Any, **more: Any) -> None:
    """Sent, mined with these logs, and followed."""
    executor = executor_of(chain, journal)
    tx_hash = executor.submit(INTENT)
    block = chain.mine(tx_hash)
    chain.receipts[tx_hash] |= {"logs": logs, "blockHash": block.hash, **more}
    executor.follow(block)


@pytest.mark.parametrize(("before", "after"), [(10_000, 9_993), (9_000, 9_004), (5, 5)])
def test_the_nav_that_a_rebalance_cost_is_journalled_with_its_gas(
    chain: FakeChain, journal: SqliteJournal, before: int, after: int
) -> None:
    mined(chain, journal, [{"address": "0x1"}, rebalanced(before, after)], l1Fee="0x2a")
    costs = {c.kind: (c.amount, c.unit) for c in journal.costs(INTENT.id)}
    assert costs["loss"] == (before - after, "asset units")
    assert costs["data fee"] == (42, "wei")
    assert costs["gas"] == (321_000 * (chain.base_fee_wei + 10**9), "wei")


OTHERS: dict[str, Any] = {
    "no logs": None,
    "of another vault": [rebalanced(9, 5, address="0x" + "11" * 20)],
    "of another intent": [rebalanced(9, 5, topics=[rebalanced(9, 5)["topics"][0], "0x01", "0x02"])],
    "NAV was not measured before": [rebalanced(0, 5)],
    "NAV was not measured after": [rebalanced(9, 0)],
    "cut short": [rebalanced(9, 5, data="0x" + "00" * 64)],
    "nonsense": ["0x", 5, {"topics": 3}, {"address": INTENT.to, "topics": [], "data": None}],
}


@pytest.mark.parametrize("logs", OTHERS.values(), ids=OTHERS.keys())
def test_what_tells_no_loss_is_none_and_hinders_nothing(
    chain: FakeChain, journal: SqliteJournal, logs: Any
) -> None:
    mined(chain, journal, logs)
    assert [c.kind for c in journal.costs(INTENT.id)] == ["gas"]


junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["0x", "0xzz", INTENT.to]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["address", "topics", "data", "logs", "l1Fee"]), inner)
    ),
    max_leaves=8,
)


@given(junk)
def test_no_receipt_is_too_odd(receipt: Any) -> None:
    world = World(n=1)
    world.protect()
    (attempt,) = world.book.attempts.values()
    assert all(isinstance(cost, Realised) for cost in realised(attempt, receipt))


def test_a_loss_is_of_the_account_that_signed(chain: FakeChain, journal: SqliteJournal) -> None:
    executor_of(chain, journal).submit(INTENT)
    (attempt,) = attempts(journal)
    told = {"logs": [rebalanced(9, 5)]}
    assert realised(attempt, told) == (("loss", 4, "asset units"),)
    assert realised(replace(attempt, account="0x" + "22" * 20), told) == ()


def test_what_is_included_is_said_once(chain: FakeChain, journal: SqliteJournal) -> None:
    """Two writes tell of it, and the history has one line."""
    intent = decide(journal)
    assert intent is not None
    assert intent.id == INTENT.id
    mined(chain, journal, [])
    notes = [(s.state.value, s.note) for s in journal.history(intent.id)]
    assert notes.count(("included", "mined")) == 1
    record = journal.intent(intent.id)
    assert record is not None
    assert record.block_hash == chain.block.hash


def test_a_transaction_that_is_out_of_the_chain_again_cost_nothing() -> None:
    world = World()
    intent = world.protect()
    world.chain.mine()
    world.lanes.follow(world.chain.head)
    (tx_hash,) = world.book.attempts
    world.book.record_cost(intent.id, tx_hash, "loss", 7, "asset units")
    world.lanes.follow(world.chain.reorganise(1, forgets=True))
    assert world.book.costs == {}
