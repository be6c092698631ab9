"""Many vaults cost few requests, and one that cannot be read does not hinder the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from keeper import abi
from keeper.chain.fleet import Fleet, read_many
from keeper.chain.reader import LensReader
from keeper.chain.source import Call
from keeper.errors import EndpointError, ReadError, RpcError
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
