"""What the guard passes the vault takes, and what the mandate's rules refuse the guard refuses: on one block."""

from collections.abc import Callable

import pytest
from eth_utils.abi import function_signature_to_4byte_selector
from web3.exceptions import Web3Exception

from keeper.config.policies import policies
from keeper.execution.intents import make_intent, rebalance_of
from keeper.execution.simulate import call_data
from keeper.guard import check
from keeper.guard.mandate import grown_risks
from keeper.guard.rehearsal import rehearse
from keeper.localnet.rpc import send
from keeper.market import build_market
from keeper.model.decision import Lane, Move, MoveKind, Plan
from keeper.model.market import MarketState, Readings
from keeper.model.units import MAX_UINT256, Raw, Wad
from tests.integration.keeper.kept import AVERAGE_BLOCKS, DOLLAR, Kept

ETHER = 10**18
COOLDOWN_ACTIVE = function_signature_to_4byte_selector("CooldownActive(uint256,uint256)").hex()
Steps = Callable[[Readings], tuple[Move, ...]]


def _lend(r: Readings, kind: MoveKind, token: str, amount: int) -> Move:
    return Move(kind, r.lending_adapter, token, Raw(amount), Raw(0))


def _swap(r: Readings, token: str, amount: int, keeps: float = 0.995) -> Move:
    price = r.price.price_wad / 10**18
    sells_base = token == r.base.address
    fair = amount / ETHER * price * DOLLAR if sells_base else amount / DOLLAR / price * ETHER
    return Move(MoveKind.SWAP, r.swap_adapter, token, Raw(amount), Raw(int(fair * keeps)))


def deleverage(r: Readings) -> tuple[Move, ...]:
    swap = _swap(r, r.base.address, 5 * ETHER)
    return (
        _lend(r, MoveKind.WITHDRAW, r.base.address, 5 * ETHER),
        swap,
        _lend(r, MoveKind.REPAY, r.asset.address, swap.limit),
    )


def lever(r: Readings) -> tuple[Move, ...]:
    swap = _swap(r, r.asset.address, 5_000 * DOLLAR)
    return (
        _lend(r, MoveKind.BORROW, r.asset.address, 5_000 * DOLLAR),
        swap,
        _lend(r, MoveKind.SUPPLY, r.base.address, swap.limit),
    )


def repay_idle(r: Readings) -> tuple[Move, ...]:
    return (_lend(r, MoveKind.REPAY, r.asset.address, MAX_UINT256),)


def supply_idle(r: Readings) -> tuple[Move, ...]:
    return (_lend(r, MoveKind.SUPPLY, r.asset.address, MAX_UINT256),)


def buy_with_idle(r: Readings) -> tuple[Move, ...]:
    return (_swap(r, r.asset.address, 500 * DOLLAR),)


def withdraw(r: Readings) -> tuple[Move, ...]:
    return (_lend(r, MoveKind.WITHDRAW, r.base.address, ETHER),)


def borrow_base(r: Readings) -> tuple[Move, ...]:
    return (_lend(r, MoveKind.BORROW, r.base.address, ETHER),)


def borrow_too_much(r: Readings) -> tuple[Move, ...]:
    return (_lend(r, MoveKind.BORROW, r.asset.address, 150_000 * DOLLAR),)


def greedy_swap(r: Readings) -> tuple[Move, ...]:
    return (_swap(r, r.asset.address, 500 * DOLLAR, keeps=1.01),)


def there_and_back(r: Readings) -> tuple[Move, ...]:
    sells = _swap(r, r.base.address, 5 * ETHER)
    buys = _swap(r, r.asset.address, 5_000 * DOLLAR)
    return (
        _lend(r, MoveKind.WITHDRAW, r.base.address, 5 * ETHER),
        sells,
        buys,
        _lend(r, MoveKind.REPAY, r.asset.address, sells.limit - buys.amount),
    )


ALL: tuple[Steps, ...] = (
    there_and_back,
    deleverage,
    lever,
    repay_idle,
    supply_idle,
    buy_with_idle,
    withdraw,
    borrow_base,
    borrow_too_much,
)
REDUCING = {deleverage, repay_idle, supply_idle}


def _plan(market: MarketState, steps: Steps) -> Plan:
    moves = steps(market.readings)
    exposed = [m for m in moves if m.kind not in (MoveKind.REPAY, MoveKind.SUPPLY)]
    return Plan(
        lane=Lane.ROUTINE,
        moves=moves,
        reason="a test",
        expected_health_wad=Wad(0),
        expected_net_delta=Raw(0),
        expected_loss=Raw(0),
        max_loss=Raw(200 * DOLLAR if exposed else 0),
        gas_limit_estimate=1_000_000,
        trades_price=bool(exposed),
    )


