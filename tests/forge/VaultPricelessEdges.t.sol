// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice Without a price (V-07), move by move: what is exposed is refused for that and before anything else is looked at.
contract VaultPricelessEdgesTest is MandateFixture {
    MockDesk private desk;

    function setUp() public override {
        super.setUp();
        pool.setFee(0);
        _deposit(alice, 1_000_000e6);
        _run(_one(_swapMove(address(usdc), 500_000e6)));
        _run(_one(_of(IVault.MoveKind.Write, address(desk), address(weth), 1e18)));
    }

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    function _of(IVault.MoveKind kind, address adapter, address token, uint256 amount)
        private
        pure
        returns (IVault.Move memory)
    {
        return IVault.Move(kind, adapter, token, amount, 1e18, 1);
    }

    function _needsPrice(uint256 index, IVault.MoveKind kind) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.MoveNeedsPrice.selector, index, kind);
    }

    /// Whatever its adapter, token and amount are.
    function testFuzz_an_exposed_move_is_refused_for_its_price_first(
        uint8 which,
        address adapter,
        address token,
        uint256 amount
    ) external {
        IVault.MoveKind[4] memory exposed = [
            IVault.MoveKind.Borrow, IVault.MoveKind.Swap, IVault.MoveKind.Write, IVault.MoveKind.BuyBack
        ];
        IVault.MoveKind kind = exposed[which % 4];
        _makeStale();
        _expectRefused(_one(_of(kind, adapter, token, amount)), _needsPrice(0, kind));
    }

    /// What a cancelled auction frees could hide a loss: it comes alone, and gives nothing back but what it freed.
    function test_a_cancelled_auction_comes_alone() external {
        IVault.Move memory cancel = _of(IVault.MoveKind.Cancel, address(desk), address(weth), 0);
        IVault.Move memory supply = _supplyMove(address(usdc), 1e6);
        IVault.Move memory withdraw = _withdrawMove(address(usdc), 1e6);
        _run(_one(supply));
        _makeStale();
        _expectRefused(_two(cancel, withdraw), _needsPrice(0, IVault.MoveKind.Cancel));
        _expectRefused(_two(withdraw, cancel), _needsPrice(1, IVault.MoveKind.Cancel));
        IVault.Intent memory intent = _intent(ALL);
        vm.expectEmit(address(vault));
        emit IVault.MoveApplied(intent.id, cancel.kind, cancel.adapter, cancel.token, 0, 0);
        vm.prank(keeper);
        vault.rebalance(intent, _one(cancel));
    }
}
