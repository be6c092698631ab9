"""The keeper: every vault ticks on demand, once, or for each new head."""

import gc
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from keeper import abi
from keeper.app.ahead import AheadJournal, SettledReader
from keeper.app.apart import each_apart
from keeper.app.drain import drain
from keeper.app.kept import KeptVault, Later, VaultTerms
from keeper.app.lanes import Accounts
from keeper.app.lineage import Lineage
from keeper.app.outlook import LiveSurroundings
from keeper.app.stall import StallWatch
from keeper.chain.fleet import Fleet
from keeper.chain.heads import Heads
from keeper.chain.pool import EndpointPool
from keeper.chain.reader import LensReader
from keeper.chain.reorg import DEFAULT_DEPTH, ReorgWatch
from keeper.clock import Clock
from keeper.errors import DeepReorganisationError, GimbalError, JournalError, ReadError
from keeper.journal.context import context_of
from keeper.journal.query import Filter
from keeper.journal.reporting import samples
from keeper.journal.store import SqlJournal
from keeper.loop import Ports, TickRecord
from keeper.model.block import BlockStamp
from keeper.model.market import Readings
from keeper.model.outcome import AttemptResult, TickOutcome, TickStatus
from keeper.model.past import Seen
from keeper.ops.correlation import correlated

_log = structlog.get_logger(__name__)
_OPEN_EVERY_BLOCKS = 25
PAST_S, STEP_S = 30 * 86_400, 3_600
"""Of the journal: how far back a vault's own past is read at the start, and how often."""


