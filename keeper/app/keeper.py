"""The keeper: ticks on demand, once, or for each new head."""

import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from keeper.app.ahead import AheadJournal, AheadReader
from keeper.app.drain import drain
from keeper.app.lineage import Lineage
from keeper.app.stall import StallWatch
from keeper.chain.heads import Heads
from keeper.chain.pool import EndpointPool
from keeper.chain.reader import LensReader
from keeper.chain.reorg import DEFAULT_DEPTH, ReorgWatch
from keeper.clock import Clock
from keeper.errors import DeepReorganisationError, GimbalError, ReadError
from keeper.execution.lanes import Lanes
from keeper.hosted import HostedStrategy
from keeper.journal.context import context_of
from keeper.journal.store import SqlJournal
from keeper.loop import Ports, TickRecord, TickRules, run_tick
from keeper.model.block import BlockStamp
from keeper.model.control import FREE, Control
from keeper.model.decision import Lane
from keeper.model.market import Readings
from keeper.model.outcome import AttemptResult, TickOutcome, TickStatus
from keeper.model.policy import Policies
from keeper.model.ports import RiskModules, Strategy
from keeper.ops.correlation import correlated, in_tick
from keeper.planning import unseen_series

_log = structlog.get_logger(__name__)
_LOUD = frozenset({TickStatus.REFUSED, TickStatus.FAILED, TickStatus.SKIPPED})


