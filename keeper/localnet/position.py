"""Opens a leveraged long position in a vault through its own rebalance, the way a keeper would."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from keeper.errors import LocalnetError
from keeper.localnet.market import restore_pool
from keeper.localnet.rpc import rpc, send
from keeper.localnet.vaults import VaultDeployment, remove_keeper
from keeper.localnet.world import World
from keeper.model.decision import MoveKind
from keeper.model.units import BPS, WAD

CHUNK_USD = 500_000
"""Largest single swap of the opening; the arbitrageur brings the pool back after each."""
HEALTH_TOLERANCE_BPS = 50
_SWAP_COST_BPS = 60
"""More than any swap of a chunk costs: the pool's fee and impact."""
_MAX_STEPS = 500
_INTENT_LIFE_S = 3_600
_USD_BASE = 10**8
_LTV_MARGIN_BPS = 5
"""Kept free of the venue's borrowing room: interest accrues between the reading and the borrowing."""


@dataclass(frozen=True, slots=True)
class OpenedPosition:
    """What was measured after opening: health (WAD), collateral and debt (USD, 8 decimals), idle dollars (raw)."""

    health_wad: int
    collateral_usd8: int
    debt_usd8: int
    idle_usdc: int


@dataclass(frozen=True, slots=True)
class PositionState:
    """The vault now, in USD with 8 decimals unless said otherwise."""

    collateral: int
    debt: int
    room: int  # may still be borrowed
    idle_usdc: int  # raw
    usdc_price: int
    threshold_bps: int

    def usd_of_usdc(self, raw: int) -> int:
        """Value of raw dollars."""
        return raw * self.usdc_price // 10**6

    def usdc_of_usd(self, usd8: int) -> int:
        """Raw dollars of a value, rounded down."""
        return usd8 * 10**6 // self.usdc_price


Step = tuple[MoveKind, str, int]
"""What to do with which token, raw amount."""


def open_leveraged(
    world: World, deployment: VaultDeployment, health_wad: int, idle_reserve: int
) -> OpenedPosition:
    """Bring a funded vault to a health (WAD) with about `idle_reserve` raw dollars left idle.

    WETH is bought, supplied and borrowed against in steps until the reserve is all that is idle and the health is
    met within 0.5 %. `accounts.opener` is the vault's keeper for the opening, and the guardian ends that.
    """
    a = world.addresses
    opening = _Opening(world, deployment)
    try:
        for number in range(_MAX_STEPS):
            steps = next_steps(opening.read(), health_wad, idle_reserve, usdc=a.usdc, weth=a.weth)
            if not steps:
                return opening.measured(health_wad)
            opening.rebalance(number, steps)
    finally:
        opening.close()
    raise LocalnetError(
        "opening a position", f"not done after {_MAX_STEPS} steps", "ask for less leverage"
    )


def wanted_collateral(equity: int, threshold_bps: int, health_wad: int) -> int:
    """Collateral C with C x threshold / debt = health where debt = C - equity; the unit is equity's own."""
    backed = BPS * health_wad - threshold_bps * WAD
    if backed <= 0:
        raise LocalnetError(
            "opening a position", f"health {health_wad / WAD:.4f}", "ask for one above 1"
        )
    return equity * BPS * health_wad // backed


def next_steps(
    state: PositionState, health_wad: int, idle_reserve: int, *, usdc: str, weth: str
) -> Sequence[Step]:
    """The moves that come next, or none when the position stands."""
    spare = state.usd_of_usdc(state.idle_usdc - idle_reserve)
    equity = state.collateral - state.debt + spare
    if equity <= 0:
        raise LocalnetError(
            "opening a position", "nothing is left beside the idle reserve", "deposit more"
        )
    missing = wanted_collateral(equity, state.threshold_bps, health_wad) - state.collateral
    if missing > equity * HEALTH_TOLERANCE_BPS // (10 * BPS):
        # A purchase costs a little, and the wanted collateral falls by a multiple of that. What the
        # reserve could not repay afterwards is not bought now; the next step buys the rest.
        backed = BPS * health_wad - state.threshold_bps * WAD
        cost = missing * _SWAP_COST_BPS * health_wad // backed
        missing -= max(0, cost - state.usd_of_usdc(idle_reserve))
        bought = min(missing, CHUNK_USD * _USD_BASE, max(spare, 0) + state.room)
        if bought <= 0:
            raise LocalnetError(
                "opening a position", "the venue lends no more", "ask for a higher health"
            )
        borrowed = max(0, bought - max(spare, 0))
        lent = [(MoveKind.BORROW, usdc, state.usdc_of_usd(borrowed))] if borrowed else []
        swap = (MoveKind.SWAP, usdc, state.usdc_of_usd(bought))
        return [*lent, swap, (MoveKind.SUPPLY, weth, 2**256 - 1)]
    debt = state.collateral * state.threshold_bps * WAD // (BPS * health_wad)
    off = debt - state.debt
    if abs(off) <= debt // (20 * BPS):
        return []
    if off > 0:
        return [(MoveKind.BORROW, usdc, state.usdc_of_usd(off))]
    amount = min(state.usdc_of_usd(-off), state.idle_usdc)
    return [(MoveKind.REPAY, usdc, amount)] if amount else []  # what is off then is measured


