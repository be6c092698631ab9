"""Several vaults in one keeper: what one of them meets neither stops nor holds up the protection of another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from keeper.app import Keeper, VaultTerms
from keeper.errors import (
    DeepReorganisationError,
    EndpointError,
    JournalError,
    ReadError,
    RpcError,
    UnfundedError,
    WrongVaultError,
)
from keeper.journal.store import open_journal
from keeper.loop import TickRules
from keeper.model.attempt import Attempt
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane, Refusal, Target
from keeper.model.market import MarketState, Readings
from keeper.model.outcome import AttemptResult, AttemptStatus, TickStatus
from keeper.model.risk import RiskReport
from keeper.model.units import WAD, Wad, Wei
from keeper.ops.control import Switches
from keeper.ops.gate import Gate
from tests.builders import CHAIN_ID, KEEPER, NOW, make_readings
from tests.replay.ticks import POLICIES

VAULTS = tuple(f"0x{digit * 40}" for digit in "123")
A, B, C = VAULTS
S = TickStatus


@dataclass
class Ends:
    """Chain and lanes of every vault; notes what is done, in order."""

    broken: dict[str, ReadError] = field(default_factory=dict)
    refuses: dict[str, Exception] = field(default_factory=dict)
    health: dict[str, float] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    asked_ahead: int = 0

    def head(self) -> BlockStamp:
        return make_readings().block

    def agreed_batch(self, calls: Any) -> Any:
        raise EndpointError("made up", "", "knows no blocks")

    def close(self) -> None: ...

    def states(self) -> tuple[Any, ...]:
        return ()

    # as Accounts
    def begin_round(self) -> None: ...

    def in_flight(self, lane: Lane | None = None) -> int:
        return 0

    def lanes(self, vault: str, *_: Any) -> "Line":
        return Line(self, vault)

    # as Fleet
    def join(self, reader: Any) -> "Line":
        self.places.append(reader._vault)
        return Line(self, reader._vault)

    def begin(self, block: BlockStamp, threads: Any) -> None:
        self.asked_ahead += 1

    def read(self, block: BlockStamp) -> tuple[Readings | ReadError, ...]:
        return tuple(self.broken.get(v) or self.readings(v, block) for v in self.places)

    def readings(self, vault: str, block: BlockStamp) -> Readings:
        found = make_readings(idle_asset=200_000)
        share = self.health.get(vault, 1.0)
        account = replace(found.account, health_wad=Wad(int(found.account.health_wad * share)))
        return replace(found, block=block, vault=vault, account=account)


class Line:
    """Reader and lanes of one vault."""

    def __init__(self, ends: Ends, vault: str) -> None:
        self._ends, self._vault = ends, vault

    def head(self) -> BlockStamp:
        return self._ends.head()

    def read(self, block: BlockStamp) -> Readings:
        self._ends.done.append(("read", self._vault))
        if self._vault in self._ends.broken:
            raise self._ends.broken[self._vault]
        return self._ends.readings(self._vault, block)

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        return ()

    def in_flight(self, lane: Lane | None = None) -> int:
        return 0

    def unmined(self, lane: Lane) -> int:
        return 0

    def untaken(self, lane: Lane) -> int:
        return 0

    def balance_wei(self, lane: Lane) -> int:
        return 10**18

    def account_of(self, lane: Lane) -> str:
        return KEEPER

    def inclusion_blocks(self) -> float | None:
        return None

    def routine_waits_until(self) -> int:
        return 0

    def begin(self, intent: Any, threads: Any) -> None: ...

    def submit(self, intent: Intent) -> str:
        self._ends.done.append((f"sent {intent.lane}", self._vault))
        if self._vault in self._ends.refuses:
            raise self._ends.refuses[self._vault]
        return "0x" + "ab" * 32


def wants(lane: Lane) -> Callable[..., Target]:
    def strategy(_market: MarketState, _risk: RiskReport) -> Target:
        return Target(lane, Wad(int(1.6 * WAD)), None, "health is low")

    return strategy


class Breaks:
    """Surroundings with a fault that nobody foresaw."""

    def look(self, readings: Readings) -> Any:
        raise ZeroDivisionError("what was not foreseen")


def misbehaves(market: MarketState, risk: RiskReport) -> Target:
    raise ZeroDivisionError("the strategy's own fault")


class Made:
    """A keeper of three vaults; each wants protection unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.ends, self.folder = Ends(), folder
        self.strategies: dict[str, Any] = dict.fromkeys(VAULTS, wants(Lane.PROTECTIVE))
        self.around: dict[str, Any] = {}
        self.gate = Gate(Switches(folder / "control"), "")
        self._open: list[Keeper] = []

    def terms(self, vault: str) -> VaultTerms:
        return VaultTerms(
            vault=vault, lens=A, account=KEEPER, strategy=self.strategies[vault], policies=POLICIES,
            rules=TickRules(max_reverts=2), name=f"v{vault[2]}", control=self.gate.of(vault),
            surroundings=self.around.get(vault),
        )  # fmt: skip

    def keeper(self, vaults: tuple[str, ...] = VAULTS, opening: tuple[Any, ...] = ()) -> Keeper:
        ends: Any = self.ends
        keeper = Keeper(
            ends, ends, [self.terms(v) for v in vaults], chain_id=CHAIN_ID, fleet=ends,
            journal=open_journal(self.folder / "j.sqlite"), clock=lambda: float(NOW), opening=opening,
        )  # fmt: skip
        self._open.append(keeper)
        return keeper

    def ends_of(self, keeper: Keeper) -> dict[str, TickStatus]:
        keeper.tick(self.ends.head())
        return {v.terms.vault: v.last.outcome.status for v in keeper.vaults if v.last}

    def sent(self, what: str = "sent protective") -> list[str]:
        return [vault for done, vault in self.ends.done if done == what]

    def close(self) -> None:
        for keeper in self._open:
            keeper.close()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    found = Made(tmp_path)
    yield found
    found.close()


