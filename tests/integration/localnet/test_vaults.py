"""Vaults on the local mainnet: deployed, funded, and brought to a leveraged position by their own rebalance."""

from dataclasses import replace

import pytest

from keeper.errors import LocalnetError
from keeper.localnet.market import set_market_price
from keeper.localnet.position import open_leveraged
from keeper.localnet.rpc import send
from keeper.localnet.vaults import (
    VaultDeployment,
    add_keeper,
    claim,
    deploy_vault,
    deposit,
    remove_keeper,
    request_deposit,
    settle,
    terms_for,
)
from keeper.localnet.world import World
from keeper.model.units import WAD, Bps

DOLLAR = 10**6
DEPOSIT = 2_000_000 * DOLLAR
RESERVE = 200_000 * DOLLAR
SEED = DOLLAR


def _funded(world: World, min_health: float = 1.25, max_borrow_bps: int = 8_000) -> VaultDeployment:
    terms = terms_for(min_health, min_health)
    limits = replace(terms.limits, max_borrow_bps=Bps(max_borrow_bps))
    caps = replace(terms.caps, delta_band_bps=Bps(100_000))
    terms = replace(terms, limits=limits, caps=caps)
    deployment = deploy_vault(world, terms=terms, keepers=[world.accounts.keeper])
    deposit(world, deployment, world.accounts.depositor, DEPOSIT)
    return deployment


def test_a_vault_is_wired_to_its_own_adapters_and_takes_deposits(world: World) -> None:
    deployment = _funded(world)
    vault = world.contract("Vault", deployment.vault).functions
    mandate = world.contract("Mandate", deployment.mandate).functions
    assert vault.lending().call() == deployment.lending
    assert vault.swapper().call() == deployment.swapper
    assert vault.mandate().call() == deployment.mandate
    assert mandate.authority().call() == deployment.manager
    assert mandate.isKeeper(world.accounts.keeper).call()
    assert vault.nav().call() == DEPOSIT + SEED
    assert vault.balanceOf(world.accounts.depositor).call() > 0


@pytest.mark.parametrize(
    ("health", "min_health", "max_borrow_bps"),
    [(1.04, 1.02, 9_000), (1.35, 1.25, 8_000), (2.5, 1.25, 8_000)],
)
def test_a_position_is_opened_at_the_wanted_health_with_the_reserve_idle(
    world: World, health: float, min_health: float, max_borrow_bps: int
) -> None:
    deployment = _funded(world, min_health, max_borrow_bps)
    opened = open_leveraged(world, deployment, int(health * WAD), RESERVE)
    pool = world.contract("AavePool", world.addresses.aave_pool)
    measured = pool.functions.getUserAccountData(deployment.lending).call()[5]
    assert measured / WAD == pytest.approx(health, rel=0.005)
    assert opened.idle_usdc == pytest.approx(RESERVE, rel=0.05)
    nav = world.contract("Vault", deployment.vault).functions.nav().call()
    assert nav == pytest.approx(DEPOSIT, rel=0.01)  # the cost of trading in


def test_the_opener_is_no_keeper_after_the_opening(world: World) -> None:
    deployment = _funded(world)
    open_leveraged(world, deployment, 2 * WAD, RESERVE)
    mandate = world.contract("Mandate", deployment.mandate).functions
    assert not mandate.isKeeper(world.accounts.opener).call()
    assert mandate.isKeeper(world.accounts.keeper).call()


def test_a_keeper_is_added_after_the_curators_delay_and_removed_at_once(world: World) -> None:
    """V-14."""
    deployment = deploy_vault(world)
    mandate = world.contract("Mandate", deployment.mandate).functions
    at_once = mandate.addKeeper(world.accounts.keeper)
    with pytest.raises(LocalnetError):
        send(world.w3, at_once, world.accounts.vault_owner)
    add_keeper(world, deployment, world.accounts.keeper)
    assert mandate.isKeeper(world.accounts.keeper).call()
    remove_keeper(world, deployment, world.accounts.keeper)
    assert not mandate.isKeeper(world.accounts.keeper).call()


def test_a_deposit_waits_for_its_settlement(world: World) -> None:
    """V-03: asked for, settled when the epoch is over, claimed."""
    deployment, who = deploy_vault(world), world.accounts.depositor
    vault = world.contract("Vault", deployment.vault).functions
    request_deposit(world, deployment, who, DEPOSIT)
    assert vault.pendingDepositRequest(0, who).call() == DEPOSIT
    assert vault.idle(world.addresses.usdc).call() == SEED
    with pytest.raises(LocalnetError):
        send(world.w3, vault.settle(), who)
    settle(world, deployment, who)
    assert vault.claimableDepositRequest(0, who).call() == DEPOSIT
    assert claim(world, deployment, who) > 0
    assert vault.idle(world.addresses.usdc).call() == DEPOSIT + SEED


def test_twins_opened_one_after_the_other_are_alike(world: World) -> None:
    """The arbitrageur brings the pool back after each swap, so the second pays what the first paid."""
    health, navs = int(1.6 * WAD), []
    for _ in range(2):
        deployment = _funded(world)
        open_leveraged(world, deployment, health, RESERVE)
        navs.append(world.contract("Vault", deployment.vault).functions.nav().call())
    assert navs[0] == pytest.approx(navs[1], rel=1e-4)


def test_a_vault_nobody_looks_after_is_liquidated_in_a_crash(world: World) -> None:
    deployment = _funded(world)
    open_leveraged(world, deployment, int(1.3 * WAD), RESERVE)
    a, liquidator = world.addresses, world.accounts.liquidator
    pool = world.contract("AavePool", a.aave_pool)
    seize = pool.functions.liquidationCall(a.weth, a.usdc, deployment.lending, 2**256 - 1, False)
    with pytest.raises(LocalnetError):
        send(world.w3, seize, liquidator)

    set_market_price(world, 2_000 / 1.3 * 0.98)
    before = world.contract("ERC20", a.weth).functions.balanceOf(liquidator).call()
    send(world.w3, seize, liquidator)
    assert world.contract("ERC20", a.weth).functions.balanceOf(liquidator).call() > before


def test_the_lens_shows_the_opened_vault(world: World) -> None:
    deployment = _funded(world)
    opened = open_leveraged(world, deployment, int(1.6 * WAD), RESERVE)
    lens = world.contract("VaultLens", deployment.lens)
    snapshot = lens.functions.snapshot(deployment.vault, world.accounts.keeper).call()
    assert snapshot[0] == 2
    assert opened.idle_usdc in snapshot[10]
    assert deployment.mandate in snapshot[11]


def test_the_lens_shows_what_depositors_wait_for(world: World) -> None:
    deployment, who = _funded(world), world.accounts.depositor
    request_deposit(world, deployment, who, DEPOSIT)
    lens = world.contract("VaultLens", deployment.lens)
    (found,) = lens.functions.requests(deployment.vault, [who]).call()
    shares = world.contract("Vault", deployment.vault).functions.balanceOf(who).call()
    assert found == (who, shares, DEPOSIT, 0, 0, 0, 0, 0)
