"""What execution decides on is agreed by k of n: one false endpoint of three delays no protection and doubles
nothing, whatever it lies about and wherever it stands (K-08)."""

from collections.abc import Callable
from typing import Any

import pytest

from keeper.errors import ConflictError, ReadError, RpcError
from keeper.execution.simulate import call_data
from keeper.model.decision import Lane
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus
from tests.unit.execution.fake_chain import GWEI, fields_of
from tests.unit.execution.model_chain import SEND
from tests.unit.execution.panel_of_three import SIGNER, Lie, World

S = IntentState
HASHED = "blockHash"
COUNT, BALANCE = "eth_getTransactionCount", "eth_getBalance"
RECEIPT, CALL = "eth_getTransactionReceipt", "eth_call"


def says(method: str, answer: Any, pinned: bool | None = None) -> Lie:
    """One answer to a method; `pinned`: only where it is asked of a block, or only where not."""

    def lie(asked: str, params: list[Any], truth: Any) -> Any:
        at = isinstance(params[-1], dict) and HASHED in params[-1] if params else False
        return answer if asked == method and pinned in (None, at) else truth

    return lie


def receipt(tx_hash: str, **change: Any) -> dict[str, Any]:
    return {
        "transactionHash": tx_hash,
        "blockNumber": hex(101),
        "blockHash": "0x" + "fa" * 32,
        "status": "0x1",
        "gasUsed": hex(100_000),
        "effectiveGasPrice": hex(11 * GWEI),
        **change,
    }


def fabricates(asked: str, params: list[Any], truth: Any) -> Any:
    """A receipt of everything, and a count that goes with it."""
    if asked == RECEIPT:
        return receipt(params[0])
    return "0x1" if asked == COUNT else truth


def final_at_once(asked: str, params: list[Any], truth: Any) -> Any:
    if asked == "eth_getBlockByNumber" and params[0] == "finalized":
        return {**(truth or {}), "number": hex(10**6)}
    return truth


def dear(asked: str, _params: list[Any], truth: Any) -> Any:
    """A history in which nothing under a million gwei was ever enough."""
    if asked != "eth_feeHistory":
        return truth
    tip = hex(10**6 * GWEI)
    return {"baseFeePerGas": [tip, tip], "gasUsedRatio": [1.0], "reward": [[tip] * 4]}


def spelled(change: Callable[[str], str]) -> Lie:
    """The truth in letters that mean the same to a lenient reader, and nothing to a strict one."""

    def anew(truth: Any) -> Any:
        if isinstance(truth, dict):
            return {name: anew(value) for name, value in truth.items()}
        return change(truth) if isinstance(truth, str) and truth.startswith("0x") else truth

    return lambda m, _p, t: anew(t) if m not in {"eth_chainId", SEND} else t


REVERT = RpcError("node", CALL, 3, "execution reverted", "0x12345678")
LIES: dict[str, Lie] = {
    "mined, by a fabricated receipt": fabricates,
    "a receipt of what is in no block": lambda m, p, t: receipt(p[0]) if m == RECEIPT else t,
    "no receipt": says(RECEIPT, None),
    "a reverted receipt": lambda m, p, t: {**t, "status": "0x0"} if m == RECEIPT and t else t,
    "another block": lambda m, p, t: receipt(p[0]) if m == RECEIPT and t else t,
    "nonsense for a receipt": says(RECEIPT, {"blockNumber": "0xzz"}),
    "a nonce too high": says(COUNT, hex(900)),
    "a pinned nonce too high": says(COUNT, hex(900), pinned=True),
    "a pending nonce too high": says(COUNT, hex(900), pinned=False),
    "a nonce too low": says(COUNT, "0x0"),
    "no nonce": says(COUNT, RpcError("node", COUNT, -32000, "out of order")),
    "no funds": says(BALANCE, "0x0"),
    "riches": says(BALANCE, hex(10**30)),
    "the simulation reverts": says(CALL, REVERT),
    "the simulation runs out of gas": says(CALL, RpcError("node", CALL, -32000, "out of gas")),
    "the block is gone": lambda m, p, t: (
        RpcError("node", m, -32000, "header not found") if HASHED in str(p) else t
    ),
    "no block": says("eth_getBlockByHash", None),
    "another base fee": lambda m, p, t: (
        {**t, "baseFeePerGas": hex(10**18)} if m == "eth_getBlockByHash" else t
    ),
    "everything is final": final_at_once,
    "a dear history": dear,
    "any gas is enough": says("eth_estimateGas", hex(21_000)),
    "no gas is enough": says("eth_estimateGas", hex(10**9)),
    "the send is refused": says("eth_sendRawTransaction", RpcError("node", "s", -32000, "nonce too low")),
    "the send is swallowed": says("eth_sendRawTransaction", "0x" + "00" * 32),
    "a history beyond floats": says("eth_feeHistory", {
        "baseFeePerGas": ["0x1", "0x1"], "gasUsedRatio": [10**400], "reward": [["0x1", "0x1"]],
    }),
    "numbers in capitals": spelled(lambda text: "0X" + text[2:]),
    "numbers with blanks": spelled(lambda text: f" {text}"),
    "numbers with lines between": spelled(lambda text: f"{text[:-1]}_{text[-1]}"),
    "numbers without a prefix": spelled(lambda text: text[2:]),
    "nothing but nonsense": lambda m, p, t: "0x" if m != "eth_chainId" else t,
}  # fmt: skip


