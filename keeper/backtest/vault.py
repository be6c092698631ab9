"""What a transaction does to the simulated vault: rebalance, settle, beat; all of it or nothing.

Each move takes the path of `Vault._apply`, the whole is judged by the mandate on what was measured before and after.
"""

from dataclasses import dataclass, replace

from keeper.backtest.desk_state import series_id, terms_of
from keeper.backtest.ledger import LENDING, POOL, VAULT, Cause
from keeper.backtest.mandate import Traded
from keeper.backtest.option_market import Terms
from keeper.backtest.readings import LENDING_ADAPTER, SWAP_ADAPTER, marks_of, measure_of
from keeper.backtest.reverts import Reverted
from keeper.backtest.venue_options import DESK_ADDRESS
from keeper.backtest.venue_pool import Traded as Swapped
from keeper.backtest.world import World
from keeper.model.decision import Beat, Move, MoveKind, Payload, Plan, Rebalance, Settle
from keeper.model.market import Measure
from keeper.model.units import BPS, MAX_UINT256


@dataclass(frozen=True, slots=True)
class SwapRecord:
    """One swap of the vault: what it sold and got (token units), and each part of its cost (asset units)."""

    time: int
    sells_base: bool
    amount_in: int
    received: int
    value: int
    """Of what was sold, at the oracle's price."""
    fee: int
    impact: int
    basis: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a transaction came to."""

    nav_before: int
    nav_after: int
    swaps: tuple[SwapRecord, ...] = ()
    auctions: tuple[int, ...] = ()
    assets_in: int = 0
    assets_out: int = 0


class Checkpoint:
    """The world as it was, to go back to."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._venues = (world.lending.copied(), world.pool.copied(), world.mandate.copied())
        self._shares, self._desk = replace(world.shares), world.desk.copied()
        self._idle = (world.idle_asset, world.idle_base)
        self._perpetual = replace(world.perpetual)
        self._booked, self._nav = len(world.ledger.entries), world.ledger.nav

    def restore(self) -> None:
        """Nothing has happened."""
        w = self._world
        w.lending, w.pool, w.mandate = self._venues
        w.shares, w.desk = self._shares, self._desk
        w.idle_asset, w.idle_base = self._idle
        w.perpetual = self._perpetual
        del w.ledger.entries[self._booked :]
        w.ledger.nav = self._nav


def execute(world: World, payload: Payload) -> Effect:
    """Take effect, or raise Reverted and change nothing."""
    if isinstance(payload, Beat):
        return _beat(world)
    if not isinstance(payload, Rebalance | Settle):
        raise Reverted("NotSimulated", type(payload).__name__)
    checkpoint = Checkpoint(world)
    try:
        if isinstance(payload, Rebalance):
            return _rebalance(world, payload)
        return _settle(world, payload)
    except Reverted:
        checkpoint.restore()
        raise


def _beat(world: World) -> Effect:
    """Nothing can refuse it."""
    world.mandate.beat_at = world.time
    return Effect(world.nav(), world.nav())


def _settle(world: World, payload: Settle) -> Effect:
    shares, before = world.shares, world.nav()
    if payload.epoch != shares.epoch:
        raise Reverted("EpochPassed", payload.epoch, shares.epoch)
    marks = marks_of(world)
    if marks is None:
        raise Reverted("PriceUnusable")
    mandate = world.mandate
    done = shares.settle(
        world.time,
        marks,
        world.idle_asset,
        halted=mandate.paused or mandate.winding_down,
        winding_down=mandate.winding_down,
    )
    world.idle_asset += done.assets_in - done.assets_out
    shares.reserved += done.assets_out
    epoch = shares.epoch - 1
    world.ledger.book(world.time, epoch, Cause.DEPOSIT, VAULT, done.assets_in)
    world.ledger.book(world.time, epoch, Cause.REDEMPTION, VAULT, -done.assets_out)
    mandate.counter += 1
    return Effect(before, world.nav(), assets_in=done.assets_in, assets_out=done.assets_out)


def _rebalance(world: World, payload: Rebalance) -> Effect:
    mandate, plan = world.mandate, payload.plan
    if payload.state_hash != mandate.state_hash:
        raise Reverted("StateChanged", payload.state_hash, mandate.state_hash)
    mandate.beat_at = world.time
    before = measure_of(world)
    rebalance = _Rebalance(world, before, plan)
    for index, move in enumerate(plan.moves):
        if not before.priced:
            rebalance.check_price_free(index, move)
        rebalance.apply(index, move)
    mandate.counter += 1
    after = measure_of(world, before)
    if before.priced:
        mandate.judge(
            world.time,
            before,
            after,
            rebalance.traded,
            max_loss=payload.max_loss,
            moves=len(plan.moves),
            scale=world.scale,
            unhedged=world.unhedged,
        )
    return Effect(before.nav, after.nav, tuple(rebalance.swaps), tuple(rebalance.auctions))


