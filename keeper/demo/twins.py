"""Two equal vaults: same mandate, same deposit, same leveraged position. One admits the keeper."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keeper.errors import LocalnetError
from keeper.localnet.position import OpenedPosition, open_leveraged
from keeper.localnet.protocols.tokens import DOLLAR
from keeper.localnet.serve import ORACLE_TERMS
from keeper.localnet.vaults import (
    VaultDeployment,
    claim,
    deploy_lens,
    deploy_vault,
    request_deposit,
    settle,
    terms_for,
)
from keeper.localnet.world import World
from keeper.model.mandate import Terms
from keeper.model.units import WAD, Bps
from keeper.report.story import Band, Twin

ASSET_DECIMALS, BASE_DECIMALS = 6, 18
"""Of the local mainnet's dollar and WETH."""
DEPOSIT_USD = 250_000
IDLE_USD = 10_000
"""Left in each vault: the first thing a keeper repays from."""
SWAP_LOSS_BPS = Bps(200)
"""Of a swap against the oracle: in a crash the pool runs ahead of it, by its 0.5 % and by a block."""
MOST_BORROWED_BPS = Bps(8_200)
"""Debt over gross assets: room for the highest leverage a demo may start with."""
MOST_APART = 0.002
"""The twins' healths at opening may differ by this much, relatively."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Both vaults and what was measured after opening."""

    deployments: Mapping[Twin, VaultDeployment]
    opened: Mapping[Twin, OpenedPosition]


def mandate_for(health: float, band: Band) -> Terms:
    """The local mainnet's usual terms for this health with the band's minimum, and wide enough for a crash."""
    terms = terms_for(health, band.minimum)
    limits = replace(
        terms.limits, max_swap_loss_bps=SWAP_LOSS_BPS, max_borrow_bps=MOST_BORROWED_BPS
    )
    return replace(terms, limits=limits)


def open_twins(world: World, health: float, band: Band) -> Twins:
    """Deploy, fund and open both; refuses to compare positions that are not equal."""
    terms, lens = mandate_for(health, band), deploy_lens(world)
    keepers = {Twin.PROTECTED: (world.accounts.keeper,), Twin.UNPROTECTED: ()}
    deployments = {
        twin: deploy_vault(
            world,
            terms=terms,
            keepers=allowed,
            oracle_terms=ORACLE_TERMS,
            lens=lens,
            name=f"Gimbal demo, {twin.value}",
        )
        for twin, allowed in keepers.items()
    }
    depositor = world.accounts.depositor
    for deployment in deployments.values():
        request_deposit(world, deployment, depositor, DEPOSIT_USD * DOLLAR)
    for deployment in deployments.values():
        settle(world, deployment, depositor)
        claim(world, deployment, depositor)
    opened = {
        twin: open_leveraged(world, deployment, int(health * WAD), IDLE_USD * DOLLAR)
        for twin, deployment in deployments.items()
    }
    _require_equal(opened)
    return Twins(deployments, opened)


def _require_equal(opened: Mapping[Twin, OpenedPosition]) -> None:
    one, other = opened[Twin.PROTECTED], opened[Twin.UNPROTECTED]
    pairs = (
        ("health", one.health_wad, other.health_wad),
        ("collateral", one.collateral_usd8, other.collateral_usd8),
        ("debt", one.debt_usd8, other.debt_usd8),
    )
    for name, a, b in pairs:
        if abs(a - b) > MOST_APART * max(a, b):
            raise LocalnetError(
                "opening equal positions",
                f"{name} is {a} and {b}",
                "run it again; report it if it stays",
            )