def test_each_vault_is_decided_and_protected_at_one_block(made: Made) -> None:
    assert made.ends_of(made.keeper()) == dict.fromkeys(VAULTS, S.SENT)
    assert sorted(made.sent()) == list(VAULTS)


def test_what_was_not_foreseen_in_one_vault_is_its_own(made: Made) -> None:
    made.around[A] = Breaks()
    keeper = made.keeper()
    assert made.ends_of(keeper) == {A: S.FAILED, B: S.SENT, C: S.SENT}
    assert keeper.vaults[0].journal.last_failure() == made.ends.head().number
    assert keeper.vaults[1].journal.last_failure() is None
    assert made.ends_of(keeper)[A] is S.FAILED  # tried again at the next block


def test_a_strategy_that_raises_holds_its_vault_still_and_ends_no_keeper(made: Made) -> None:
    made.strategies = dict.fromkeys(VAULTS, misbehaves)
    keeper = made.keeper()
    assert made.ends_of(keeper) == dict.fromkeys(VAULTS, S.HELD)
    for vault in keeper.vaults:
        assert vault.last is not None
        assert "ZeroDivisionError: the strategy's own fault" in vault.last.outcome.reason
        assert vault.journal.last_failure() is None


def test_a_fault_after_the_decision_is_its_own_as_well(made: Made) -> None:
    made.ends.refuses[A] = ZeroDivisionError("in the signer")
    keeper = made.keeper()
    assert made.ends_of(keeper) == {A: S.FAILED, B: S.SENT, C: S.SENT}
    record = keeper.vaults[0].last
    assert record is not None
    assert record.intent is not None
    assert record.outcome.intent_id == record.intent.id


@pytest.mark.parametrize(
    "fault",
    [
        RpcError("x", "eth_call", 3, "execution reverted"),
        EndpointError("x", "eth_call", "nonsense"),
    ],
)
def test_a_vault_that_cannot_be_read_holds_up_no_other(made: Made, fault: ReadError) -> None:
    made.ends.broken[B] = fault
    keeper = made.keeper()
    assert made.ends_of(keeper) == {A: S.SENT, B: S.SKIPPED, C: S.SENT}
    assert made.ends.done[-1] == ("read", B)  # looked at when the others are protected


def test_a_paused_vault_waits_alone_and_is_still_protected(made: Made) -> None:
    made.strategies = dict.fromkeys(VAULTS, wants(Lane.ROUTINE))
    made.strategies[C] = wants(Lane.PROTECTIVE)
    switches = Switches(made.folder / "control")
    switches.pause(A, "told to")
    switches.pause(C, "told to")
    assert made.ends_of(made.keeper()) == {A: S.REFUSED, B: S.SENT, C: S.SENT}


def test_the_kill_switch_holds_for_every_vault(made: Made) -> None:
    Switches(made.folder / "control").kill("told to")
    assert set(made.ends_of(made.keeper()).values()) == {S.REFUSED}
    assert made.gate.of(A).refusals(Lane.PROTECTIVE) != ()
    assert isinstance(made.gate.of(A).refusals(Lane.PROTECTIVE)[0], Refusal)


