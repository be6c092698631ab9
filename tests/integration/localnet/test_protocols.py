"""The protocols of the local mainnet do what their mainnet namesakes do."""

import pytest
from web3 import Web3

from keeper.errors import LocalnetError
from keeper.localnet.market import set_market_price
from keeper.localnet.protocols.chainlink import replace_aggregator, submit
from keeper.localnet.protocols.deployer import Deployer
from keeper.localnet.rpc import rpc, send
from keeper.localnet.world import World

DOLLAR = 10**6
ETHER = 10**18
MAX = 2**256 - 1


def _deployer(world: World) -> Deployer:
    return Deployer(world.w3, world.root, world.accounts.deployer)


def test_a_submission_completes_a_round_that_the_proxy_shows(world: World) -> None:
    aggregator = world.contract("FluxAggregator", world.addresses.eth_usd_aggregator)
    proxy = world.contract("EACAggregatorProxy", world.addresses.eth_usd_feed)
    before = proxy.functions.latestRoundData().call()

    submit(_deployer(world), aggregator, world.accounts.oracle, 1_950 * 10**8)

    round_id, answer, _, updated_at, answered_in = proxy.functions.latestRoundData().call()
    assert (round_id, answer) == (before[0] + 1, 1_950 * 10**8)
    assert answered_in == round_id
    assert updated_at == world.w3.eth.get_block("latest")["timestamp"]


def test_only_the_oracle_may_submit(world: World) -> None:
    aggregator = world.contract("FluxAggregator", world.addresses.eth_usd_aggregator)
    with pytest.raises(LocalnetError, match="not enabled oracle"):
        submit(_deployer(world), aggregator, world.accounts.noise, 1_950 * 10**8)


def test_another_aggregator_behind_the_proxy_starts_a_new_phase(world: World) -> None:
    deployer = _deployer(world)
    proxy = world.contract("EACAggregatorProxy", world.addresses.eth_usd_feed)
    successor = replace_aggregator(deployer, proxy, world.accounts.oracle)
    submit(deployer, successor, world.accounts.oracle, 1_777 * 10**8)
    assert proxy.functions.phaseId().call() == 2
    assert proxy.functions.latestRoundData().call()[:2] == [2 * 2**64 + 1, 1_777 * 10**8]


@pytest.mark.parametrize("answer", [0, -1])
def test_a_feed_within_its_bounds_never_answers_nonsense_and_a_wider_one_does(
    world: World, answer: int
) -> None:
    deployer, oracle = _deployer(world), world.accounts.oracle
    proxy = world.contract("EACAggregatorProxy", world.addresses.eth_usd_feed)
    bounded = world.contract("FluxAggregator", world.addresses.eth_usd_aggregator)
    with pytest.raises(LocalnetError, match="value below minSubmissionValue"):
        submit(deployer, bounded, oracle, answer)
    wider = replace_aggregator(deployer, proxy, oracle, min_answer=-(10**15))
    submit(deployer, wider, oracle, answer)
    assert proxy.functions.latestAnswer().call() == answer


def test_a_swap_gives_exactly_what_the_quoter_says(world: World) -> None:
    a, trader = world.addresses, world.accounts.noise
    quoter = world.contract("QuoterV2", a.uniswap_quoter)
    router = world.contract("SwapRouter", a.uniswap_router)
    usdc = world.contract("ERC20", a.usdc)
    sold = 300 * ETHER
    quoted = quoter.functions.quoteExactInputSingle((a.weth, a.usdc, sold, 500, 0)).call()[0]
    before = usdc.functions.balanceOf(trader).call()

    send(
        world.w3,
        router.functions.exactInputSingle((a.weth, a.usdc, 500, trader, 2**63, sold, 0, 0)),
        trader,
    )

    received = usdc.functions.balanceOf(trader).call() - before
    assert received == quoted
    assert 0.995 < received / (2_000 * DOLLAR * 300) < 0.9995


def test_the_pool_is_thick_at_the_price_and_carries_trades_after_a_fall_of_60_percent(
    world: World,
) -> None:
    a = world.addresses
    quoter = world.contract("QuoterV2", a.uniswap_quoter).functions

    def cost_of_selling(usd: int, price: int) -> float:
        sold = usd * ETHER // price
        got = quoter.quoteExactInputSingle((a.weth, a.usdc, sold, 500, 0)).call()[0]
        return float(1 - got / (usd * DOLLAR))

    assert cost_of_selling(1_000_000, 2_000) < 0.002
    set_market_price(world, 800.0)
    assert cost_of_selling(100_000, 800) < 0.005


