"""Around a running keeper: switches, leadership, orders of people, and what machines are shown."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from keeper.ops.control import Switches
from keeper.ops.gate import Gate
from keeper.ops.health import Health
from keeper.ops.leadership import Heart, Leader, Store
from keeper.ops.requests import Request, Requests

if TYPE_CHECKING:
    from keeper.app import Keeper
    from keeper.chain.heads import Heads
    from keeper.config.settings import Settings
    from keeper.loop import TickRecord
    from keeper.model.block import BlockStamp
    from keeper.ops.metrics import Metrics

_NOT_DONE = frozenset({"skipped", "failed"})
_SILENCE_TICKS = 3
_SHORTEST_SILENCE_S = 120.0


def switches_of(settings: "Settings") -> Switches:
    """Where this keeper's switches are."""
    return Switches(settings.ops.control)


def requests_of(settings: "Settings") -> Requests:
    """Where orders for this keeper are left."""
    return Requests(settings.ops.control / "requests")


@contextmanager
def stopping(switches: Switches) -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set (the tick under way is finished); SIGUSR1 sets the kill switch."""
    stop = threading.Event()

    def write() -> None:
        import structlog

        from keeper.errors import ControlError

        try:
            switches.kill("SIGUSR1")
        except ControlError as error:
            structlog.get_logger("keeper").error(
                "killed until this process ends", problem=str(error)
            )

    def kill(*_: object) -> None:
        # a file, by a thread: a signal handler must not wait for a disk
        threading.Thread(target=write, name="kill switch", daemon=True).start()

    handlers: dict[int, Callable[..., object]] = {
        signal.SIGINT: lambda *_: stop.set(),
        signal.SIGTERM: lambda *_: stop.set(),
        signal.SIGUSR1: kill,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def leader_of(settings: "Settings") -> Leader | None:
    """This keeper's part in the election; None for a keeper alone."""
    store = store_of(settings)
    return Leader(store, settings.leadership.ttl_s) if store else None


def store_of(settings: "Settings") -> Store | None:
    """Where leadership is agreed on; None for a keeper alone."""
    from keeper.errors import SettingError

    terms = settings.leadership
    if terms.mode == "alone":
        return None
    if terms.mode == "lease":
        from keeper.ops.leadership import steady_clock
        from keeper.ops.lease import LeaseFile

        return LeaseFile(terms.lease, terms.ttl_s, steady_clock)
    from keeper.ops.lock import PostgresLock

    url = terms.url or settings.journal.url
    if url is None:
        problem, remedy = "names no database", "set leadership.url or journal.url"
        raise SettingError("leadership.url", problem, remedy)
    kept = sorted(one.vault.lower() for one in settings.each())
    return PostgresLock(
        url.get_secret_value(), f"{settings.chain_id}:{','.join(kept)}", terms.ttl_s
    )


@contextmanager
def one_term(settings: "Settings", *, dry_run: bool = False) -> Iterator[Gate]:
    """Control for one thing to do. Where keepers take turns it leads so long, or may not sign beside the leader."""
    leader = None if dry_run else leader_of(settings)
    if leader is None:
        yield Gate(switches_of(settings), settings.vault)
        return
    with Heart(leader, settings.leadership.ttl_s):
        leader.led.wait(2 * settings.leadership.ttl_s)  # what somebody left behind is free by then
        yield Gate(switches_of(settings), settings.vault, leader.why_not)