class Keeper:
    """Vaults of one chain over shared endpoints, journal and accounts. A context manager, or call close().

    A block is read for all vaults together; then each decides by itself, the most endangered first. Protection is
    sent as it is decided, routine work after every vault has decided. What one vault meets ends its own tick only.
    """

    def __init__(
        self,
        pool: EndpointPool,
        accounts: Accounts,
        vaults: Sequence[VaultTerms],
        *,
        chain_id: int,
        journal: SqlJournal,
        clock: Clock,
        opening: Iterable[Later] = (),
        fleet: Fleet | None = None,
        reorganisation_depth: int = DEFAULT_DEPTH,
    ) -> None:
        """opening: vaults that could not be read yet; they are tried again now and then."""
        self.pool = pool
        """Its endpoints."""
        self.lanes = accounts
        """All accounts: gauges, and what a person may order."""
        self.journal = journal
        self._chain_id = chain_id
        self._clock = clock
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="ahead")
        self._lineage = Lineage(ReorgWatch(pool, reorganisation_depth), self._threads)
        self._fleet = fleet or Fleet(pool, restless=accounts.restless)
        self._readers: list[LensReader] = []
        self._vaults: list[KeptVault] = []
        self._opening = list(opening)
        self._opened_at = 0
        for terms in vaults:
            self._keep(terms)

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self, terms: VaultTerms) -> None:
        reader = LensReader(
            self.pool,
            abi.load("VaultLens"),
            chain_id=self._chain_id,
            vault=terms.vault,
            lens=terms.lens,
            keeper=terms.account,
        )
        lanes = self.lanes.lanes(terms.vault, terms.account, terms.signer, terms.protective)
        journal = self.journal.of(terms.vault)
        # what these answer to a tick is part of its decision, and journalled with it (K-07)
        heard, modules = journal.witness, terms.modules
        ports = Ports(
            SettledReader(self._fleet.join(reader), self._lineage),
            heard("executor", correlated(lanes)),
            heard("journal", AheadJournal(journal, lanes, self._threads)),
            heard("modules", modules) if modules is not None else None,
            heard("control", terms.control),
            terms.surroundings or self._surroundings(terms),
        )
        journal.decide_with(context_of(terms.strategy, terms.policies, terms.rules))
        self._readers.append(reader)
        self._vaults.append(
            KeptVault(terms, ports, lanes, journal, self._clock, look_up=reader.look_up)
        )

    def _surroundings(self, terms: VaultTerms) -> LiveSurroundings | None:
        """What a live keeper learns, beginning with what its journal knows of the last month."""
        if terms.outlook is None:
            return None
        wanted = Filter(vault=terms.vault, since=int(self._clock()) - PAST_S)
        past: list[Seen] = []
        try:
            past += samples(self.journal, wanted, STEP_S)
        except (
            JournalError
        ) as error:  # `keeper journal verify` says more; what is read now is enough to go on
            _log.warning("the vault's own past is not known", problem=str(error))
        return LiveSurroundings(terms.outlook, self.pool, past=past)

    @property
    def vaults(self) -> tuple[KeptVault, ...]:
        """Those that are kept."""
        return tuple(self._vaults)

    def decided(self, record: TickRecord) -> bool | None:
        """Whether the strategy of the record's vault could decide; None where it was not asked."""
        found = next((v for v in self._vaults if v.label == record.vault), None)
        return None if found is None or record.target is None else not found.stuck(record)

    @property
    def address(self) -> str:
        """The account of the first vault."""
        return self._vaults[0].terms.account

    @property
    def last(self) -> TickRecord | None:
        """All that the newest tick of the first vault saw and decided, for display."""
        return self._vaults[0].last

    def verify(self) -> Readings:
        """Right chain, lenses, vaults? The first's readings. Raises WrongChainError, WrongVaultError, EndpointError."""
        found = [reader.verify() for reader in self._readers]
        return found[0]

    def read(self) -> Readings:
        """The first vault at the newest head."""
        reader = self._readers[0]
        return reader.read(reader.head())

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._fleet.head()

    def see(self, head: BlockStamp) -> None:
        """A head on which nothing is decided: only its place in the chain is noted.

        Raises DeepReorganisationError as `tick`.
        """
        self._lineage.see(head)
        self.lanes.pass_over(head)

    def tick(self, block: BlockStamp | None = None) -> TickOutcome:
        """One pass of every vault for `block` (by default the newest head); the outcome of the first.

        Follows what is in flight, never waits. Raises DeepReorganisationError when `block` shares no recent ancestor
        with the last one (K-12), JournalError, and what was not foreseen where it met every vault.
        """
        return self._pass(block, self.vaults)[0].outcome

    def _pass(
        self, block: BlockStamp | None, vaults: Sequence[KeptVault]
    ) -> tuple[TickRecord, ...]:
        """The records of these vaults, in their order."""
        if block is None:
            try:
                block = self.head()
            except ReadError as error:
                outcome = TickOutcome(0, TickStatus.SKIPPED, str(error))
                return tuple(v.ended(TickRecord(outcome, unread=True)) for v in vaults)
        self.lanes.begin_round()
        try:
            # asked while what is in flight is looked after; not of a block whose place is still looked for,
            # unless something is in flight and takes as long
            if self._lineage.see(block) or self.lanes.in_flight():
                self._fleet.begin(block, self._threads)
            return each_apart(vaults, self._by_danger(vaults, block), block)
        except DeepReorganisationError as error:
            for vault in vaults:
                vault.stopped(TickRecord(TickOutcome(0, TickStatus.FAILED, ""), block), str(error))
            raise

    def _by_danger(self, vaults: Sequence[KeptVault], block: BlockStamp) -> list[KeptVault]:
        """The vault nearest to the least health it must have first; those that cannot be read last."""
        if len(vaults) == 1:
            return list(vaults)
        found = dict(zip(self._vaults, self._fleet.read(block), strict=True))

        def danger(vault: KeptVault) -> float:
            readings = found[vault]
            if not isinstance(readings, Readings):
                return float("inf")
            return readings.account.health_wad / max(1, readings.limits.min_health_wad)

        return sorted(vaults, key=danger)

    @property
    def unfinished(self) -> bool:
        """True if the newest block is worth another tick of some vault."""
        return any(vault.unfinished for vault in self._vaults)

    def once(self, patience_s: float = 60.0, poll_s: float = 0.5) -> tuple[TickOutcome, ...]:
        """One tick of every vault, and where something was sent, its end, as far as it comes within `patience_s`."""
        outcomes = [record.outcome for record in self._pass(None, self.vaults)]
        end = time.monotonic() + patience_s
        while self.lanes.in_flight() and time.monotonic() < end:
            time.sleep(poll_s)
            for result in self._follow():
                outcomes = [_with_end(outcome, result) for outcome in outcomes]
        return tuple(outcomes)

    def _follow(self) -> tuple[AttemptResult, ...]:
        try:
            return self.lanes.follow(self.head())
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
        """A pass for each new head until `stop` is set or `blocks` are done; returns how many."""
        done = 0
        gc.freeze()  # what is loaded by now stays: collections under a tick need not look at it
        patience_s = min(v.terms.rules.max_head_age_s for v in self._vaults)
        stall = StallWatch(patience_s, time.monotonic)
        last, again = "", list[KeptVault]()
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
            records = self._pass(head, again if again and head.hash == last else self.vaults)
            last = head.hash
            again = [vault for vault in self._vaults if vault.unfinished]
            if again:
                heads.again()
            done += 1
            if on_tick is not None:
                for record in records:
                    on_tick(record)
            self._open(head)
        if stop.is_set():
            self._drain()
        return done

    def _open(self, head: BlockStamp) -> None:
        """Try one of the vaults that could not be read so far; the others have had their tick."""
        if not self._opening or abs(head.number - self._opened_at) < _OPEN_EVERY_BLOCKS:
            return
        self._opened_at = head.number
        opening = self._opening.pop(0)
        try:
            terms = opening()
        except GimbalError as error:
            _log.error("a vault cannot be kept yet", problem=str(error))
            self._opening.append(opening)
            return
        self._keep(terms)
        _log.info("a vault more is kept", vault=terms.name or terms.vault)

    def _drain(self) -> None:
        """Patience with what is in flight; none for who may not send: another keeper follows it now."""
        if any(vault.forbidden() for vault in self._vaults):
            return
        drain(self.lanes, self.head, max(v.terms.rules.stop_patience_s for v in self._vaults))

    def _say_if_stalled(self, stall: StallWatch) -> None:
        waited = stall.overdue_s()
        if waited is None:
            return
        number = self.last.outcome.block_number if self.last else 0
        outcome = TickOutcome(number, TickStatus.SKIPPED, f"no new head for {waited:.0f} s")
        for vault in self._vaults:
            vault.journal.record_outcome(outcome)
        _log.warning("the chain stands still", block=number, reason=outcome.reason)

    def close(self) -> None:
        """Close connections and the journal, and end risk modules and strategies in processes of their own."""
        for vault in self._vaults:
            vault.close()
        self.pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.journal.close()


def _with_end(outcome: TickOutcome, result: AttemptResult) -> TickOutcome:
    """The outcome of a tick whose transaction ended."""
    if outcome.intent_id != result.intent_id:
        return outcome
    reason = f"{outcome.reason} ({result.status})"
    ended = replace(outcome, block_number=result.block_number or 0, reason=reason)
    return ended if result.status == "mined" else replace(ended, status=TickStatus.FAILED)
