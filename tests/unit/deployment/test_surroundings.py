"""What is found on the chain: everything that is not as the file says is refused, by name."""

from dataclasses import replace
from typing import Any

import pytest

from keeper.deployment.parameters import Parameters
from keeper.deployment.plan import Decimals
from keeper.deployment.surroundings import (
    Feed,
    Owner,
    Pool,
    Surroundings,
    Token,
    notes,
    problems,
)
from tests.unit.deployment.test_violations import DESK, GOOD, changed

NOW = 1_700_000_000
TOKENS = (GOOD.vault.base, GOOD.vault.asset)
SAFE = Owner(has_code=True, safe_version="1.4.1", threshold=2, owners=3)
FOUND = Surroundings(
    chain_id=1,
    timestamp=NOW,
    asset=Token(6, "USDC"),
    base=Token(18, "WETH"),
    base_feed=Feed(8, "ETH / USD", 2_000 * 10**8, NOW - 60),
    quote_feed=Feed(8, "USDC / USD", 10**8, NOW - 60),
    oracle_pool=Pool(TOKENS, 300),
    swap_pool=Pool(TOKENS, 1),
    aave_reserves=TOKENS,
    owner=SAFE,
    sequencer_up=None,
    lens_fits=None,
)


def found(**changes: Any) -> Surroundings:
    return replace(FOUND, **changes)


def test_what_is_as_the_file_says_has_no_problem() -> None:
    assert problems(GOOD, FOUND) == ()
    assert FOUND.decimals == Decimals(asset=6, base_feed=8, quote_feed=8)


ETH = FOUND.base_feed


@pytest.mark.parametrize(
    ("p", "there", "said"),
    [
        (GOOD, found(chain_id=5), "chain_id: the file is for 1, the network is 5"),
        (GOOD, found(asset=Token(None, "")), "vault.asset: no token answers"),
        (GOOD, found(asset=Token(5, "GUSD")), "vault.asset: GUSD has 5 decimals"),
        (GOOD, found(base=Token(19, "ODD")), "vault.base: ODD has 19 decimals"),
        (GOOD, found(base_feed=Feed(None, "", 0, 0)), "oracle.base.feed: no Chainlink feed"),
        (GOOD, found(base_feed=Feed(19, "ETH / USD", 1, NOW)), "oracle.base.feed: no Chainlink feed"),
        (GOOD, found(base_feed=replace(ETH, description="BTC / USD")), "the feed says 'BTC / USD'"),
        (GOOD, found(base_feed=replace(ETH, answer=50 * 10**8)), "the answer now, 50, is not between"),
        (GOOD, found(base_feed=replace(ETH, answer=10**13)), "the answer now, 100000, is not between"),
        (GOOD, found(base_feed=replace(ETH, updated_at=NOW - 3_901)), "the answer now is 3901 s old"),
        (GOOD, found(quote_feed=Feed(None, "", 0, 0)), "oracle.quote.feed: no Chainlink feed"),
        (GOOD, found(oracle_pool=Pool((), 0)), "oracle.pool: there is no pool"),
        (GOOD, found(swap_pool=Pool((TOKENS[0], "0x1"), 9)), "venues.uniswap_pool: there is"),
        (GOOD, found(oracle_pool=Pool(TOKENS, 50)), "keeps 50 observations and 51 are needed"),
        (DESK, found(oracle_pool=Pool(TOKENS, 200), sequencer_up=True), "settlement.twap_window_s: the pool keeps 200"),
        (GOOD, found(aave_reserves=None), "no Aave v3 answers"),
        (GOOD, found(aave_reserves=(TOKENS[0],)), "does not list the asset"),
        (GOOD, found(aave_reserves=(TOKENS[1],)), "does not list the base"),
        (GOOD, found(owner=Owner(False, None, 0, 0)), "roles.owner: no contract is at"),
        (GOOD, found(owner=replace(SAFE, safe_version="1.2.0")), "is a Safe 1.2.0; 1.3.0 or newer"),
        (GOOD, found(owner=replace(SAFE, safe_version="strange")), "1.3.0 or newer is needed"),
        (GOOD, found(owner=replace(SAFE, threshold=0)), "a Safe that nobody has set up"),
        (GOOD, found(lens_fits=False), "lens: has not the code"),
        (DESK, found(), "oracle.sequencer.feed: no uptime feed answers"),
    ],
)  # fmt: skip
def test_what_is_not_as_the_file_says_is_refused(
    p: Parameters, there: Surroundings, said: str
) -> None:
    assert any(said in problem for problem in problems(p, there)), problems(p, there)


def test_ends_that_still_fit_are_taken() -> None:
    least = found(
        oracle_pool=Pool(TOKENS, 51),
        base_feed=replace(ETH, answer=50 * 10**8 + 1, updated_at=NOW - 3_900),
        owner=replace(SAFE, safe_version="1.3.0+L2"),
        lens_fits=True,
    )
    assert problems(GOOD, least) == ()


@pytest.mark.parametrize(
    ("p", "there", "said"),
    [
        (GOOD, FOUND, "owner: a Safe 1.4.1, 2 of 3"),
        (GOOD, found(owner=replace(SAFE, threshold=1)), "owner: ONE signature is enough"),
        (GOOD, found(owner=Owner(True, None, 0, 0)), "owner: a contract that is not a Safe"),
        (changed(GOOD, roles__allow_eoa_owner=True), found(owner=Owner(False, None, 0, 0)), "owner: ONE KEY"),
        (changed(GOOD, roles__curator=GOOD.roles.owner), FOUND, "curator: the owner itself"),
        (DESK, found(sequencer_up=False), "the sequencer is down now"),
    ],
)  # fmt: skip
def test_what_is_allowed_and_should_be_known_is_said(
    p: Parameters, there: Surroundings, said: str
) -> None:
    assert any(said in note for note in notes(p, there))


def test_an_owner_with_one_key_is_taken_when_asked_for() -> None:
    one_key = Owner(has_code=False, safe_version=None, threshold=0, owners=0)
    assert problems(changed(GOOD, roles__allow_eoa_owner=True), found(owner=one_key)) == ()
