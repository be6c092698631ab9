"""One endpoint of three may do whatever it likes: what is decided is what the honest ones say, or nothing
is (K-02, K-08)."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.agreement import essence, tally
from keeper.chain.gone import is_gone
from keeper.chain.pool import EndpointPool
from keeper.errors import EndpointError, ReadError, RpcError
from keeper.model.block import BlockStamp
from tests.unit.chain.nodes import (
    CHAIN_ID,
    PRICE,
    Clock,
    Node,
    block,
    block_hash,
    header,
    pool_of,
    price_calls,
)

heights = st.integers(95, 105)
hashes = st.builds(block_hash, heights, st.integers(0, 3))
stamps = st.builds(
    BlockStamp,
    number=st.integers(90, 110) | st.just(10**12),
    hash=hashes,
    parent_hash=hashes,
    timestamp=st.integers(0, 3_000),
    base_fee_wei=st.integers(0, 9),
)
near_truth = st.builds(
    lambda number, changes: replace(block(number), **changes),
    heights,
    st.fixed_dictionaries(
        {}, optional={"timestamp": st.integers(0, 9), "hash": hashes, "parent_hash": hashes}
    ),
)
junk: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.text(max_size=8) | st.just("0x") | st.just({}) | st.just([])
)
words = st.sampled_from(["header not found", "execution reverted", "limit exceeded", "oops"])
errors = st.builds(
    RpcError,
    endpoint=st.just("liar"),
    method=st.just("any"),
    code=st.sampled_from([3, -32000, -32005, 429]),
    message=words,
    data=st.sampled_from(["", "0xdead"]),
)
answers = st.one_of(
    st.just(NotImplemented),
    stamps.map(header),
    near_truth.map(header),
    junk,
    errors,
    st.sampled_from(["0x1", "0xa", "0x7", "0x8", PRICE, "0x" + "ff" * 32]),
    st.just("dies"),
)


class Liar(Node):
    """Answers what it is told to, one answer after the other."""

    def __init__(self, said: list[Any]) -> None:
        super().__init__("liar", height=103)
        self._tales = said
        self._next = 0

    def _answer(self, method: str, params: list[Any]) -> Any:
        said = self._tales[self._next % len(self._tales)]
        self._next += 1
        if said == "dies":
            raise EndpointError(self.name, method, "could not connect")
        return super()._answer(method, params) if said is NotImplemented else said


@given(
    st.lists(answers, min_size=1, max_size=12),
    st.permutations(range(3)),
    st.lists(st.tuples(heights, heights, st.sampled_from([0, 0, 1, 2])), min_size=1, max_size=5),
)
def test_every_decision_is_the_honest_ones_or_the_tick_abstains(
    said: list[Any], order: list[int], seen: list[tuple[int, int, int]]
) -> None:
    """The honest ones may be at different heights, and one or both of them dead at times as well."""
    one, two = Node("one"), Node("two")
    members = [(one, two, Liar(said))[place] for place in order]
    pool: EndpointPool = pool_of(members, clock=Clock(), grace_s=0)
    try:
        for first, second, dead in seen:
            one.height, two.height = first, second
            two.dead, one.dead = dead > 0, dead > 1
            _decide_once(pool, max(first, second))
    finally:
        pool.close()


def _decide_once(pool: EndpointPool, newest: int) -> None:
    try:
        head = pool.head()
        assert head == block(head.number)
        assert head.number <= newest
        assert pool.agreed_batch([("eth_chainId", [])]) == [hex(CHAIN_ID)]
        price, balance = pool.agreed_batch(price_calls(head))
    except ReadError:
        return  # abstained, and says so
    if isinstance(price, RpcError):
        assert "not found" in price.message  # an honest one does not have it yet: no reading either
        return
    assert (price, balance) == (PRICE, "0x7")


@given(st.lists(st.tuples(st.sampled_from(["one", "two", "liar"]), stamps | near_truth)))
def test_an_announced_head_is_decided_only_with_an_honest_witness(
    heard: list[tuple[str, BlockStamp]],
) -> None:
    """Honest ones announce blocks of the chain only; so the liar's are never decided by k = 2."""
    pool = pool_of([Node("one"), Node("two"), Node("liar")], clock=Clock())
    try:
        for name, head in heard:
            said = head if name == "liar" else block(head.number % 1_000)
            decided = pool.announced(name, said)
            assert decided is None or decided == block(decided.number)
    finally:
        pool.close()


said_of_one: st.SearchStrategy[Any] = (
    st.sampled_from([PRICE, "0x" + "ff" * 32, "0x7", "0x8", None, {}]) | errors
)


@given(
    st.dictionaries(st.sampled_from(["one", "two"]), st.sampled_from(["true", "late"])),
    st.none() | st.tuples(said_of_one, said_of_one),
)
def test_whoever_has_answered_so_far_no_decision_is_false(
    honest: dict[str, str], liar: tuple[Any, Any] | None
) -> None:
    """Decisions are made as soon as they can be, without those still to answer."""
    calls = price_calls(block(100))
    late = [RpcError("e", method, -32000, "header not found") for method, _ in calls]
    said = {name: [PRICE, "0x7"] if how == "true" else late for name, how in honest.items()}
    if liar is not None:
        said["liar"] = list(liar)
    answers = {
        name: (results, [essence(m, r) for (m, _), r in zip(calls, results, strict=True)])
        for name, results in said.items()
    }
    found = tally(calls, answers, 2)
    if found.decided is None:
        return
    for result, truth in zip(found.decided, (PRICE, "0x7"), strict=True):
        assert result == truth or (isinstance(result, RpcError) and is_gone(result))
    assert set(found.liars) <= {"liar"}


def test_of_errors_alike_one_that_tells_of_the_call_is_taken() -> None:
    """What two honest nodes call out of gas is not "busy" because a third one was faster."""
    asked = [("eth_call", [{}, {"blockHash": "0x1"}])]
    words = ("busy", "out of gas", "err: out of gas: not enough")
    said = {w: RpcError(w, "eth_call", -32_000, w) for w in words}
    answers = {w: ([e], [essence("eth_call", e)]) for w, e in said.items()}
    (found,) = tally(asked, answers, 2).decided or ()
    assert found is said["out of gas"]
