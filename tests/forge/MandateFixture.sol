// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {Fixture} from "./Fixture.sol";

/// @notice What tests of the mandate do over and over: change terms, move the venue's indices, spend a bucket.
abstract contract MandateFixture is Fixture {
    /// @dev By the guardian, at once.
    function _tighten(IMandate.Terms memory terms) internal {
        vm.prank(guardian);
        mandate.tighten(terms);
    }

    function _tightenLimits(IMandate.Limits memory limits) internal {
        IMandate.Terms memory terms = mandate.terms();
        terms.limits = limits;
        _tighten(terms);
    }

    function _tightenCaps(IMandate.Caps memory caps) internal {
        IMandate.Terms memory terms = mandate.terms();
        terms.caps = caps;
        _tighten(terms);
    }

    /// @dev By the curator, after its delay.
    function _setLimits(IMandate.Limits memory limits) internal {
        IMandate.Terms memory terms = mandate.terms();
        terms.limits = limits;
        _setTerms(terms);
    }

    function _setCaps(IMandate.Caps memory caps) internal {
        IMandate.Terms memory terms = mandate.terms();
        terms.caps = caps;
        _setTerms(terms);
    }

    function _pause() internal {
        vm.prank(guardian);
        mandate.pause();
    }

    function _tries(IVault.Move[] memory moves) internal returns (bool) {
        IVault.Intent memory intent = _intent(ALL);
        vm.prank(keeper);
        try vault.rebalance(intent, moves) {
            return true;
        } catch {
            return false;
        }
    }

    function _tries(IVault.Move memory move) internal returns (bool) {
        return _tries(_one(move));
    }

    function _two(IVault.Move memory first, IVault.Move memory second)
        internal
        pure
        returns (IVault.Move[] memory moves)
    {
        moves = new IVault.Move[](2);
        (moves[0], moves[1]) = (first, second);
    }

    function _three(IVault.Move memory first, IVault.Move memory second, IVault.Move memory third)
        internal
        pure
        returns (IVault.Move[] memory moves)
    {
        moves = new IVault.Move[](3);
        (moves[0], moves[1], moves[2]) = (first, second, third);
    }

    /// @dev A day passes, what was charged is refilled, the price stays.
    function _refill() internal {
        _wait(1 days);
    }

    function _left(IMandate.Bucket bucket) internal view returns (uint256 leftWad) {
        (leftWad,) = mandate.budget(bucket);
    }

    function _idleUsdc() internal view returns (uint256) {
        return vault.idle(address(usdc));
    }

    function _worth(uint256 baseAmount) internal view returns (uint256) {
        return Math.mulDiv(baseAmount, oracle.priceWad(), 1e30);
    }

    function _grow(address indexed_, uint256 ray) internal {
        (bool ok,) = indexed_.call(abi.encodeWithSignature("grow(uint256)", ray));
        assertTrue(ok);
    }

    function _aToken(address token) internal view returns (address) {
        return aave.getReserveData(token).aTokenAddress;
    }

    function _debtToken(address token) internal view returns (address) {
        return aave.getReserveData(token).variableDebtTokenAddress;
    }

    /// @dev Dollars behind, base owed: a short of 200,000 dollars in a vault of a million.
    function _goShort() internal {
        _deposit(alice, 1_000_000e6);
        _run(_two(_supplyMove(address(usdc), 600_000e6), _borrowMove(address(weth), 100e18)));
    }
}