class _Opening:
    """The vault as seen and moved while the position is opened."""

    def __init__(self, world: World, deployment: VaultDeployment) -> None:
        self._world = world
        self._deployment = deployment
        self._opener = world.accounts.opener
        self._vault = world.contract("Vault", deployment.vault)
        self._mandate = world.contract("Mandate", deployment.mandate)
        self._aave = world.contract("AavePool", world.addresses.aave_pool)
        self._cooldown_s = int(self._mandate.functions.terms().call()[1][5])
        if not self._mandate.functions.isKeeper(self._opener).call():
            raise LocalnetError(
                "opening a position", f"{self._opener} is no keeper of the vault", "deploy another"
            )

    def close(self) -> None:
        remove_keeper(self._world, self._deployment, self._opener)

    def read(self) -> PositionState:
        a = self._world.addresses
        account = self._aave.functions.getUserAccountData(self._deployment.lending).call()
        usdc_price = (
            self._world.contract("AaveOracle", a.aave_oracle).functions.getAssetPrice(a.usdc).call()
        )
        terms = self._world.contract("AaveDataProvider", a.aave_data_provider)
        threshold = terms.functions.getReserveConfigurationData(a.weth).call()[2]
        idle = self._vault.functions.idle(a.usdc).call()
        return PositionState(
            collateral=account[0],
            debt=account[1],
            room=account[2] * (BPS - _LTV_MARGIN_BPS) // BPS,
            idle_usdc=idle,
            usdc_price=usdc_price,
            threshold_bps=threshold,
        )

    def rebalance(self, number: int, steps: Sequence[Step]) -> None:
        w3 = self._world.w3
        now = self._after_cooldown()
        intent_id = keccak(text=f"open {self._deployment.vault} {number}")
        # The mandate bounds each swap and the whole loss; the opening asks for no more than it allows.
        state = self._mandate.functions.stateHash().call()
        most = self._vault.functions.nav().call()
        intent = (intent_id, now + _INTENT_LIFE_S, state, most)
        moves = [self._move(*step) for step in steps]
        send(w3, self._vault.functions.rebalance(intent, moves), self._opener)
        if any(kind is MoveKind.SWAP for kind, _, _ in steps):
            restore_pool(self._world)

    def _after_cooldown(self) -> int:
        """The chain's time, moved to where the mandate lets the opener go on."""
        w3 = self._world.w3
        now = int(w3.eth.get_block("latest")["timestamp"])
        until = int(self._mandate.functions.lastRoutineAt().call()) + self._cooldown_s
        if until <= now:
            return now
        rpc(w3, "evm_setNextBlockTimestamp", until)
        rpc(w3, "evm_mine")  # gas is estimated on the newest block
        return until

    def measured(self, wanted_wad: int) -> OpenedPosition:
        state = self.read()
        health = int(self._aave.functions.getUserAccountData(self._deployment.lending).call()[5])
        if abs(health - wanted_wad) * BPS > wanted_wad * HEALTH_TOLERANCE_BPS:
            problem = f"health is {health / WAD:.4f}, wanted {wanted_wad / WAD:.4f}"
            raise LocalnetError("opening a position", problem, "check the venue's loan to value")
        return OpenedPosition(health, state.collateral, state.debt, state.idle_usdc)

    def _move(self, kind: MoveKind, token: str, amount: int) -> tuple[Any, ...]:
        adapter = self._deployment.swapper if kind is MoveKind.SWAP else self._deployment.lending
        return (int(kind), adapter, token, amount, 0, 0)
