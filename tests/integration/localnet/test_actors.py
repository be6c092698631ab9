"""Actors on the real protocols: what they send does what they want."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from keeper.localnet.actors.cast import usual_actors
from keeper.localnet.actors.liquidator import Liquidator
from keeper.localnet.driver import Driver
from keeper.localnet.paths.build import ScenarioSpec, build_path
from keeper.localnet.paths.path import PricePath
from keeper.localnet.rpc import rpc, send
from keeper.localnet.world import World
from keeper.model.units import WAD

USD8 = 10**8


@pytest.fixture(autouse=True)
def automine_again(world: World) -> Iterator[None]:
    yield
    rpc(world.w3, "evm_setAutomine", True)


def prices(*levels: float) -> PricePath:
    """A path with these prices, one a block."""
    calm = build_path(ScenarioSpec("calm", 1))
    n = len(levels)
    return replace(
        calm,
        times=calm.times[:n].copy(),
        market_price=np.array(levels, dtype=np.float64),
        oracle_online=np.ones(n, dtype=np.bool_),
        base_fee_wei=calm.base_fee_wei[:n].copy(),
    )


def borrow_to_the_limit(world: World, account: str) -> None:
    """Supply 100 WETH and borrow dollars up to 80 % of their value: health about 1.04."""
    a, w3 = world.addresses, world.w3
    weth, pool = world.contract("WETH9", a.weth), world.contract("AavePool", a.aave_pool)
    send(w3, weth.functions.approve(a.aave_pool, 2**256 - 1), account)
    send(w3, pool.functions.supply(a.weth, 100 * WAD, account, 0), account)
    collateral = pool.functions.getUserAccountData(account).call()[0]
    borrowed = collateral * 80 // 100 * 10**6 // USD8
    send(w3, pool.functions.borrow(a.usdc, borrowed, 2, 0, account), account)


def account_data(world: World, account: str) -> tuple[int, int, float]:
    """(collateral, debt) in 1e-8 USD and health."""
    pool = world.contract("AavePool", world.addresses.aave_pool)
    data = pool.functions.getUserAccountData(account).call()
    return data[0], data[1], data[5] / WAD


def test_the_pool_follows_the_market_down_and_up(world: World) -> None:
    levels = (2_000.0, 1_960.0, 1_700.0, 1_400.0, 1_000.0, 1_300.0, 2_100.0)
    actors = usual_actors(world.addresses, world.accounts, seed=1)[2:3]
    assert [actor.name for actor in actors] == ["arbitrageur"]
    with Driver(world, prices(*levels), actors) as driver:
        driver.prime()
        for level in levels:
            record = driver.step()
            assert record.failures == ()
            assert record.pool_price == pytest.approx(level, rel=0.00051)


def test_the_liquidator_waits_for_its_right_and_then_takes_all_of_it(world: World) -> None:
    """Not at health over 1; in the block after the oracle shows it under 1; without a word to find the account."""
    victim = world.accounts.developer
    borrow_to_the_limit(world, victim)
    levels = (2_000.0, 1_990.0, 1_900.0, 1_900.0, 1_900.0)
    with Driver(world, prices(*levels)) as driver:
        driver.prime()
        healthy = [driver.step() for _ in range(2)]
        assert account_data(world, victim)[2] > 1
        fallen = driver.step()
        debt_before, health = account_data(world, victim)[1:]
        assert health < 1
        struck = driver.step()
    assert all("liquidator" not in r.transactions for r in (*healthy, fallen))
    assert len(struck.transactions["liquidator"]) >= 1
    assert struck.failures == ()
    debt_after, health_after = account_data(world, victim)[1:]
    assert health_after > 1
    assert debt_after <= debt_before * 0.51


def test_an_account_far_under_water_loses_everything(world: World) -> None:
    victim = world.accounts.developer
    borrow_to_the_limit(world, victim)
    with Driver(world, prices(2_000.0, 1_500.0, 1_500.0, 1_500.0, 1_500.0)) as driver:
        driver.prime()
        records = [driver.step() for _ in range(5)]
    assert not [f for r in records for f in r.failures]
    assert account_data(world, victim)[0] < 1 * USD8


def test_a_liquidator_of_nobody_liquidates_nobody(world: World) -> None:
    victim = world.accounts.developer
    borrow_to_the_limit(world, victim)
    a, who = world.addresses, world.accounts
    actors = (
        *usual_actors(a, who, seed=1)[:1],
        Liquidator(who.liquidator, a.aave_pool, a.weth, a.usdc, only=frozenset()),
    )
    with Driver(world, prices(2_000.0, 1_700.0, 1_700.0), actors) as driver:
        driver.prime()
        records = [driver.step() for _ in range(3)]
    assert all("liquidator" not in r.transactions for r in records)
    assert account_data(world, victim)[2] < 1
