// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IValuation} from "../../../contracts/interfaces/IValuation.sol";
import {Intruder} from "../invariants/Intruder.sol";
import {SystemFixture} from "../invariants/SystemFixture.sol";

/// @notice V-18: reentry into the same contract, across contracts (2025, $42M), and reading a value in the middle of a callback (2021, ~2,600
/// ETH), from every call that hands control to a stranger: a token with hooks, a pool, an auction's payment.
contract ReentryReplays is SystemFixture {
    Intruder private intruder;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 700_000e6)));
        _wait(1 days);
        _post(_smiles(600_000));
        intruder = new Intruder(vault, mandate, desk);
    }

    /// Same contract and read-only: every call of depositors, keepers and strangers, with tokens that call out.
    function test_replay_reentry_through_tokens() external {
        _request(mallory, 1000e6);
        usdc.setHook(address(intruder));
        weth.setHook(address(intruder));
        vm.prank(mallory);
        vault.cancelDepositRequest(mallory, mallory);
        _requireShut("cancel");
        _run(_one(_swapMove(address(weth), 1e18)));
        _requireShut("swap");
        _wait(2 minutes);
        _run(_one(_supplyMove(address(weth), 1e18)));
        _requireShut("supply");
        uint256 shares = vault.balanceOf(alice);
        vm.prank(alice);
        vault.requestRedeem(shares / 10, alice, alice);
        _settle();
        uint256 most = vault.maxWithdraw(alice);
        vm.prank(alice);
        vault.withdraw(most, alice, alice);
        _requireShut("withdraw");
        vm.prank(guardian);
        mandate.windDown();
        vm.prank(alice);
        vault.exitInKind(shares / 10, alice);
        _requireShut("exit in kind");
    }

    /// Across contracts: a hostile pool calls out while it holds the vault's swap.
    function test_replay_reentry_through_the_pool() external {
        pool.setHook(address(intruder));
        _run(_one(_swapMove(address(weth), 1e18)));
        _requireShut("pool");
    }

    /// Across contracts: while an auction is being paid the vault is not locked, and yet nothing can be valued or settled: its options are
    /// half sold.
    function test_replay_reentry_through_an_auction() external {
        uint256 id = _create(true, 2200e18, 0, 10 days);
        _run(_one(_writeMove(id, address(weth), 50e18, 300e18)));
        uint256 opened = auction.auctionCount();
        vm.warp(auction.auctionOf(opened).startAt + EPOCH);
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
        _bidder(mallory, 1e12);
        HalfSold reader = new HalfSold(address(vault), valuation, address(desk));
        usdc.setHook(address(reader));
        vm.prank(mallory);
        auction.bid(opened, 10e18, ALL, mallory);
        assertGt(reader.tries(), 0);
        assertEq(reader.entered(), 0, "V-18");
    }

    function _requireShut(string memory where) private {
        assertGt(intruder.tries(), 0, where);
        assertEq(intruder.entered(), 0, where);
        intruder.reset();
    }
}

/// @notice Called in the middle of a fill: reads values and settles.
contract HalfSold {
    address private immutable vault;
    IValuation private immutable valuation;
    address private immutable desk;
    uint256 public tries;
    uint256 public entered;

    constructor(address vault_, IValuation valuation_, address desk_) {
        (vault, valuation, desk) = (vault_, valuation_, desk_);
    }

    fallback() external {
        ++tries;
        _try(vault, abi.encodeWithSignature("nav()"));
        _try(vault, abi.encodeWithSignature("settle()"));
        _try(address(valuation), abi.encodeCall(valuation.marks, ()));
        _try(address(valuation), abi.encodeCall(valuation.measure, ()));
        _try(desk, abi.encodeWithSignature("measure(uint256)", 2000e18));
        _try(desk, abi.encodeWithSignature("positions(uint256)", 2000e18));
    }

    function _try(address target, bytes memory data) private {
        (bool ok,) = target.call(data);
        if (ok) ++entered;
    }
}