@pytest.mark.parametrize("standing", [0, 1, 2], ids=["best", "second", "worst"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_one_false_endpoint_of_three_delays_no_protection_and_doubles_nothing(
    lie: Lie, standing: int
) -> None:
    """Sent at its own block, mined in the next, followed to finality; and the next nonce is the next one."""
    world = World()
    world.witnesses[standing].lie = lie
    for turn in range(2):
        intent = world.protect()
        assert any(m.data == call_data(intent) for m in world.chain.pool.values())
        world.block()
        assert world.state(intent) is S.INCLUDED
        record = world.book.intents[intent.id]
        assert (record.block_number, record.block_hash) == (
            world.chain.head.number, world.chain.head.hash,
        )  # fmt: skip
        world.block()
        assert world.state(intent) is S.CONFIRMED, "final only when more than one says so"
        assert world.effects(intent) == 1
        assert world.nonces() == list(range(turn + 1))
    for _ in range(14):
        world.block()
    assert world.state(intent) is S.FINALISED


@pytest.mark.parametrize("standing", [0, 2], ids=["best", "worst"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_what_waits_in_the_pool_is_bumped_and_not_taken_for_mined(lie: Lie, standing: int) -> None:
    world = World()
    world.witnesses[standing].lie = lie
    intent = world.protect()
    for _ in range(3):
        world.block(takes=False)
    assert world.state(intent) is S.ATTEMPTED
    caps = [fields_of(a.raw)["cap"] for a in world.book.attempts.values()]
    assert len(caps) > 1, "it was replaced"
    assert caps == sorted(caps)
    assert set(world.nonces()) == {0}
    world.block()
    assert world.state(intent) is S.INCLUDED
    assert world.effects(intent) == 1


@pytest.mark.parametrize("standing", [0, 2], ids=["best", "worst"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_after_a_reorganisation_it_is_mined_once_more_and_only_once(
    lie: Lie, standing: int
) -> None:
    world = World()
    world.witnesses[standing].lie = lie
    intent = world.protect()
    world.block()
    world.lanes.follow(world.chain.reorganise(1, forgets=True))
    assert world.state(intent) is S.ATTEMPTED
    world.block()
    assert (world.state(intent), world.effects(intent)) == (S.INCLUDED, 1)


PINNED_LIES = {
    "counts": (says(COUNT, hex(900), pinned=True), says(COUNT, hex(901), pinned=True)),
    "simulations": (says(CALL, REVERT), says(CALL, "0x" + "ab" * 32)),
    "balances": (says(BALANCE, "0x0"), says(BALANCE, "0x1")),
    "headers": (LIES["another base fee"], says("eth_getBlockByHash", {"number": "0x1"})),
}


@pytest.mark.parametrize("lies", PINNED_LIES.values(), ids=PINNED_LIES.keys())
def test_two_that_lie_differently_hold_it_and_say_so(
    lies: tuple[Lie, Lie], capsys: pytest.CaptureFixture[str]
) -> None:
    """K-12: nothing is guessed, signed or sent; once one of them is honest again, protection goes out."""
    world = World()
    world.witnesses[0].lie, world.witnesses[1].lie = lies
    intent = world.intend()
    with pytest.raises(ConflictError, match="disagree"):
        world.lanes.submit(intent)
    assert "endpoints disagree" in "".join(capsys.readouterr())
    assert (world.nonces(), world.sends()) == ([], 0)
    world.witnesses[1].lie = lambda _m, _p, truth: truth
    world.lanes.submit(intent)
    world.block()
    assert world.effects(intent) == 1


def test_two_that_lie_differently_about_what_is_in_flight_change_nothing_of_it() -> None:
    world = World()
    intent = world.protect()
    world.witnesses[0].lie, world.witnesses[1].lie = PINNED_LIES["counts"]
    before = dict(world.book.attempts)
    with pytest.raises(ConflictError):
        world.block()
    assert (world.state(intent), world.book.attempts) == (S.ATTEMPTED, before)


def test_receipts_on_which_nobody_agrees_are_not_no_receipt() -> None:
    """The nonce is used; that long patience ends is no reason to call it lost, as long as answers differ."""
    world = World()
    intent = world.protect()
    world.witnesses[0].lie = LIES["no receipt"]
    world.witnesses[1].lie = LIES["another block"]
    for _ in range(8):
        world.block()
        assert world.state(intent) is S.ATTEMPTED
    world.witnesses[1].lie = lambda _m, _p, truth: truth
    world.block()
    assert world.state(intent) in {S.INCLUDED, S.CONFIRMED}


def test_whoever_contradicts_the_others_at_a_pinned_block_is_left_out() -> None:
    world = World()
    world.witnesses[0].lie = LIES["the simulation reverts"]
    world.protect()
    assert [s.fault for s in world.pool.states()] == ["lying", "", ""]


def test_two_receipts_of_one_block_cannot_both_be_right() -> None:
    world = World()
    world.protect()
    world.witnesses[2].lie = LIES["a reverted receipt"]
    world.block()
    assert [s.fault for s in world.pool.states()] == ["", "", "lying"]
    (attempt,) = world.book.attempts.values()
    assert attempt.status is AttemptStatus.MINED


def test_an_endpoint_that_is_a_block_behind_or_dead_delays_nothing() -> None:
    world = World()
    world.witnesses[0].dead = True
    intent = world.protect()
    world.block()
    assert world.state(intent) is S.INCLUDED


def test_the_routine_lane_holds_where_protection_would_too() -> None:
    world = World()
    world.witnesses[0].lie, world.witnesses[1].lie = PINNED_LIES["balances"]
    with pytest.raises(ReadError):
        world.lanes.submit(world.intend(Lane.ROUTINE))
    assert world.sends() == 0


def test_one_endpoint_is_asked_what_it_was_always_asked() -> None:
    """No vote, no second request: one batch to simulate, one to send, one a block in flight."""
    world = World(n=1)
    (only,) = world.witnesses
    world.protect()
    world.chain.mine()
    world.executor.follow(world.chain.head)
    shape = [[method for method, _ in calls] for calls in only.asked]
    assert shape == [
        ["eth_getBlockByHash", CALL, BALANCE, COUNT, COUNT, "eth_feeHistory"],
        ["eth_sendRawTransaction"],
        [COUNT, RECEIPT],
    ]


def test_three_endpoints_are_each_asked_once_for_it() -> None:
    world = World()
    world.protect()
    for witness in world.witnesses:
        asked = [calls for calls in witness.asked if calls[0][0] != "eth_chainId"]
        assert [len(calls) for calls in asked] == [6, 1]
        *agreed, pending, history = asked[0]
        for _, params in agreed:  # a vote on what is not pinned would be lost to every new head
            assert world.chain.head.hash in str(params)
        assert (pending[1][1], history[0]) == ("pending", "eth_feeHistory")


def test_a_person_speeds_up_at_a_block_that_more_than_one_knows() -> None:
    world = World()
    intent = world.protect()
    world.witnesses[0].lie = lambda m, p, t: (
        {**t, "number": hex(10**9), "baseFeePerGas": hex(10**15)}
        if m == "eth_getBlockByNumber" else t
    )  # fmt: skip
    world.lanes.speed_up(intent.id)
    newest = list(world.book.attempts.values())[-1]
    assert newest.signed_block == world.chain.head.number
    assert newest.max_fee_wei < 100 * GWEI
    assert newest.account == SIGNER.address
