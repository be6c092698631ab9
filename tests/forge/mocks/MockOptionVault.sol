// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BookValue, IOptionDesk} from "../../../contracts/interfaces/IOptionDesk.sol";
import {OptionLimits} from "../../../contracts/libraries/OptionLimits.sol";

/// @notice What a desk sees of a vault and of its mandate, with a loss budget that is an amount. It measures the desk
/// while it is charged, as a vault that needs its NAV must.
contract MockOptionVault {
    address public immutable asset;
    address public immutable base;
    address public immutable oracle;
    IOptionDesk public desk;
    OptionLimits private _limits;
    uint256 public budget = type(uint256).max;
    uint256 public charged;
    uint256 public charges;
    bool public measuresWhenCharged = true;
    BookValue private _measured;

    error BudgetExceeded(uint256 loss, uint256 left);

    constructor(address asset_, address base_, address oracle_, OptionLimits memory limits_) {
        (asset, base, oracle) = (asset_, base_, oracle_);
        _limits = limits_;
    }

    function setDesk(IOptionDesk newDesk) external {
        desk = newDesk;
        IERC20(asset).approve(address(newDesk), type(uint256).max);
        IERC20(base).approve(address(newDesk), type(uint256).max);
    }

    function setLimits(OptionLimits calldata newLimits) external {
        newLimits.requireWithinHardBounds();
        _limits = newLimits;
    }

    function setBudget(uint256 newBudget) external {
        budget = newBudget;
    }

    function setMeasures(bool measures) external {
        measuresWhenCharged = measures;
    }

    function mandate() external view returns (address) {
        return address(this);
    }

    function optionLimits() external view returns (OptionLimits memory) {
        return _limits;
    }

    function measured() external view returns (BookValue memory) {
        return _measured;
    }

    function chargeFill(uint256 loss) external {
        require(msg.sender == address(desk), "not the desk");
        if (loss > budget) revert BudgetExceeded(loss, budget);
        if (budget != type(uint256).max) budget -= loss;
        charged += loss;
        ++charges;
        if (measuresWhenCharged) _measured = desk.measure(IPrice(oracle).priceWad());
    }

    function write(uint256 seriesId, uint256 amount, uint256 startPriceWad) external returns (uint256) {
        return desk.write(seriesId, amount, startPriceWad);
    }

    function buyBack(uint256 seriesId, uint256 amount, uint256 maxPriceWad, uint256 cash)
        external
        returns (uint256)
    {
        return desk.buyBack(seriesId, amount, maxPriceWad, cash);
    }

    function cancel(uint256 auctionId) external {
        desk.cancel(auctionId);
    }
}

interface IPrice {
    function priceWad() external view returns (uint256);
}