def _judged(kept: Kept, steps: Steps) -> tuple[set[str], str, bool]:
    """The guard's rules, the vault's words ('' if it takes the plan), and whether the plan only reduces."""
    with kept.keeper() as keeper:
        readings = keeper.read()
    policy = policies(kept.settings, 6)
    market = build_market(readings, policy.market)
    plan = _plan(market, steps)
    verdict = check(plan, market, policy.guard)
    intent = make_intent(rebalance_of(plan, readings), readings, 0, 600)
    call = {"from": readings.keeper, "to": intent.to, "data": call_data(intent), "gas": 5_000_000}
    try:
        kept.world.w3.eth.call(call, readings.block.hash)  # type: ignore[arg-type]
        said = ""
    except Web3Exception as error:
        said = str(error) or "refused"
    reduces = not grown_risks(rehearse(plan, market), readings.limits.min_health_wad)
    return {r.rule for r in verdict.refusals}, said, reduces


def _agrees(kept: Kept) -> dict[str, set[str]]:
    """Every plan judged by both; returns the guard's rules."""
    found = {}
    for steps in ALL:
        rules, said, reduces = _judged(kept, steps)
        assert (not rules) == (not said), f"{steps.__name__}: guard {rules}, vault {said}"
        assert reduces == (steps in REDUCING), steps.__name__
        found[steps.__name__] = rules
    return found


def test_guard_and_vault_agree_on_a_calm_vault(kept: Kept) -> None:
    found = _agrees(kept)
    assert not found["lever"]
    assert not found["deleverage"]
    assert found["borrow_too_much"] == {"min-health"}


def test_guard_and_vault_agree_on_a_paused_vault(kept: Kept) -> None:
    """V-08: what reduces every risk passes, everything else is refused."""
    mandate = kept.world.contract("Mandate", kept.deployment.mandate)
    send(kept.world.w3, mandate.functions.pause(), kept.world.accounts.guardian)
    found = _agrees(kept)
    assert {name for name, rules in found.items() if not rules} == {s.__name__ for s in REDUCING}


def test_guard_and_vault_agree_on_a_vault_that_winds_down(kept: Kept) -> None:
    mandate = kept.world.contract("Mandate", kept.deployment.mandate)
    send(kept.world.w3, mandate.functions.windDown(), kept.world.accounts.guardian)
    found = _agrees(kept)
    assert {name for name, rules in found.items() if not rules} == {s.__name__ for s in REDUCING}


def test_guard_and_vault_agree_while_there_is_no_price(kept: Kept) -> None:
    """V-07: only what conserves a token passes, and collateral only where it secures a debt."""
    kept.mine(400)  # the feed is older than its heartbeat
    found = {}
    for steps in ALL:
        rules, said, _ = _judged(kept, steps)
        assert (not rules) == (not said), f"{steps.__name__}: guard {rules}, vault {said}"
        found[steps.__name__] = rules
    passing = {name for name, rules in found.items() if not rules}
    assert passing == {"repay_idle", "supply_idle"}


def test_the_day_after_a_rescue_is_for_the_simulation_to_find(kept: Kept) -> None:
    """The guard cannot know of it: the plan that raises a risk waits, the one that reduces does not."""
    kept.market(1_380)
    vault = kept.world.contract("Vault", kept.deployment.vault)
    send(kept.world.w3, vault.functions.protect(), kept.world.accounts.depositor)
    kept.market(2_000)
    rules, said, _ = _judged(kept, lever)
    assert not rules
    assert COOLDOWN_ACTIVE in said
    assert _judged(kept, deleverage)[1] == ""
    kept.mine(24 * 300 - AVERAGE_BLOCKS)
    kept.market(2_000)
    assert _judged(kept, lever)[1] == ""


@pytest.mark.parametrize("price", [1_700, 2_400])
def test_guard_and_vault_agree_when_the_market_has_moved(kept: Kept, price: float) -> None:
    kept.market(price)
    _agrees(kept)


def test_a_swap_that_asks_for_more_than_there_is_is_for_the_simulation_to_find(kept: Kept) -> None:
    """What the pool will give is not the mandate's to know."""
    rules, said, _ = _judged(kept, greedy_swap)
    assert not rules
    assert said