class Keeper:
    """One vault, one account, one strategy. Use as a context manager, or call close()."""

    def __init__(
        self,
        pool: EndpointPool,
        reader: LensReader,
        lanes: Lanes,
        *,
        journal: SqlJournal,
        strategy: Strategy,
        policies: Policies,
        rules: TickRules,
        clock: Clock,
        address: str,
        modules: RiskModules | None = None,
        control: Control = FREE,
        reorganisation_depth: int = DEFAULT_DEPTH,
    ) -> None:
        self.pool = pool
        """Its endpoints."""
        self._reader = reader
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="ahead")
        self._lineage = Lineage(ReorgWatch(pool, reorganisation_depth), self._threads)
        self._ahead = AheadReader(pool, reader, self._threads, self._lineage)
        self.lanes = lanes
        """Both accounts: gauges, and what a person may order."""
        # what these answer to a tick is part of its decision, and journalled with it (K-07)
        heard = journal.witness
        self._ports = Ports(
            self._ahead,
            heard("executor", correlated(lanes)),
            heard("journal", AheadJournal(journal, lanes, self._threads)),
            heard("modules", modules) if modules is not None else None,
            heard("control", control),
        )
        journal.decide_with(context_of(strategy, policies, rules))
        self._hosted = strategy if isinstance(strategy, HostedStrategy) else None
        decide = heard("strategy", self._hosted).decide if self._hosted else strategy
        self._strategy: Strategy = decide
        self._policies = policies
        self._rules = rules
        self._clock = clock
        self.address = address
        """The keeper's account."""
        self.journal = journal
        self.last: TickRecord | None = None
        """All that the newest tick saw and decided, for display."""

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify(self) -> Readings:
        """Right chain, a lens, a vault? Raises WrongChainError, WrongVaultError, EndpointError."""
        return self._reader.verify()

    def read(self) -> Readings:
        """The vault at the newest head."""
        return self._reader.read(self._reader.head())

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._reader.head()

    def see(self, head: BlockStamp) -> None:
        """A head on which nothing is decided: only its place in the chain is noted.

        Raises DeepReorganisationError as `tick`.
        """
        self._lineage.see(head)
        self.lanes.pass_over(head)

    def tick(self, block: BlockStamp | None = None) -> TickOutcome:
        """One pass for `block` (by default the newest head). Follows what is in flight, never waits.

        Raises DeepReorganisationError when `block` shares no recent ancestor with the last one (K-12).
        """
        try:
            with in_tick(block):
                # asked while what is in flight is looked after; not of a block whose place is still looked for,
                # unless something is in flight and takes as long
                if block is not None and (self._lineage.see(block) or self.lanes.in_flight()):
                    self._ahead.begin(block)
                record = run_tick(
                    self._ports,
                    self._policies,
                    self._strategy,
                    self._clock,
                    rules=self._rules,
                    block=block,
                )
                _report(record)
        except DeepReorganisationError as error:
            number = block.number if block else 0
            self.journal.record_outcome(TickOutcome(number, TickStatus.FAILED, str(error)))
            raise
        except GimbalError:
            raise
        except Exception as error:
            # not understood: written down, said aloud, and the end of the loop
            reason = f"stopped by an unexpected {type(error).__name__}"
            number = block.number if block else 0
            self.journal.record_outcome(TickOutcome(number, TickStatus.FAILED, reason))
            _log.error(reason, block=number, problem=str(error))
            raise
        self._say_if_no_strategy(record)
        self.last = record
        if record.market is not None and record.target is not None:
            self._reader.look_up(unseen_series(record.market.readings, record.target))
        return record.outcome

    def _say_if_no_strategy(self, record: TickRecord) -> None:
        """A foreign strategy that did not decide: the vault holds still, and somebody must know."""
        if self._hosted is not None and record.target is not None and self._hosted.problem:
            problem, name = self._hosted.problem, self._hosted.name
            _log.error("strategy fails, the vault holds still", strategy=name, problem=problem)

    @property
    def unfinished(self) -> bool:
        """True if the newest block is worth another tick: it could not be read, or protection that was sent at it
        was taken by nobody. What failed now may work soon, and a block is long in a fall."""
        if self.last is None:
            return False
        return self.last.unread or self.lanes.untaken(Lane.PROTECTIVE) > 0

    def once(self, patience_s: float = 60.0, poll_s: float = 0.5) -> TickOutcome:
        """One tick, and where it sent something, its end, as far as it comes within `patience_s`."""
        outcome = self.tick()
        end = time.monotonic() + patience_s
        while self.lanes.in_flight() and time.monotonic() < end:
            time.sleep(poll_s)
            for result in self._follow():
                number = result.block_number or 0
                reason = f"{outcome.reason} ({result.status})"
                outcome = replace(outcome, block_number=number, reason=reason)
                if result.status != "mined":
                    outcome = replace(outcome, status=TickStatus.FAILED)
        return outcome

    def _follow(self) -> tuple[AttemptResult, ...]:
        try:
            return self.lanes.follow(self._reader.head())
        except ReadError as error:
            _log.warning("cannot follow", problem=str(error))
            return ()

    def run(
        self,
        heads: Heads,
        stop: threading.Event,
        blocks: int | None = None,
        on_tick: Callable[[TickRecord], None] | None = None,
    ) -> int:
        """A tick for each new head until `stop` is set or `blocks` are done; returns how many."""
        done = 0
        gc.freeze()  # what is loaded by now stays: collections under a tick need not look at it
        stall = StallWatch(self._rules.max_head_age_s, time.monotonic)
        while not stop.is_set() and (blocks is None or done < blocks):
            self._say_if_stalled(stall)
            try:
                head = heads.next()
            except ReadError as error:
                _log.warning("no head", problem=str(error))
                continue
            if head is None or stop.is_set():
                continue
            stall.moved()
            self.tick(head)
            if self.unfinished:
                heads.again()
            done += 1
            if on_tick and self.last:
                on_tick(self.last)
        if stop.is_set():
            self._drain()
        return done

    def _drain(self) -> None:
        """Patience with what is in flight; none for who may not send: another keeper follows it now."""
        if self._ports.control.refusals(Lane.PROTECTIVE):
            return
        drain(self.lanes, self._reader.head, self._rules.stop_patience_s)

    def _say_if_stalled(self, stall: StallWatch) -> None:
        waited = stall.overdue_s()
        if waited is None:
            return
        number = self.last.outcome.block_number if self.last else 0
        outcome = TickOutcome(number, TickStatus.SKIPPED, f"no new head for {waited:.0f} s")
        self.journal.record_outcome(outcome)
        _log.warning("the chain stands still", block=number, reason=outcome.reason)

    def close(self) -> None:
        """Close connections and the journal, and end risk modules and a strategy in a process of its own."""
        if self._ports.modules is not None:
            self._ports.modules.close()
        if self._hosted is not None:
            self._hosted.close()
        self.pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.journal.close()


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
    if record.risk:
        facts["health"] = round(record.risk.health_wad / 1e18, 4)
    if record.intent:
        facts["intent"] = record.intent.id
    if outcome.tx_hash:
        facts["tx"] = outcome.tx_hash
    say(f"tick {outcome.status}", **facts)
