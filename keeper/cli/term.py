"""The terms of a keeper that may have to lead: stand by, lead, lose it, stand by again."""

import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import structlog

from keeper.errors import JournalError, ReadError

if TYPE_CHECKING:
    from keeper.app import Keeper
    from keeper.cli.operate import Operation
    from keeper.config.settings import Settings
    from keeper.ops.leadership import Leader

_log = structlog.get_logger("keeper")
_LOOK_S = 0.2
_WATCH_S = 5.0


class Ended(threading.Event):
    """Set once the process shall stop, or this keeper does not lead any more."""

    def __init__(self, stop: threading.Event, leader: "Leader | None") -> None:
        super().__init__()
        self._stop_event = stop
        self._leader = leader

    def is_set(self) -> bool:
        """True from either on."""
        lost = self._leader is not None and self._leader.lost.is_set()
        return lost or self._stop_event.is_set()


def remembered(ask: Callable[[str], str] | None) -> Callable[[str], str] | None:
    """Ask once: who takes over at night finds nobody at the terminal."""
    return cache(ask) if ask is not None else None


def lead(
    operation: "Operation",
    settings: "Settings",
    stop: threading.Event,
    keep: Callable[[], None],
    *,
    done: Callable[[], bool],
) -> None:
    """Keep, as long as this keeper leads; stand by otherwise; until stopped or done."""
    leader = operation.leader
    if leader is None:
        keep()
        return
    _checked(settings)
    while not stop.is_set() and not done():
        if not _stood_by(operation, settings, leader, stop):
            return
        try:
            keep()
        except (JournalError, ReadError) as error:
            # the one before hangs with the journal in its hands, or has lost it to a later one
            _log.error("cannot lead", holder=leader.holder, problem=str(error))
            leader.resign()
            stop.wait(settings.leadership.ttl_s)
        if leader.lost.is_set() and not stop.is_set():
            _log.warning("leadership lost", **_who(leader))
            leader.begin()


def _who(leader: "Leader") -> dict[str, str]:
    """This keeper, and what keeps it from leading where it is known."""
    problem = {"problem": leader.problem} if leader.problem else {}
    return {"holder": leader.holder, **problem}


def _checked(settings: "Settings") -> None:
    """What a takeover would fail on is told at the start, not on the worst day."""
    from keeper.app import NOBODY, first_readings
    from keeper.config.key import load_address
    from keeper.config.strategy import load_strategy

    for one in settings.each():
        load_strategy(one.strategy.name, one.strategy.parameters)
        first_readings(one, load_address(one.key) or NOBODY)


def _stood_by(
    operation: "Operation", settings: "Settings", leader: "Leader", stop: threading.Event
) -> bool:
    """Wait for leadership, following heads beside it; False if stopped before."""
    watcher = threading.Thread(
        target=_follow, args=(operation, settings, leader, stop), daemon=True
    )
    if not leader.led.wait(_LOOK_S):
        _log.info("standing by", **_who(leader))
        watcher.start()
    while not stop.is_set():
        operation.health.mark()
        if leader.led.wait(_LOOK_S):
            _log.info("leading", holder=leader.holder)
            return True
    return False


def _follow(
    operation: "Operation", settings: "Settings", leader: "Leader", stop: threading.Event
) -> None:
    """A standby that reads nothing would learn only when it leads that it cannot."""
    from keeper.app import NOBODY, first_readings
    from keeper.config.key import load_address
    from keeper.errors import GimbalError

    settings = settings.each()[0]  # what stands behind one is what stands behind all
    address = load_address(settings.key) or NOBODY
    while not stop.is_set() and not leader.led.is_set():
        try:
            operation.health.ticked(first_readings(settings, address).block)
        except GimbalError as error:
            operation.health.ticked(None, str(error))
            _log.warning("standing by blind", problem=str(error))
        stop.wait(_WATCH_S)


def begin_term(
    operation: "Operation", keeper: "Keeper", settings: "Settings", *, dry_run: bool
) -> None:
    """A fencing token of its own, no secret left lying about, and the orders that wait."""
    from keeper.ops.secrecy import forget

    if operation.leader is not None:
        operation.gate.fence = keeper.journal.next_fence(operation.leader.holder)
    if not dry_run:
        if operation.leader is None:  # a keeper that may have to lead again needs them again
            for key in settings.key_places():
                forget((key.private_key_env, key.password_env))
            forget((settings.relay.authentication_key_env,))
        operation.carry_out(keeper)
    fence = operation.gate.fence
    for kept, one in zip(keeper.vaults, _kept(settings, keeper), strict=True):
        _log.info(
            "keeper started",
            vault=kept.label,
            account=kept.terms.account,
            strategy=one.strategy.name,
            dry_run=dry_run,
            fence=fence,
        )


def _kept(settings: "Settings", keeper: "Keeper") -> "list[Settings]":
    """Settings of the vaults that are kept, in their order: some may not be yet."""
    by_address = {one.vault: one for one in settings.each()}
    return [by_address[kept.terms.vault] for kept in keeper.vaults]
