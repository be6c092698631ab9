"""Many vaults cost few requests, and one that cannot be read does not hinder the others."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from keeper import abi
from keeper.chain.fleet import BALANCE_BLOCKS, Fleet, read_many
from keeper.chain.reader import LensReader
from keeper.chain.source import Call
from keeper.errors import ConflictError, EndpointError, ReadError, RpcError
from keeper.model.block import BlockStamp
from keeper.model.market import Readings
from keeper.model.units import Wei
from tests.builders import CHAIN_ID, KEEPER, make_readings
from tests.unit.chain.snapshots import snapshot_answer

LENS = "0x" + "1e" * 20
READINGS = replace(make_readings(), keeper_balance_wei=Wei(7))
BLOCK = READINGS.block


class Lenses:
    """Answers for any vault; remembers its requests."""

    name = "lenses"

    def __init__(self) -> None:
        self.requests: list[list[Call]] = []
        self.broken: set[str] = set()

    def head(self) -> Any:
        return BLOCK

    def call(self, method: str, params: list[Any]) -> Any:
        return self.batch([(method, params)])[0]

    def agreed_batch(self, calls: Sequence[Call]) -> list[Any]:
        return self.batch(calls)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        self.requests.append(list(calls))
        return [self._answer(method, params) for method, params in calls]

    def _answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_getBalance":
            return "0x7"
        vault = "0x" + params[0]["data"][34:74]
        if vault in self.broken:
            return RpcError(self.name, method, 3, "execution reverted")
        return snapshot_answer(READINGS, vault=vault)


def readers(source: Lenses, n: int) -> list[LensReader]:
    lens = abi.load("VaultLens")
    return [
        LensReader(
            source, lens, chain_id=CHAIN_ID, vault=f"0x{i + 1:040x}", lens=LENS, keeper=KEEPER
        )
        for i in range(n)
    ]


@pytest.mark.parametrize(("vaults", "requests"), [(1, 1), (10, 1), (100, 2)])
def test_vaults_are_read_together(vaults: int, requests: int) -> None:
    source = Lenses()
    found = read_many(source, readers(source, vaults), BLOCK)
    assert [int(r.vault, 16) for r in found if isinstance(r, Readings)] == list(
        range(1, vaults + 1)
    )
    assert len(source.requests) == requests
    assert sum(map(len, source.requests)) == vaults + 1  # the keeper's balance is asked once


def test_a_vault_that_cannot_be_read_does_not_hinder_the_others() -> None:
    source = Lenses()
    source.broken.add(f"0x{2:040x}")
    first, second, third = read_many(source, readers(source, 3), BLOCK)
    assert isinstance(first, Readings)
    assert isinstance(second, ReadError)
    assert isinstance(third, Readings)


def test_whoever_reads_a_block_first_reads_it_for_all() -> None:
    source = Lenses()
    members = Fleet(source, readers(source, 10)).members()
    vaults = {member.read(BLOCK).vault for member in members}
    assert len(vaults) == 10
    assert len(source.requests) == 1
    members[0].read(replace(BLOCK, hash="0x" + "ee" * 32))
    assert len(source.requests) == 2


def test_a_fault_is_given_to_its_vault_and_not_kept() -> None:
    source = Lenses()
    source.broken.add(f"0x{2:040x}")
    one, two = Fleet(source, readers(source, 2)).members()
    one.read(BLOCK)
    with pytest.raises(RpcError):
        two.read(BLOCK)
    source.broken.clear()
    assert two.read(BLOCK).nav == READINGS.nav


def test_of_another_block_nothing_is_given_from_memory() -> None:
    source = Lenses()
    (member,) = Fleet(source, readers(source, 1)).members()
    member.read(BLOCK)
    with pytest.raises(EndpointError, match="answered for block"):
        member.read(replace(BLOCK, hash="0x" + "ee" * 32, number=BLOCK.number + 1))


def at(number: int) -> BlockStamp:
    return replace(BLOCK, hash=f"0x{number:064x}", number=number)


class AnyBlock(Lenses):
    """The vaults as they are at whatever block is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = {at(n).hash: n for n in range(200)}
        self.disputed: set[str] = set()
        self.says: dict[str, str] = {}

    def agreed_batch(self, calls: Sequence[Call]) -> list[Any]:
        self.requests.append(list(calls))
        vaults = {"0x" + p[0]["data"][34:74] for m, p in calls if m == "eth_call"}
        if vaults & self.disputed:
            raise ConflictError("eth_call", 2, ())
        return [self._answer(method, params) for method, params in calls]

    def _answer(self, method: str, params: list[Any]) -> Any:
        if method in self.says:
            return self.says[method]
        found = super()._answer(method, params)
        if method != "eth_call" or isinstance(found, RpcError):
            return found
        block = at(self.numbers[params[1]["blockHash"]])
        vault = "0x" + params[0]["data"][34:74]
        return snapshot_answer(replace(READINGS, block=block), vault=vault)

    def calls_of(self, method: str) -> int:
        return sum(m == method for request in self.requests for m, _ in request)


