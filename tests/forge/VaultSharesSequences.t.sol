// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fixture} from "./Fixture.sol";

/// @notice V-02: no sequence of requests, cancels, claims and settlements profits its caller at constant prices; rounding favours
/// the vault.
contract VaultSharesSequencesTest is Fixture {
    address[3] private _gang;
    uint256 private _spent;
    uint256 private _got;
    uint256 private _settlements;

    function setUp() public override {
        super.setUp();
        _gang = [mallory, makeAddr("moll"), makeAddr("max")];
        for (uint256 i; i < 3; ++i) {
            usdc.mint(_gang[i], 1e24);
            vm.startPrank(_gang[i]);
            usdc.approve(address(vault), ALL);
            // They work together: each acts for each.
            for (uint256 j; j < 3; ++j) {
                vault.setOperator(_gang[j], true);
            }
            vm.stopPrank();
        }
    }

    /// Three accounts of one mind, beside one holder who sits still, in a vault of dollars and base whose two price sources differ.
    function testFuzz_no_sequence_profits_its_callers(uint256 seed, uint8 steps, int8 apart) external {
        _lever(1_000_000e6, 5000, 3000);
        uint256 cents = uint256(200_000 + int256(apart)); // up to 0.06 % apart
        pool.setPrice(cents * 1e4, 1e18);
        uint256 before = _worth(alice);
        steps = uint8(bound(steps, 4, 40));
        for (uint256 i; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed);
        }
        _leave();
        assertLe(_got, _spent);
        // Nor does it cost the one who sits still: a unit a settlement, at most.
        assertGe(_worth(alice) + _settlements, before);
    }

    /// The same with nothing but dollars, where whoever rounds in his own favour would not hide behind a spread.
    function testFuzz_no_sequence_profits_its_callers_to_the_unit(uint256 seed, uint8 steps, uint64 gift)
        external
    {
        _deposit(alice, 1_000_000e6);
        usdc.mint(address(vault), gift % 1e12); // so that a share is no round number of units
        _settle();
        uint256 before = _worth(alice);
        steps = uint8(bound(steps, 4, 60));
        for (uint256 i; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed);
        }
        _leave();
        assertLe(_got, _spent);
        assertGe(_worth(alice) + _settlements, before);
    }

    /// Everything but the seed is the gang's: what they lose to each other stays theirs, and still nothing is made.
    function testFuzz_no_sequence_profits_in_an_empty_vault(uint256 seed, uint8 steps) external {
        steps = uint8(bound(steps, 4, 60));
        for (uint256 i; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed);
            if (seed >> 250 == 0) _give(seed);
        }
        _leave();
        assertLe(_got, _spent);
    }

    // ---------------------------------------------------------------- steps

    function _step(uint256 seed) private {
        address who = _gang[seed % 3];
        address other = _gang[(seed >> 8) % 3];
        // From a unit to a million dollars, every size as likely.
        uint256 amount = (seed >> 16) % 10 ** ((seed >> 64) % 13) + 1;
        uint256 action = (seed >> 128) % 10;
        vm.startPrank(other);
        if (action < 2) {
            vault.requestDeposit(amount, who, other);
            _spent += amount;
        } else if (action == 2) {
            uint256 has = vault.balanceOf(other);
            uint256 shares = seed >> 200 & 1 == 0 ? has : amount % (has + 1);
            if (shares != 0) vault.requestRedeem(shares, who, other);
        } else if (action == 3) {
            if (vault.pendingDepositRequest(0, who) != 0) _got += vault.cancelDepositRequest(who, who);
        } else if (action == 4) {
            if (vault.pendingRedeemRequest(0, who) != 0) vault.cancelRedeemRequest(who, other);
        } else if (action < 9) {
            _claim(action, who, other, amount);
        }
        vm.stopPrank();
        if (action == 9) _settleCounted();
    }

    function _claim(uint256 action, address who, address receiver, uint256 amount) private {
        if (action == 5) {
            uint256 most = vault.maxDeposit(who);
            if (most != 0) vault.deposit(amount % most + 1, receiver, who);
        } else if (action == 6) {
            uint256 most = vault.maxMint(who);
            if (most != 0) vault.mint((amount * 1e12) % most + 1, receiver, who);
        } else if (action == 7) {
            uint256 most = vault.maxRedeem(who);
            if (most != 0) _got += vault.redeem((amount * 1e12) % most + 1, receiver, who);
        } else {
            uint256 most = vault.maxWithdraw(who);
            uint256 assets = most == 0 ? 0 : amount % most + 1;
            if (assets != 0) vault.withdraw(assets, receiver, who);
            _got += assets;
        }
    }

    function _give(uint256 seed) private {
        uint256 gift = seed % 1e9;
        usdc.mint(address(vault), gift);
        _spent += gift;
    }

    function _settleCounted() private {
        _settle();
        ++_settlements;
    }

    /// @dev Everything is taken back, claimed, redeemed and claimed.
    function _leave() private {
        for (uint256 i; i < 3; ++i) {
            address who = _gang[i];
            vm.startPrank(who);
            if (vault.pendingDepositRequest(0, who) != 0) _got += vault.cancelDepositRequest(who, who);
            if (vault.maxDeposit(who) != 0) vault.deposit(vault.maxDeposit(who), who);
            if (vault.maxMint(who) != 0) vault.mint(vault.maxMint(who), who);
            uint256 shares = vault.balanceOf(who);
            if (shares != 0) vault.requestRedeem(shares, who, who);
            vm.stopPrank();
        }
        for (uint256 i; i < 3; ++i) {
            _settleCounted(); // liquid assets may not cover all of it at once
        }
        for (uint256 i; i < 3; ++i) {
            address who = _gang[i];
            vm.startPrank(who);
            if (vault.maxRedeem(who) != 0) _got += vault.redeem(vault.maxRedeem(who), who, who);
            uint256 rest = vault.maxWithdraw(who);
            if (rest != 0) vault.withdraw(rest, who, who);
            _got += rest;
            vm.stopPrank();
        }
    }

    function _worth(address who) private view returns (uint256) {
        return vault.balanceOf(who) * (valuation.marks().low + 1) / (vault.totalSupply() + 1e12);
    }

    // ---------------------------------------------------------------- rounding and griefing

    /// A thousand claims of a few units each get what one claim would have got, and not a unit more.
    function testFuzz_a_thousand_tiny_claims_are_worth_one(uint256 assets, uint256 gift, uint256 seed)
        external
    {
        assets = bound(assets, 5e6, 1e12);
        _deposit(alice, 1e12);
        usdc.mint(address(vault), bound(gift, 1, 1e12));
        _settle();
        vm.prank(mallory);
        vault.requestDeposit(assets, mallory, mallory);
        _settle();
        uint256 whole = vault.maxMint(mallory);
        uint256 got;
        vm.startPrank(mallory);
        for (uint256 i; i < 1000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            got += vault.deposit(seed % 5000 + 1, mallory);
        }
        if (vault.maxDeposit(mallory) != 0) got += vault.deposit(vault.maxDeposit(mallory), mallory);
        if (vault.maxMint(mallory) != 0) got += vault.maxMint(mallory);
        vm.stopPrank();
        assertEq(got, whole);
    }

    /// A thousand payments of a unit each are worth no more than one payment.
    function testFuzz_a_thousand_tiny_payments_are_worth_one(uint256 assets, uint256 seed) external {
        assets = bound(assets, 5000, 1e9);
        _deposit(alice, 1e12);
        uint256 shares = _depositAs(mallory, assets);
        vm.prank(mallory);
        vault.requestRedeem(shares, mallory, mallory);
        _settle();
        uint256 whole = vault.maxWithdraw(mallory);
        assertLe(whole, assets);
        uint256 got;
        vm.startPrank(mallory);
        for (uint256 i; i < 1000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            if (seed & 1 == 0) got += vault.redeem(seed % (shares / 2000) + 1, mallory, mallory);
            else got += _withdraw(mallory, 1);
        }
        vm.stopPrank();
        assertEq(got + vault.maxWithdraw(mallory), whole);
    }

    function _withdraw(address who, uint256 assets) private returns (uint256) {
        vault.withdraw(assets, who, who);
        return assets;
    }

    function _depositAs(address who, uint256 assets) private returns (uint256) {
        vm.prank(who);
        vault.requestDeposit(assets, who, who);
        _settle();
        vm.prank(who);
        return vault.deposit(assets, who);
    }

    /// Strangers who request dust in another's name before every settlement cost him a unit each time, at most, and give him
    /// their dust.
    function testFuzz_dust_requests_in_anothers_name_cost_him_next_to_nothing(uint256 assets, uint256 parts)
        external
    {
        assets = bound(assets, 100e6, 1e12);
        uint256 shares = _deposit(alice, assets);
        _depositAs(mallory, 1e6);
        _run(_one(_supplyMove(address(usdc), ALL)));
        vm.prank(alice);
        vault.requestRedeem(shares, alice, alice);
        uint256 epochs = parts % 12 + 2;
        for (uint256 i; i < epochs; ++i) {
            vm.startPrank(mallory);
            vault.requestRedeem(1, alice, mallory);
            vault.requestRedeem(1, alice, mallory);
            vm.stopPrank();
            uint256 most = assets / epochs;
            parts = uint256(keccak256(abi.encode(parts)));
            _run(_one(_withdrawMove(address(usdc), i == epochs - 1 ? ALL : parts % most + 1)));
            _settle();
        }
        assertLe(vault.pendingRedeemRequest(0, alice), 1e12);
        uint256 owed = vault.maxWithdraw(alice);
        assertLe(owed, assets);
        assertGe(owed + 3 * epochs + 5, assets);
    }
}