class _Rebalance:
    """Moves of one rebalance, in order."""

    def __init__(self, world: World, before: Measure, plan: Plan) -> None:
        self.world, self.before, self._plan = world, before, plan
        self.traded = Traded()
        self.swaps: list[SwapRecord] = []
        self.auctions: list[int] = []
        owes = world.lending.asset.debt or world.lending.base.debt
        self._owes = bool(owes)
        most = 4 * world.mandate.terms.limits.min_health_wad
        self._toppable = self._owes and before.health_wad <= most

    def check_price_free(self, index: int, move: Move) -> None:
        """Without a price nothing with price exposure moves (V-07)."""
        kind = move.kind
        exposed = kind in (MoveKind.BORROW, MoveKind.SWAP, MoveKind.WRITE, MoveKind.BUY_BACK)
        if (
            exposed
            or (kind is MoveKind.WITHDRAW and self._owes)
            or (kind is MoveKind.SUPPLY and not self._toppable)
        ):
            raise Reverted("MoveNeedsPrice", index, kind.name)

    def apply(self, index: int, move: Move) -> None:
        """One move."""
        of_base = self._token(move)
        amount = self._resolve(index, move, of_base=of_base)
        if move.kind is MoveKind.SWAP:
            self._swap(amount, of_base, move.limit)
        elif move.kind >= MoveKind.WRITE:
            self._option(move, amount)
        else:
            self.world.booked(Cause.ROUNDING, LENDING, self._lend, move.kind, amount, of_base)

    def _token(self, move: Move) -> bool:
        """True for base; reverts for what is neither and for a wrong adapter."""
        expected = LENDING_ADAPTER
        if move.kind is MoveKind.SWAP:
            expected = SWAP_ADAPTER
        elif move.kind >= MoveKind.WRITE:
            expected = DESK_ADDRESS
        if move.adapter.lower() != expected.lower():
            raise Reverted("AdapterNotAllowed", move.kind.name, move.adapter)
        spec, token = self.world.spec, move.token.lower()
        if token not in (spec.asset.address.lower(), spec.base.address.lower()):
            raise Reverted("TokenNotAllowed", move.token)
        return token == spec.base.address.lower()

    def _resolve(self, index: int, move: Move, *, of_base: bool) -> int:
        world, amount = self.world, int(move.amount)
        if move.kind in (MoveKind.SUPPLY, MoveKind.REPAY, MoveKind.SWAP):
            idle = world.idle_base if of_base else world.idle_asset
            if amount == MAX_UINT256:
                amount = idle
                if move.kind is MoveKind.REPAY:
                    amount = min(max(0, idle - move.limit), world.lending.reserve(of_base).debt)
            if amount > idle:
                raise Reverted("IdleTooLow", move.token, amount, idle)
        if amount <= 0 and move.kind is not MoveKind.CANCEL:
            raise Reverted("NothingToMove", index, move.kind.name)
        return amount

    def _lend(self, kind: MoveKind, amount: int, of_base: bool) -> None:
        world, venue = self.world, self.world.lending
        answers = world.oracle.answers
        if kind is MoveKind.SUPPLY:
            venue.supply(of_base, amount)
            moved = -amount
        elif kind is MoveKind.WITHDRAW:
            moved = venue.withdraw(of_base, amount, answers)
        elif kind is MoveKind.BORROW:
            moved = venue.borrow(of_base, amount, answers)
        else:
            moved = -venue.repay(of_base, amount)
        if of_base:
            world.idle_base += moved
        else:
            world.idle_asset += moved

    def _swap(self, amount: int, sells_base: bool, min_out: int) -> None:
        """Against the oracle and the plan's own bound; its cost is booked in parts."""
        world, price = self.world, self.before.price_wad
        nav = world.nav()
        done = world.pool.swap(world.time, sells_base, amount)
        if sells_base:
            fair = -(-amount * price // world.scale)
            world.idle_base -= amount
            world.idle_asset += done.received
            bought = done.received
            self.traded.bought_asset += bought
            sold = fair
        else:
            fair = -(-amount * world.scale // price)
            world.idle_asset -= amount
            world.idle_base += done.received
            bought = -(-done.received * price // world.scale)
            self.traded.bought_base += bought
            sold = amount
        most = world.mandate.terms.limits.max_swap_loss_bps
        least = max(-(-fair * (BPS - most) // BPS), min_out)
        if done.received < least:
            raise Reverted("SwapLossTooLarge", amount, done.received, least)
        self.traded.turnover += sold
        self._book_swap(done, sold, world.nav() - nav)

    def _book_swap(self, done: Swapped, sold: int, change: int) -> None:
        world = self.world

        def value(out: int) -> int:
            if done.sells_base:
                return out
            return out * self.before.price_wad // world.scale

        spot, after_fee, got = (
            value(amount) for amount in (done.at_spot, done.after_fee_at_spot, done.received)
        )
        fee, impact, basis = spot - after_fee, after_fee - got, sold - spot
        for cause, cost in (
            (Cause.POOL_FEE, fee),
            (Cause.IMPACT, impact),
            (Cause.BASIS, basis),
            (Cause.ROUNDING, -change - fee - impact - basis),
        ):
            world.book(cause, POOL, -cost)
        self.swaps.append(
            SwapRecord(
                world.time, done.sells_base, done.amount_in, done.received, sold, fee, impact, basis
            )
        )

    def _option(self, move: Move, amount: int) -> None:
        world = self.world
        desk = world.desk
        if move.kind is MoveKind.CANCEL:
            auction = desk.auctions.get(move.target)
            if auction is None:
                raise Reverted("UnknownAuction", move.target)
            desk.close(world, auction)
            return
        if not self.before.options_known:
            raise Reverted("VolatilityUnknown")
        terms = self._terms(str(move.target))
        if terms is None:
            raise Reverted("UnknownSeries", move.target)
        if move.kind is MoveKind.WRITE:
            opened = desk.write(world, terms, amount, move.limit)
        else:
            opened = desk.buy_back(world, terms, amount, move.limit)
        desk.measure(world.oracle.price_wad, world.time)
        self.auctions.append(opened.number)

    def _terms(self, wanted: str) -> Terms | None:
        """Of a series the plan names, or that is written already."""
        named = next((s for s in self._plan.series if s.id == wanted), None)
        if named is not None:
            return terms_of(named)
        held = (h.terms for h in self.world.desk.series.values())
        return next((terms for terms in held if series_id(terms) == wanted), None)