@pytest.mark.parametrize("vaults", [1, 10])
def test_an_idle_account_is_asked_for_its_balance_now_and_then(vaults: int) -> None:
    """A block costs one call a vault beside the head, while nothing is due."""
    source = AnyBlock()
    members = Fleet(source, readers(source, vaults)).members()
    for number in range(100, 100 + 2 * BALANCE_BLOCKS):
        found = [member.read(at(number)) for member in members]
        assert {r.keeper_balance_wei for r in found} == {7}
    assert source.calls_of("eth_getBalance") == 2
    assert source.calls_of("eth_call") == vaults * 2 * BALANCE_BLOCKS


def test_an_account_with_something_in_flight_is_asked_at_every_block_and_once_after() -> None:
    source, busy = AnyBlock(), [False]
    (member,) = Fleet(source, readers(source, 1), restless=lambda _: busy[0]).members()
    asked = []
    for number, in_flight in enumerate([False, False, True, True, False, False], start=100):
        busy[0] = in_flight
        before = source.calls_of("eth_getBalance")
        member.read(at(number))
        asked.append(source.calls_of("eth_getBalance") - before)
    assert asked == [1, 0, 1, 1, 1, 0]


def test_a_balance_that_was_not_understood_is_asked_for_again() -> None:
    source = AnyBlock()
    (member,) = Fleet(source, readers(source, 1)).members()
    source.says["eth_getBalance"] = "0x"
    with pytest.raises(EndpointError):
        member.read(at(100))
    source.says.clear()
    assert member.read(at(101)).keeper_balance_wei == 7


def test_endpoints_that_disagree_about_one_vault_are_believed_about_the_others() -> None:
    """K-12: what is disputed is found by halves, and only that is not decided on."""
    source = AnyBlock()
    source.disputed.add(f"0x{7:040x}")
    found = read_many(source, readers(source, 16), at(100))
    assert [i + 1 for i, r in enumerate(found) if isinstance(r, ReadError)] == [7]
    assert isinstance(found[6], ConflictError)
    assert len(source.requests) <= 2 * 5 + 1


def test_a_fault_of_all_is_asked_about_once_and_then_only_when_asked_again() -> None:
    """A hundred vaults behind an endpoint that is away wait for one timeout, not for a hundred."""
    source = AnyBlock()
    members = Fleet(source, readers(source, 50)).members()
    working = source.agreed_batch

    def away(calls: Sequence[Call]) -> list[Any]:
        source.requests.append(list(calls))
        raise EndpointError("lenses", "eth_call", "did not answer")

    source.agreed_batch = away  # type: ignore[method-assign]
    for member in members:
        with pytest.raises(EndpointError):
            member.read(at(100))
    assert len(source.requests) == 1
    source.agreed_batch = working  # type: ignore[method-assign]
    for member in members:
        assert isinstance(member.read(at(100)), Readings)
    assert len(source.requests) == 2


class Threads(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_what_was_begun_is_read_and_for_another_block_it_is_asked_anew() -> None:
    source = AnyBlock()
    fleet = Fleet(source, readers(source, 3))
    fleet.begin(at(100), Threads())
    assert len(source.requests) == 1
    assert all(isinstance(r, Readings) for r in fleet.read(at(100)))
    assert len(source.requests) == 1
    fleet.begin(at(101), Threads())
    assert all(isinstance(r, Readings) for r in fleet.read(at(102)))
    assert len(source.requests) == 3


def test_what_an_endpoint_can_be_asked_without_a_thread_is() -> None:
    source = AnyBlock()

    def begin(calls: Sequence[Call]) -> Callable[[], list[Any]]:
        return lambda: AnyBlock.agreed_batch(source, calls)

    source.begin = begin  # type: ignore[attr-defined]
    fleet = Fleet(source, readers(source, 3))
    fleet.begin(at(100), None)  # type: ignore[arg-type] # no threads
    assert all(isinstance(r, Readings) for r in fleet.read(at(100)))


def test_a_vault_joins_and_is_read_from_then_on() -> None:
    source = AnyBlock()
    one, two = readers(source, 2)
    fleet = Fleet(source, [one])
    fleet.read(at(100))
    second = fleet.join(two)
    assert second.read(at(100)).vault == two._vault
    assert len(fleet.read(at(101))) == 2