class Operation:
    """Everything of one `keeper run` that outlives a change of leadership."""

    def __init__(self, settings: "Settings", *, dry_run: bool) -> None:
        from keeper.clock import system_clock
        from keeper.ops.metrics import Metrics

        self.switches = switches_of(settings)
        self.requests = requests_of(settings)
        self.leader = None if dry_run else leader_of(settings)
        self.gate = Gate(self.switches, settings.vault, self._leads)
        self.metrics: Metrics | None = Metrics(system_clock) if settings.ops.listen else None
        silence_s = _SILENCE_TICKS * settings.rpc_timeout_s + settings.tick.poll_interval_s
        self.health = Health(
            system_clock,
            time.monotonic,
            max_head_age_s=settings.ops.ready_head_age_s,
            max_silence_s=max(_SHORTEST_SILENCE_S, silence_s),
            forbidden=self._forbidden,
        )
        self._settings = settings
        self._said: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Operation":
        settings = self._settings
        with ExitStack() as stack:
            if self.metrics is not None and settings.ops.listen is not None:
                from keeper.ops.server import serving

                self._gauges(self.metrics)
                stack.enter_context(serving(settings.ops.listen, self.health, self.metrics.text))
            if self.leader is not None:
                stack.enter_context(Heart(self.leader, settings.leadership.ttl_s))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _leads(self) -> str | None:
        return self.leader.why_not() if self.leader else None

    def _forbidden(self) -> tuple[str, ...]:
        from keeper.model.decision import Lane

        refusals = self.gate.refusals(Lane.PROTECTIVE)
        return tuple(f"{refusal.rule}: {refusal.message}" for refusal in refusals)

    def _gauges(self, metrics: "Metrics") -> None:
        metrics.live("gimbal_leading", "1 while this keeper leads", lambda: self._leads() is None)
        metrics.live(
            "gimbal_killed", "1 while the kill switch is set", lambda: bool(self.switches.killed())
        )
        for one in self._settings.each():
            metrics.live(
                "gimbal_paused",
                "1 while routine work on the vault is paused",
                partial(self._paused, one.vault),
                one.label,
            )

    def _paused(self, vault: str) -> bool:
        return bool(self.switches.paused(vault))

    def watched(self, heads: "Heads", keeper: "Keeper") -> Any:
        """The heads; each time the loop asks for one it is marked as alive, and orders are looked for.

        So they are found also while the chain stands still.
        """
        return _Watched(heads, lambda: self._asked(keeper))

    def _asked(self, keeper: "Keeper") -> None:
        self.health.mark()
        self.say_switches()
        self.carry_out(keeper)

    def say_switches(self) -> None:
        """To the log, each switch set or released since the last look: while nothing is due nothing else would tell."""
        import structlog

        killed = self.switches.killed()
        found = {"kill switch": killed.reason} if killed else {}
        for one in self._settings.each():
            paused = self.switches.paused(one.vault)
            found |= {f"pause of {one.label}": paused.reason} if paused else {}
        log = structlog.get_logger("keeper")
        for switch in found.keys() - self._said.keys():
            log.warning(f"{switch} is set", reason=found[switch])
        for switch in self._said.keys() - found.keys():
            log.info(f"{switch} is released")
        self._said = found

    def ticked(self, keeper: "Keeper", record: "TickRecord") -> None:
        """After each tick: what machines are shown."""
        outcome = record.outcome
        failure = outcome.reason if str(outcome.status) in _NOT_DONE else ""
        self.health.ticked(record.block, failure, record.vault if self._settings.vaults else "")
        if self.metrics is not None:
            self.metrics.ticked(
                outcome,
                record.block,
                vault=record.vault,
                settled=record.settled,
                market=record.market,
                risk=record.risk,
                decided=keeper.decided(record),
            )
            if record.vault == keeper.vaults[0].label:  # once a pass
                _means(self.metrics, keeper)

    def carry_out(self, keeper: "Keeper") -> None:
        """Do what people ordered of this keeper."""
        import structlog

        log = structlog.get_logger("keeper")
        with self.gate.by_hand():
            done = self.requests.carry_out(lambda request: act(keeper, request))
        for request, answer in done:
            say = log.info if answer.done else log.warning
            say(f"order {request.action}", intent=request.intent_id, answer=answer.text)


class _Watched:
    def __init__(self, heads: "Heads", asked: Callable[[], None]) -> None:
        self._heads, self._asked = heads, asked

    def next(self) -> "BlockStamp | None":
        self._asked()
        return self._heads.next()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._heads, name)


def act(keeper: "Keeper", request: Request) -> str:
    """Carry out one order; what became of it, for a person. SendError or another GimbalError if it cannot be."""
    lanes = keeper.lanes
    orders = {"cancel": lanes.cancel, "speed-up": lanes.speed_up, "abandon": lanes.abandon}
    return orders[request.action](request.intent_id)


def _means(metrics: "Metrics", keeper: "Keeper") -> None:
    """What the keeper can still pay, and through whom."""
    metrics.in_flight(keeper.lanes.in_flight())
    for funds in keeper.lanes.funds:
        metrics.payable(funds.account, funds.payable)
    metrics.burned(keeper.lanes.burned.reverted_wei, keeper.lanes.burned.protective_wei)
    now = time.monotonic()
    for state in keeper.pool.states():
        up = state.quarantined_until <= now
        metrics.endpoint(state.name, up=up, lag_blocks=state.lag, errors=state.errors)