def test_the_pool_has_a_twap_over_an_hour(world: World) -> None:
    pool = world.contract("UniswapV3Pool", world.addresses.uniswap_pool)
    (then, now), _ = pool.functions.observe([3_600, 0]).call()
    assert (now - then) // 3_600 == pytest.approx(pool.functions.slot0().call()[1], abs=1)


def test_aave_prices_come_from_the_chainlink_proxies(world: World) -> None:
    a = world.addresses
    oracle = world.contract("AaveOracle", a.aave_oracle)
    assert oracle.functions.getSourceOfAsset(a.weth).call() == a.eth_usd_feed
    set_market_price(world, 1_234.5)
    assert oracle.functions.getAssetPrice(a.weth).call() == 123_450_000_000


def test_a_borrower_whose_collateral_falls_is_liquidated_with_the_bonus(world: World) -> None:
    a, borrower, liquidator = world.addresses, world.accounts.developer, world.accounts.liquidator
    pool = world.contract("AavePool", a.aave_pool)
    weth = world.contract("WETH9", a.weth)
    send(world.w3, weth.functions.approve(a.aave_pool, MAX), borrower)
    send(world.w3, pool.functions.supply(a.weth, 100 * ETHER, borrower, 0), borrower)
    send(world.w3, pool.functions.borrow(a.usdc, 150_000 * DOLLAR, 2, 0, borrower), borrower)
    assert pool.functions.getUserAccountData(borrower).call()[5] > ETHER
    seize = pool.functions.liquidationCall(a.weth, a.usdc, borrower, MAX, False)
    with pytest.raises(LocalnetError, match="45"):  # HEALTH_FACTOR_NOT_BELOW_THRESHOLD
        send(world.w3, seize, liquidator)

    set_market_price(world, 1_780.0)
    before = weth.functions.balanceOf(liquidator).call()
    send(world.w3, seize, liquidator)

    # Half the debt at health above 0.95; the protocol keeps a tenth of the 5 % bonus.
    seized = weth.functions.balanceOf(liquidator).call() - before
    assert seized == pytest.approx(75_000 / 1_780 * 1.045 * ETHER, rel=1e-5)


def test_reserves_have_mainnet_terms_and_live_rates(world: World) -> None:
    a = world.addresses
    data = world.contract("AaveDataProvider", a.aave_data_provider).functions
    weth, usdc = (data.getReserveConfigurationData(token).call() for token in (a.weth, a.usdc))
    assert weth[:5] == [18, 8_050, 8_300, 10_500, 1_500]
    assert usdc[:5] == [6, 7_700, 8_000, 10_450, 1_000]
    for token in (a.weth, a.usdc):
        supply_rate, borrow_rate = data.getReserveData(token).call()[5:7]
        assert 0 < supply_rate < borrow_rate < 10**26  # under 10 % a year


def test_multicall3_answers_several_calls_from_one_block(world: World) -> None:
    a = world.addresses
    multicall = world.contract("Multicall3", a.multicall3)
    proxy = world.contract("EACAggregatorProxy", a.eth_usd_feed)
    calls = [
        (a.eth_usd_feed, False, proxy.encode_abi("latestAnswer", [])),
        (a.multicall3, False, multicall.encode_abi("getBlockNumber", [])),
        (a.weth, True, "0xdeadbeef00"),
    ]
    answers = multicall.functions.aggregate3(calls).call()
    assert int.from_bytes(answers[0][1]) == 2_000 * 10**8
    assert int.from_bytes(answers[1][1]) == world.w3.eth.block_number


def test_every_inhabitant_can_act(world: World) -> None:
    a, people = world.addresses, world.accounts
    usdc, weth = (
        world.contract("ERC20", a.usdc).functions,
        world.contract("ERC20", a.weth).functions,
    )
    for account in (people.arbitrageur, people.noise, people.liquidator):
        assert usdc.balanceOf(account).call() > 10**8 * DOLLAR
        assert weth.balanceOf(account).call() >= 10**5 * ETHER
        assert usdc.allowance(account, a.uniswap_router).call() == MAX
        assert weth.allowance(account, a.uniswap_router).call() == MAX
    assert usdc.allowance(people.liquidator, a.aave_pool).call() == MAX


def test_the_chain_is_mainnet_by_id_and_its_clock_is_the_scenarios(world: World) -> None:
    assert world.w3.eth.chain_id == 1
    before = world.w3.eth.get_block("latest")
    rpc(world.w3, "evm_mine")
    after = world.w3.eth.get_block("latest")
    assert after["timestamp"] - before["timestamp"] == 12
    assert Web3(Web3.HTTPProvider(world.upstream_url)).eth.chain_id == 1
