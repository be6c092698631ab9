"""One vault of a keeper: how it is kept, and its ticks in two halves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from keeper.app.outlook import LiveSurroundings, OutlookTerms
from keeper.app.sound import SoundStrategy
from keeper.clock import Clock
from keeper.execution.lanes import Lanes
from keeper.execution.signer import Signer
from keeper.hosted import HostedStrategy
from keeper.journal.store import VaultJournal
from keeper.loop import Ports, TickRecord, TickRules, decide_tick, finish_tick
from keeper.model.block import BlockStamp
from keeper.model.control import FREE, Control
from keeper.model.decision import NO_DECISION, Lane
from keeper.model.outcome import TickOutcome, TickStatus
from keeper.model.policy import Policies
from keeper.model.ports import RiskModules, Strategy, Surroundings
from keeper.model.units import INFINITE_HEALTH
from keeper.ops.correlation import in_tick
from keeper.planning import unseen_series

_log = structlog.get_logger(__name__)
_LOUD = frozenset({TickStatus.REFUSED, TickStatus.FAILED, TickStatus.SKIPPED})


@dataclass(frozen=True, slots=True)
class VaultTerms:
    """One vault, and how it is kept."""

    vault: str
    """Its address."""
    lens: str
    account: str
    """That carries its routine work, and without `protective` all of it."""
    strategy: Strategy
    policies: Policies
    rules: TickRules
    name: str = ""
    """What people call it; empty where there is only one."""
    signer: Signer | None = None
    """None: only rehearsals."""
    protective: Signer | None = None
    modules: RiskModules | None = None
    control: Control = FREE
    surroundings: Surroundings | None = None
    """What is known beyond the readings; None: what `outlook` finds."""
    outlook: OutlookTerms | None = None
    """What a live keeper learns beyond the readings; None: the risk policy's forecast is all."""


class KeptVault:
    """Ticks of one vault. What goes wrong in them is its own."""

    def __init__(
        self,
        terms: VaultTerms,
        ports: Ports,
        lanes: Lanes,
        journal: VaultJournal,
        clock: Clock,
        *,
        look_up: Callable[[Sequence[str]], None] = lambda _series: None,
    ) -> None:
        """look_up: takes the series that the next block is to be asked about."""
        self.terms = terms
        self.lanes = lanes
        self.journal = journal
        self._ports = ports
        self._clock = clock
        self._look_up = look_up
        own = terms.strategy
        self._hosted = own if isinstance(own, HostedStrategy) else None
        heard = journal.witness("strategy", own)  # what it answers is journalled (K-07)
        self._strategy: Strategy = heard.decide if self._hosted else SoundStrategy(own)
        self.last: TickRecord | None = None
        """All that its newest tick saw and decided."""

    @property
    def label(self) -> str:
        """What it is called: its name, or its address."""
        return self.terms.name or self.terms.vault

    @property
    def surroundings(self) -> Surroundings | None:
        """What it knows beyond the readings."""
        return self._ports.surroundings

    @property
    def unfinished(self) -> bool:
        """True if the newest block is worth another tick: it could not be read, or protection that was sent at it
        was taken by nobody. What failed now may work soon, and a block is long in a fall."""
        if self.last is None:
            return False
        return self.last.unread or self.lanes.untaken(Lane.PROTECTIVE) > 0

    def decide(self, block: BlockStamp) -> TickRecord:
        """Up to the journalled decision."""
        terms = self.terms
        with in_tick(block, terms.name):
            return decide_tick(
                self._ports,
                terms.policies,
                self._strategy,
                self._clock,
                rules=terms.rules,
                block=block,
            )

    def finish(self, record: TickRecord) -> TickRecord:
        """Do what was decided."""
        with in_tick(record.block, self.terms.name):
            record = finish_tick(self._ports, self.terms.rules, record)
            return self._ended(record)

    def ended(self, record: TickRecord) -> TickRecord:
        """A tick that ended before it could be decided or done, or was stopped."""
        with in_tick(record.block, self.terms.name):
            self.journal.record_outcome(record.outcome)
            return self._ended(record)

    def stopped(self, record: TickRecord, reason: str) -> TickRecord:
        """A tick stopped by what was not foreseen."""
        number = record.block.number if record.block else 0
        intent_id = record.intent.id if record.intent else None
        outcome = TickOutcome(number, TickStatus.FAILED, reason, intent_id)
        return self.ended(replace(record, outcome=outcome))

    @staticmethod
    def waits(record: TickRecord) -> bool:
        """True for what is done after the protection of every vault."""
        return record.intent is not None and record.intent.lane is Lane.ROUTINE

    def forbidden(self) -> bool:
        """True if nothing may be sent for it at all."""
        return bool(self._ports.control.refusals(Lane.PROTECTIVE))

    def close(self) -> None:
        """End its risk modules, and a strategy in a process of its own."""
        if self._ports.modules is not None:
            self._ports.modules.close()
        if self._hosted is not None:
            self._hosted.close()
        if isinstance(self._ports.surroundings, LiveSurroundings):
            self._ports.surroundings.close()

    def _ended(self, record: TickRecord) -> TickRecord:
        self.last = replace(record, vault=self.label)
        _report(self.last)
        self._say_if_no_strategy(record)
        if record.market is not None and record.target is not None:
            self._look_up(unseen_series(record.market.readings, record.target))
        return self.last

    def _say_if_no_strategy(self, record: TickRecord) -> None:
        """A strategy, or a part of one, that did not decide: somebody must know."""
        if record.target is None or not self.stuck(record):
            return
        still = "the vault holds still" if record.target.hold else "the rest of it acts"
        name = self._hosted.name if self._hosted else type(self.terms.strategy).__name__
        problem = self._hosted.problem if self._hosted else ""
        _log.error(
            f"strategy fails, {still}", strategy=name, problem=problem or record.target.reason
        )

    def stuck(self, record: TickRecord) -> bool:
        """True if its strategy, or a part of it, could not decide in its newest tick."""
        if record.target is None:
            return False
        foreign = self._hosted is not None and bool(self._hosted.problem)
        return foreign or NO_DECISION in record.target.reason


Later = Callable[[], VaultTerms]
"""Looks at a vault that could not be read at the start: its terms, or an error as at the start."""


def _report(record: TickRecord) -> None:
    outcome = record.outcome
    for result in record.settled:
        say = _log.info if result.status == "mined" else _log.warning
        say(
            f"transaction {result.status}",
            tx=result.tx_hash,
            block=result.block_number,
            gas_used=result.gas_used,
        )
    for module in record.modules:
        if module.problem:
            _log.warning("risk module fails", module=module.module, problem=module.problem)
        elif module.veto:
            _log.warning("risk module vetoes", module=module.module, reason=module.veto)
    say = _log.warning if outcome.status in _LOUD else _log.info
    facts: dict[str, object] = {"block": outcome.block_number, "reason": outcome.reason}
    if record.risk and record.risk.health_wad < INFINITE_HEALTH:  # else nothing is owed
        facts["health"] = round(record.risk.health_wad / 1e18, 4)
    if record.intent:
        facts["intent"] = record.intent.id
    if outcome.tx_hash:
        facts["tx"] = outcome.tx_hash
    say(f"tick {outcome.status}", **facts)
