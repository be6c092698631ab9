"""Several endpoints decide together what one of them cannot decide wrong (K-02, K-08, K-12)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from keeper.chain.budget import RateBudget
from keeper.chain.pool import EndpointPool, PoolMember
from keeper.chain.standing import EndpointState, Fault, Role
from keeper.errors import (
    ConflictError,
    EndpointError,
    QuorumError,
    ReadError,
    RpcError,
    WrongChainError,
)
from tests.unit.chain.nodes import (
    CHAIN_ID,
    PRICE,
    RAW,
    Clock,
    Node,
    block,
    header,
    nodes,
    pool_of,
    price_calls,
)

FALSE_PRICE = "0x" + "ff" * 32


@contextmanager
def pooled(*members: Node | PoolMember, **options: Any) -> Iterator[EndpointPool]:
    found = pool_of(members, **options)
    try:
        yield found
    finally:
        found.close()


def state(pool: EndpointPool, name: str) -> EndpointState:
    return next(s for s in pool.states() if s.name == name)


def lying_in_price(node: Node) -> None:
    node.lies = lambda method, _: FALSE_PRICE if method == "eth_call" else NotImplemented


# heads


def test_the_head_is_the_block_that_the_majority_holds() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        assert (pool.k, pool.n) == (2, 3)
        assert pool.head() == block(100)


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_one_dead_endpoint_of_three_changes_nothing(dead: int) -> None:
    """K-08."""
    members = nodes()
    members[dead].dead = True
    with pooled(*members) as pool:
        head = pool.head()
        assert head == block(100)
        assert pool.agreed_batch(price_calls(head)) == [PRICE, "0x7"]


def test_two_dead_endpoints_of_three_leave_nothing_to_decide_on() -> None:
    """K-02: agreed, or not at all."""
    a, b, c = nodes()
    b.dead = c.dead = True
    with pooled(a, b, c) as pool, pytest.raises(QuorumError, match="1 endpoints answered and 2"):
        pool.head()


@pytest.mark.parametrize("behind", [1, 3, 50])
def test_a_stale_endpoint_does_not_hold_the_head_back(behind: int) -> None:
    a, b, c = nodes()
    c.height -= behind
    with pooled(a, b, c) as pool:
        assert pool.head() == block(100)


def test_an_endpoint_ahead_is_not_believed_alone() -> None:
    a, b, c = nodes()
    a.height = 101
    with pooled(a, b, c) as pool:
        assert pool.head() == block(100)


def test_endpoints_at_different_heights_agree_on_what_both_have() -> None:
    a, b, c = nodes()
    a.height, c.dead = 102, True
    with pooled(a, b, c) as pool:
        assert pool.head() == block(100)


def test_an_invented_height_moves_nothing() -> None:
    a, b, c = nodes()
    c.lies = lambda method, params: (
        header(block(10**9)) if params[:1] == ["latest"] else NotImplemented
    )
    with pooled(a, b, c) as pool:
        assert pool.head() == block(100)


def test_two_against_two_is_a_conflict_that_is_said_aloud() -> None:
    """K-12."""
    a, b = nodes(2)
    b.fork = 9
    says = r"node0: block 100 .* against node1: block 100"
    with pooled(a, b) as pool, capture_logs() as logs, pytest.raises(ConflictError, match=says):
        pool.head()
    assert [e["event"] for e in logs if e["log_level"] == "error"] == ["endpoints disagree"]


def test_a_head_is_never_older_than_the_last_while_somebody_is_beyond() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        pool.head()
        b.height, c.dead = 60, True
        with pytest.raises(QuorumError, match="block 100 was decided and only 60 is agreed on"):
            pool.head()


def test_a_chain_that_was_rolled_back_everywhere_is_followed() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        pool.head()
        for node in (a, b, c):
            node.height = 97
        assert pool.head() == block(97)


def test_a_lie_in_a_header_of_the_right_hash_is_outvoted_and_left_out() -> None:
    """The time of a block decides what is stale: it is agreed on with the hash."""
    a, b, c = nodes()
    c.lies = lambda method, _: (
        header(replace(block(100), timestamp=1)) if "Block" in method else NotImplemented
    )
    with pooled(a, b, c) as pool:
        assert pool.head() == block(100)
        assert state(pool, "node2").fault is Fault.LYING


def test_an_endpoint_on_another_fork_is_left_out_after_three_heads() -> None:
    a, b, c = nodes()
    c.fork, c.forked_at = 5, 90
    with pooled(a, b, c) as pool:
        for number in range(101, 106):
            a.height = b.height = c.height = number
            assert pool.head() == block(number)
        assert state(pool, "node2").fault is Fault.FORKED


def test_an_endpoint_of_another_chain_is_left_out_before_its_first_word() -> None:
    a, b, c = nodes()
    c.lies = lambda method, _: "0xa" if method == "eth_chainId" else NotImplemented
    with pooled(a, b, c) as pool, capture_logs() as logs:
        assert pool.head() == block(100)
        assert state(pool, "node2").fault is Fault.WRONG_CHAIN
    assert ["eth_getBlockByNumber"] not in c.asked
    assert "serves chain id 10" in str(logs)


def test_endpoints_that_all_serve_another_chain_are_named_so() -> None:
    members = nodes()
    for node in members:
        node.lies = lambda method, _: "0xa" if method == "eth_chainId" else NotImplemented
    with pooled(*members) as pool, pytest.raises(WrongChainError, match="chain id 10"):
        pool.head()


def test_heads_announced_by_k_endpoints_are_news_once() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        assert pool.announced("node0", block(101)) is None
        assert pool.announced("node0", block(101)) is None
        assert pool.announced("node1", block(101)) == block(101)
        assert pool.announced("node2", block(101)) is None


def test_an_announced_header_counts_only_alike_in_every_field() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        pool.announced("node0", replace(block(101), timestamp=1))
        assert pool.announced("node1", block(101)) is None


# reads that are decided on


def test_a_false_price_is_outvoted_and_its_endpoint_left_out_aloud() -> None:
    """K-08: at the right hash there is no honest reason to differ."""
    a, b, c = nodes()
    lying_in_price(c)
    with pooled(a, b, c) as pool, capture_logs() as logs:
        head = pool.head()
        assert pool.agreed_batch(price_calls(head)) == [PRICE, "0x7"]
        assert state(pool, "node2").fault is Fault.LYING
    (said,) = [e for e in logs if e["log_level"] == "error"]
    assert (said["endpoint"], said["fault"]) == ("node2", "lying")


def test_whoever_lied_is_left_out_for_a_time_and_twice_as_long_the_next() -> None:
    clock = Clock()
    a, b, c = nodes()
    lying_in_price(c)
    pauses = []
    with pooled(a, b, c, clock=clock) as pool:
        head = pool.head()
        for _ in range(3):
            pool.agreed_batch(price_calls(head))
            asked = len(c.asked)
            pool.agreed_batch(price_calls(head))
            assert len(c.asked) == asked
            pauses.append(pool.states()[2].quarantined_until - clock.now)
            clock.now += pauses[-1]
    assert pauses == [600.0, 1_200.0, 2_400.0]


def test_two_that_contradict_each_other_decide_nothing() -> None:
    """K-12: and neither is called a liar."""
    a, b, c = nodes()
    lying_in_price(b)
    with pooled(a, b, c) as pool:
        head = pool.head()
        c.dead = True
        with pytest.raises(ConflictError, match="eth_call: endpoints disagree"):
            pool.agreed_batch(price_calls(head))
        assert not any(s.lies for s in pool.states())


def test_three_that_contradict_each_other_decide_nothing() -> None:
    a, b, c = nodes()
    lying_in_price(b)
    c.lies = lambda method, _: "0x" + "ee" * 32 if method == "eth_call" else NotImplemented
    with pooled(a, b, c) as pool, pytest.raises(ConflictError):
        pool.agreed_batch(price_calls(pool.head()))


def test_an_endpoint_that_lacks_the_block_is_no_liar() -> None:
    a, b, c = nodes()
    c.height = 99
    with pooled(a, b, c) as pool:
        head = pool.head()
        assert pool.agreed_batch(price_calls(head))[0] == PRICE
        assert pool.states()[2].lies == 0


def test_a_block_that_nobody_knows_any_more_is_answered_so() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        answers = pool.agreed_batch(price_calls(block(100, fork=3)))
    assert all(isinstance(answer, RpcError) for answer in answers)


def test_a_revert_that_k_see_is_the_answer() -> None:
    members = nodes()
    for i, node in enumerate(members):
        node.lies = lambda method, _, i=i: (  # type: ignore[misc]  # the words differ by client
            RpcError("e", method, 3, f"reverted {i}", "0xDEADBEEF" if i else "0xdeadbeef")
            if method == "eth_call"
            else NotImplemented
        )
    with pooled(*members) as pool:
        answer, _ = pool.agreed_batch(price_calls(pool.head()))
    assert isinstance(answer, RpcError)
    assert answer.code == 3


def test_an_error_of_one_is_neither_an_answer_nor_a_lie() -> None:
    a, b, c = nodes()
    c.lies = lambda method, _: (
        RpcError("e", method, -32000, "out of memory") if method == "eth_call" else NotImplemented
    )
    with pooled(a, b, c) as pool:
        assert pool.agreed_batch(price_calls(pool.head()))[0] == PRICE
        assert pool.states()[2].lies == 0


def test_when_nothing_is_due_each_endpoint_is_asked_twice_a_block() -> None:
    """One request for the head and one for the readings."""
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        pool.head()
        for node in (a, b, c):
            node.asked.clear()
            node.height = 101
        pool.agreed_batch(price_calls(pool.head()))
    assert max(len(node.asked) for node in (a, b, c)) <= 2


# one endpoint, and the best of several


def test_a_pool_of_one_is_that_endpoint_without_threads() -> None:
    (a,) = nodes(1)
    before = threading.active_count()
    with pooled(a, inline=False) as pool:
        assert pool.head() == block(100)
        assert pool.agreed_batch(price_calls(block(100))) == [PRICE, "0x7"]
        assert [b.result is not None for b in pool.broadcast(RAW)] == [True]
        assert pool.announced("anyone", block(101)) == block(101)
        assert threading.active_count() == before
        a.dead = True
        for _ in range(5):
            with pytest.raises(EndpointError, match="could not connect"):
                pool.head()
        assert pool.states()[0].quarantined_until == 0
        a.dead = False
        assert pool.head() == block(100)


def test_a_read_goes_on_at_the_next_endpoint_when_one_fails() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        for node in (a, b):
            node.dead = True
        assert pool.call("eth_chainId", []) == hex(CHAIN_ID)
        assert pool.name == "node2"


def test_a_transaction_is_not_sent_again_elsewhere_on_its_own() -> None:
    a, b, c = nodes()
    with pooled(a, b, c) as pool:
        pool.head()  # their chain is seen
        a.dead = b.dead = c.dead = True
        with pytest.raises(EndpointError):
            pool.call("eth_sendRawTransaction", [RAW])
    assert sum(["eth_sendRawTransaction"] in n.asked for n in (a, b, c)) == 1


def test_a_read_of_a_block_that_one_lacks_is_asked_of_the_next() -> None:
    a, b, c = nodes()
    a.height = b.height = 90
    with pooled(a, b, c) as pool:
        assert pool.batch(price_calls(block(100))) == [PRICE, "0x7"]
        assert all(isinstance(r, RpcError) for r in pool.batch(price_calls(block(101))))


def test_an_endpoint_that_failed_three_times_is_left_out_and_comes_back() -> None:
    clock = Clock()
    a, b, c = nodes()
    with pooled(a, b, c, clock=clock) as pool:
        a.dead = True
        for _ in range(3):
            pool.head()
        assert state(pool, "node0").fault is Fault.FAILING
        asked = len(a.asked)
        pool.head()
        assert len(a.asked) == asked
        a.dead = False
        clock.now = pool.states()[0].quarantined_until
        a.height = b.height = c.height = 101
        pool.head()
        assert state(pool, "node0").fault is Fault.NONE


def test_endpoints_left_out_for_failing_are_asked_when_no_others_are_left() -> None:
    """A fault of our own network must not blind the keeper for longer than it lasts."""
    members = nodes()
    with pooled(*members) as pool:
        for node in members:
            node.dead = True
        for _ in range(4):
            with pytest.raises(ReadError):
                pool.head()
        for node in members:
            node.dead = False
        assert pool.head() == block(100)


def test_an_endpoint_over_its_budget_is_passed_over() -> None:
    clock = Clock()
    budget = RateBudget(per_day=3, clock=clock)
    a, b, c = Node("node0", budget=budget), *nodes()[1:]
    with pooled(a, b, c, clock=clock) as pool:
        for number in range(101, 110):
            b.height = c.height = a.height = number
            assert pool.head() == block(number)
    assert 0 < len(a.asked) <= 3


def test_a_transaction_is_sent_to_all_that_write_whatever_their_budget() -> None:
    clock = Clock()
    spent = Node("node0", budget=RateBudget(per_day=1, clock=clock))
    reader, writer = Node("node1"), Node("node2")
    dead = Node("node3")
    members = (spent, PoolMember(reader, Role.READ), PoolMember(writer, Role.WRITE), dead)
    with pooled(*members, clock=clock, k=1) as pool:
        spent.budget.spend(1)
        dead.dead = True
        said = {b.endpoint: b for b in pool.broadcast(RAW)}
    assert set(said) == {"node0", "node2", "node3"}
    assert said["node0"].result
    assert said["node2"].result
    assert isinstance(said["node3"].error, EndpointError)
    assert "eth_sendRawTransaction" not in str(reader.asked)
    assert ["eth_getBlockByNumber"] not in writer.asked


def test_a_refusal_of_a_transaction_is_given_as_the_endpoint_said_it() -> None:
    a, b = nodes(2)
    refusal = RpcError("node1", "eth_sendRawTransaction", -32000, "nonce too low")
    b.lies = lambda method, _: refusal if "send" in method else NotImplemented
    with pooled(a, b) as pool:
        assert pool.broadcast(RAW)[1].error is refusal


@pytest.mark.parametrize("k", [0, 4])
def test_more_cannot_be_made_to_agree_than_there_are(k: int) -> None:
    with pytest.raises(ValueError, match="k from 1 to n"):
        EndpointPool(nodes(), policy=replace(pool_of(nodes())._policy, k=k or -1))


def test_with_threads_the_answers_are_the_same_and_none_is_waited_for_in_vain() -> None:
    """One endpoint does not answer before the test ends: two are enough."""
    a, b, c = nodes()
    end = threading.Event()
    c.lies = lambda _method, _params: end.wait() and None
    with pooled(a, b, c, inline=False, grace_s=0) as pool:
        for number in range(101, 106):
            a.height = b.height = number
            head = pool.head()
            assert head == block(number)
            assert pool.agreed_batch(price_calls(head)) == [PRICE, "0x7"]
            assert [s.result is not None for s in pool.broadcast(RAW)] == [True, True, False]
        end.set()
    assert threading.active_count() < 20
