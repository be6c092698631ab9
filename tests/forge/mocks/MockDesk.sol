// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IMandate} from "../../../contracts/interfaces/IMandate.sol";
import {BookValue, IOptionDesk} from "../../../contracts/interfaces/IOptionDesk.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";

/// @notice What a mandate sees of a desk: a book that is worth what it is told, that takes calls' collateral when written and gives it
/// back when cancelled, and fills that lose what they are told.
contract MockDesk {
    address public immutable vault;
    BookValue private _value;
    uint256 private _nextNotional;
    uint256 private _nextVega;
    bool public volatilityKnown = true;
    bool public matchesBook = true;
    uint256 public changes;
    uint256[] private _open;

    error VolatilityUnusable();

    constructor(address vault_) {
        vault = vault_;
    }

    // ---- set-up

    /// @notice What the next write sells at once: raw base, and asset for 1.00 of volatility.
    function setNext(uint256 notionalBase, uint256 vegaAsset) external {
        (_nextNotional, _nextVega) = (notionalBase, vegaAsset);
    }

    function setVolatilityKnown(bool known) external {
        volatilityKnown = known;
    }

    function setMatchesBook(bool matches) external {
        matchesBook = matches;
    }

    /// @notice A fill that loses `loss` against the mark.
    function fill(uint256 loss) external {
        IMandate(IVault(vault).mandate()).chargeFill(loss);
    }

    // ---- vault

    function write(uint256 id, uint256 amount, uint256) external returns (uint256) {
        address base = IVault(vault).base();
        if (amount != 0) require(IERC20(base).transferFrom(vault, address(this), amount), "pull");
        if (_open.length == 0) _open.push(id);
        ++changes;
        _value.collateralBase += amount;
        _value.notionalBase += _nextNotional;
        _value.vegaAsset += _nextVega;
        _value.openSeries = 1;
        return id;
    }

    function cancel(uint256) external {
        uint256 freed = _value.collateralBase;
        ++changes;
        _value.collateralBase = 0;
        require(IERC20(IVault(vault).base()).transfer(vault, freed), "pay");
    }

    function buyBack(uint256 id, uint256, uint256, uint256 cash) external returns (uint256) {
        require(IERC20(IVault(vault).asset()).transferFrom(vault, address(this), cash), "pull");
        _value.escrowAsset += cash;
        ++changes;
        return id;
    }

    // ---- views

    function measure(uint256) external view returns (BookValue memory) {
        if (!volatilityKnown) revert VolatilityUnusable();
        return _value;
    }

    function measureMid(uint256) external view returns (BookValue memory) {
        if (!volatilityKnown) revert VolatilityUnusable();
        return _value;
    }

    function openSeries() external view returns (uint256[] memory) {
        return _open;
    }

    function escrowAsset() external view returns (uint256) {
        return _value.escrowAsset;
    }

    /// @notice One call far out of the money over everything written, half of it sold.
    function positions(uint256) external view returns (IOptionDesk.Position[] memory result) {
        result = new IOptionDesk.Position[](_open.length);
        for (uint256 i; i < result.length; ++i) {
            result[i].id = _open[i];
            result[i].series.isCall = true;
            result[i].series.strikeWad = 1e6 * 1e18;
            result[i].written = _value.collateralBase;
            result[i].sold = _value.notionalBase;
        }
    }
}