def test_the_breaker_of_one_vault_is_closed_for_the_others(made: Made) -> None:
    """K-11."""
    keeper = made.keeper()
    made.ends_of(keeper)
    number = made.ends.head().number
    for vault, status in ((A, "reverted"), (B, "mined")):
        (kept,) = (v for v in keeper.vaults if v.terms.vault == vault)
        assert kept.last is not None
        assert kept.last.intent is not None
        for count in range(2):
            tx_hash = f"{vault}{count}"
            keeper.journal.record_attempt(attempt(kept.last.intent.id, tx_hash, count))
            end = AttemptStatus(status)
            result = AttemptResult(kept.last.intent.id, tx_hash, end, number, 10**6, 10**15)
            keeper.journal.settle(result, AttemptStatus.REPLACED)
    assert made.ends_of(keeper) == {A: S.REFUSED, B: S.SENT, C: S.SENT}


def attempt(intent_id: str, tx_hash: str, nonce: int) -> Attempt:
    return Attempt(
        intent_id=intent_id, chain_id=CHAIN_ID, account=KEEPER, to=A, lane=Lane.PROTECTIVE,
        nonce=nonce, tx_hash=tx_hash, raw="0x", call_data="0x", gas_limit=1, max_fee_wei=Wei(1),
        tip_wei=Wei(1), signed_block=1, deadline=1,
    )  # fmt: skip


@pytest.mark.parametrize("routine", VAULTS)
def test_protection_of_any_vault_goes_before_routine_work_of_all(made: Made, routine: str) -> None:
    """K-05, whatever the order of the settings and of the danger."""
    made.strategies[routine] = wants(Lane.ROUTINE)
    made.ends.health = {routine: 0.999}  # decided first
    keeper = made.keeper()
    made.ends_of(keeper)
    what = [done for done, _ in made.ends.done if done.startswith("sent")]
    assert what == ["sent protective"] * 2 + ["sent routine"]
    assert made.ends.done[-1] == ("sent routine", routine)


def test_the_most_endangered_vault_is_decided_first(made: Made) -> None:
    made.ends.health = {A: 0.9, B: 0.3, C: 0.6}
    made.ends_of(made.keeper())
    assert made.sent() == [B, C, A]


def test_what_every_vault_meets_is_nobodys_own(made: Made) -> None:
    """Somebody starts the keeper again; each vault's journal says why."""
    made.around = dict.fromkeys(VAULTS, Breaks())
    keeper = made.keeper()
    with pytest.raises(ZeroDivisionError):
        keeper.tick(made.ends.head())
    assert {o.status for o in keeper.journal.outcomes()} == {S.FAILED}
    assert len(keeper.journal.outcomes()) == len(VAULTS)


@pytest.mark.parametrize(
    "fault", [JournalError("j", "disk full"), DeepReorganisationError("h", 7, 64)]
)
def test_what_ends_the_keeper_ends_it_whichever_vault_meets_it(
    made: Made, fault: Exception
) -> None:
    """K-03, K-12."""
    made.ends.refuses[B] = fault
    with pytest.raises(type(fault)):
        made.keeper().tick(made.ends.head())


class OneHead:
    """The same head as often as it is wanted again."""

    def __init__(self, made: Made) -> None:
        self._made, self.wanted = made, True

    def next(self) -> BlockStamp | None:
        wanted, self.wanted = self.wanted, False
        return self._made.ends.head() if wanted else None

    def again(self) -> None:
        self.wanted = True
        self._made.ends.broken.clear()


def test_only_what_could_not_be_read_is_tried_again_at_the_same_block(made: Made) -> None:
    import threading

    made.ends.broken[B] = EndpointError("x", "eth_call", "nonsense")
    keeper, heads, seen = made.keeper(), OneHead(made), []
    keeper.run(heads, threading.Event(), 2, lambda r: seen.append((r.vault, r.outcome.status)))  # type: ignore[arg-type]
    assert seen == [("v1", S.SENT), ("v2", S.SKIPPED), ("v3", S.SENT), ("v2", S.SENT)]
    assert sorted(made.sent()) == list(VAULTS)


def test_a_vault_that_could_not_be_kept_at_the_start_joins_when_it_can(made: Made) -> None:
    import threading

    tries: list[int] = []

    def later() -> VaultTerms:
        tries.append(1)
        if len(tries) == 1:
            raise WrongVaultError(C, "does not accept the keeper", "ask its curator")
        return made.terms(C)

    keeper = made.keeper((A, B), (later,))
    heads: Any = OneHead(made)
    for _ in range(2):
        keeper._opened_at = 0
        heads.wanted = True
        keeper.run(heads, threading.Event(), 1)
    assert [v.label for v in keeper.vaults] == ["v1", "v2", "v3"]
    assert made.ends_of(keeper) == dict.fromkeys(VAULTS, S.SENT)


def test_a_poor_account_fails_its_own_vault(made: Made) -> None:
    made.ends.refuses[A] = UnfundedError(KEEPER, 0, 1)
    assert made.ends_of(made.keeper()) == {A: S.FAILED, B: S.SENT, C: S.SENT}
