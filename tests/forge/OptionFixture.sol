// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {OptionBook} from "../../contracts/OptionBook.sol";
import {IOptionBook} from "../../contracts/interfaces/IOptionBook.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {MockOddToken} from "./mocks/MockOddToken.sol";
import {MockSettlementOracle} from "./mocks/MockSettlementOracle.sol";

/// @notice A book with one pair of tokens, an oracle that says what it is told, and rich writers and holders.
abstract contract OptionFixture is Test {
    uint64 internal constant EXPIRY = 1_700_000_000;
    uint256 internal constant RICH = type(uint128).max;

    OptionBook internal book;
    MockOddToken internal base;
    MockOddToken internal quote;
    MockSettlementOracle internal oracle;
    address internal writer = makeAddr("writer");
    address internal other = makeAddr("other");
    address internal holder = makeAddr("holder");

    function setUp() public virtual {
        vm.warp(EXPIRY - 30 days);
        book = new OptionBook();
        _market(18, 6);
    }

    function _market(uint8 baseDecimals, uint8 quoteDecimals) internal {
        base = new MockOddToken("BASE", baseDecimals);
        quote = new MockOddToken("QUOTE", quoteDecimals);
        oracle = new MockSettlementOracle(address(base), address(quote), baseDecimals, quoteDecimals);
        address[2] memory writers = [writer, other];
        for (uint256 i; i < 2; ++i) {
            base.mint(writers[i], RICH);
            quote.mint(writers[i], RICH);
            vm.startPrank(writers[i]);
            base.approve(address(book), type(uint256).max);
            quote.approve(address(book), type(uint256).max);
            vm.stopPrank();
        }
    }

    function _series(bool isCall, uint128 strike, uint128 second)
        internal
        view
        returns (IOptionBook.Series memory)
    {
        return IOptionBook.Series({
            base: address(base),
            quote: address(quote),
            oracle: ISettlementOracle(address(oracle)),
            expiry: EXPIRY,
            isCall: isCall,
            strikeWad: strike,
            secondStrikeWad: second
        });
    }

    function _create(bool isCall, uint128 strike, uint128 second) internal returns (uint256) {
        return book.create(_series(isCall, strike, second));
    }

    function _write(address by, uint256 id, uint256 amount) internal returns (uint256) {
        vm.prank(by);
        return book.write(id, amount, holder);
    }

    function _settleAt(uint256 id, uint256 priceWad) internal returns (uint256) {
        vm.warp(EXPIRY);
        oracle.set(ISettlementOracle.Status.Settled, priceWad);
        return book.settle(id);
    }

    function _redeemAll(uint256 id) internal returns (uint256) {
        uint256 amount = book.balanceOf(holder, id);
        vm.prank(holder);
        return book.redeem(id, amount, holder);
    }

    function _reclaim(address by, uint256 id) internal returns (uint256) {
        vm.prank(by);
        return book.reclaim(id, by);
    }
}
