// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IVaultShares} from "../../../contracts/interfaces/IVaultShares.sol";
import {Ghosts} from "./Ghosts.sol";

/// @notice Three depositors ask, cancel, settle, claim, let others act for them, and leave in kind; a stranger tries to.
abstract contract Depositors is Ghosts {
    function request(uint256 who, uint256 assets) external counted("request") {
        address person = people[who % 3];
        assets = _bound(assets, 1, 300_000e6);
        usdc.mint(person, assets);
        vm.startPrank(person);
        usdc.approve(address(vault), assets);
        try vault.requestDeposit(assets, person, person) {
            ++effects["request"];
        } catch (bytes memory reason) {
            _refused(reason);
        }
        vm.stopPrank();
    }

    function requestOut(uint256 who, uint256 shares) external counted("requestOut") {
        address person = people[who % 3];
        uint256 most = vault.balanceOf(person);
        if (most == 0) return;
        vm.prank(person);
        vault.requestRedeem(_bound(shares, 1, most), person, person);
        ++effects["requestOut"];
    }

    /// @notice V-17: what waits can be taken back whatever the vault is in.
    function cancel(uint256 who, bool ofDeposit) external counted("cancel") {
        address person = people[who % 3];
        uint256 waits =
            ofDeposit ? vault.pendingDepositRequest(0, person) : vault.pendingRedeemRequest(0, person);
        if (waits == 0) return;
        uint256 before = ofDeposit ? usdc.balanceOf(person) : vault.balanceOf(person);
        vm.prank(person);
        if (ofDeposit) vault.cancelDepositRequest(person, person);
        else vault.cancelRedeemRequest(person, person);
        uint256 got = (ofDeposit ? usdc.balanceOf(person) : vault.balanceOf(person)) - before;
        if (got != waits) ++broken["V-02"];
        ++effects["cancel"];
    }

    /// @notice V-01, V-03: claimed is what was settled, part by part, by the controller or an operator and nobody else.
    function claim(uint256 who, uint256 part, bool out, bool byOperator) external counted("claim") {
        address person = people[who % 3];
        address caller = byOperator ? people[(who + 1) % 3] : person;
        vm.prank(person);
        vault.setOperator(caller, true);
        _claimAsStranger(person);
        if (out) _claimAssets(person, caller, part);
        else _claimShares(person, caller, part);
        vm.prank(person);
        vault.setOperator(caller, false);
    }

    function settle(bool early) external counted("settle") {
        uint256 due = vault.epochState().dueAt;
        if (vm.getBlockTimestamp() < due) {
            if (early) {
                try vault.settle() {
                    ++broken["V-03"];
                } catch {}
                return;
            }
            vm.warp(due);
            _refreshFeeds();
        }
        _settleWatched();
    }

    /// @notice V-02: in and out at constant prices, whoever else waits, whatever the vault holds.
    function roundTrip(uint256 assets, uint256 again) external counted("roundTrip") {
        address person = address(uint160(0xDEAD0000 + calls["roundTrip"])); // somebody new
        assets = _bound(assets, 1, 500_000e6);
        usdc.mint(person, assets);
        vm.startPrank(person);
        usdc.approve(address(vault), ALL);
        for (uint256 i; i <= again % 2; ++i) {
            uint256 cash = usdc.balanceOf(person);
            try vault.requestDeposit(cash / (1 + again % 3), person, person) {} catch {}
            _settleNow();
            uint256 most = vault.maxDeposit(person);
            if (most != 0) vault.deposit(most, person);
            uint256 shares = vault.balanceOf(person);
            if (shares != 0) vault.requestRedeem(shares, person, person);
            _settleNow();
            shares = vault.maxRedeem(person);
            if (shares != 0) vault.redeem(shares, person, person);
            if (vault.pendingRedeemRequest(0, person) != 0) vault.cancelRedeemRequest(person, person);
            if (vault.pendingDepositRequest(0, person) != 0) vault.cancelDepositRequest(person, person);
            ++effects["roundTrip"];
        }
        vm.stopPrank();
        uint256 worth = usdc.balanceOf(person) + vault.convertToAssets(vault.balanceOf(person));
        if (worth > assets) ++broken["V-02"];
    }

    /// @notice V-17: while winding down every share leaves at once with its part, without keeper or price.
    function exitInKind(uint256 who, uint256 shares) external counted("exitInKind") {
        if (!mandate.windingDown()) return;
        address person = people[who % 3];
        shares = vault.balanceOf(person) * _bound(shares, 1, 100) / 100;
        if (shares != 0 && _exit(person, shares)) ++effects["exitInKind"];
    }

    function donate(uint256 amount, bool ofBase) external counted("donate") {
        if (ofBase) weth.mint(address(vault), _bound(amount, 1, 1e17));
        else usdc.mint(address(vault), _bound(amount, 1, 100e6));
        ++effects["donate"];
    }

    // ---------------------------------------------------------------- inside

    function _exit(address person, uint256 shares) internal returns (bool) {
        if (desk.openSeries().length != 0) return false;
        usdc.mint(person, 1e13); // what is owed is brought
        weth.mint(person, 1e22);
        vm.startPrank(person);
        usdc.approve(address(vault), ALL);
        weth.approve(address(vault), ALL);
        try vault.exitInKind(shares, person) {}
        catch {
            // A venue may keep a part of the collateral only while it is priceless or unhealthy.
            if (aave.health_(address(lending)) > 1e18) ++broken["V-17"];
            vm.stopPrank();
            return false;
        }
        vm.stopPrank();
        return true;
    }

    function _claimAsStranger(address person) private {
        uint256 most = vault.maxWithdraw(person);
        vm.startPrank(stranger);
        if (most != 0) {
            try vault.withdraw(most, stranger, person) {
                ++broken["V-15"];
            } catch {}
        }
        most = vault.maxDeposit(person);
        if (most != 0) {
            try vault.deposit(most, stranger, person) {
                ++broken["V-15"];
            } catch {}
        }
        vm.stopPrank();
    }

    function _claimAssets(address person, address caller, uint256 part) private {
        uint256 most = vault.maxWithdraw(person);
        if (most == 0) return;
        uint256 reserved = vault.epochState().reserved;
        uint256 before = usdc.balanceOf(person);
        part = _bound(part, 1, most);
        vm.prank(caller);
        vault.withdraw(part, person, person);
        bool exact = usdc.balanceOf(person) == before + part;
        if (!exact || vault.maxWithdraw(person) != most - part) ++broken["V-03"];
        if (vault.epochState().reserved != reserved - part) ++broken["V-01"];
        ++effects["claim"];
    }

    function _claimShares(address person, address caller, uint256 part) private {
        uint256 most = vault.maxDeposit(person);
        if (most == 0) return;
        uint256 shares = vault.maxMint(person);
        part = _bound(part, 1, most);
        vm.prank(caller);
        uint256 got = vault.deposit(part, person, person);
        // At the price it was settled at, rounded down.
        if (got * most > shares * part || vault.maxMint(person) != shares - got) ++broken["V-03"];
        ++effects["claim"];
    }

    function _settleNow() internal {
        vm.warp(
            vault.epochState().dueAt > vm.getBlockTimestamp()
                ? vault.epochState().dueAt
                : vm.getBlockTimestamp()
        );
        _refreshFeeds();
        try vault.settle() {} catch {}
    }

    function _settleWatched() private {
        uint256[6] memory before = _settled();
        IVaultShares.EpochState memory epoch = vault.epochState();
        uint256 fee = vault.balanceOf(collector);
        uint256 supply = vault.totalSupply();
        uint256 elapsed = vm.getBlockTimestamp() - epoch.settledAt;
        try vault.settle() {}
        catch (bytes memory reason) {
            _refused(reason);
            return;
        }
        ++effects["settle"];
        uint256[6] memory later = _settled();
        for (uint256 i; i < 6; ++i) {
            if (later[i] < before[i]) ++broken["V-03"];
        }
        _checkFees(vault.balanceOf(collector) - fee, supply, elapsed, epoch);
    }

    /// @dev V-13: at most the ceilings; without a new high, management alone.
    function _checkFees(
        uint256 minted,
        uint256 supply,
        uint256 elapsed,
        IVaultShares.EpochState memory before
    ) private {
        if (elapsed > 365 days) elapsed = 365 days;
        uint256 management = supply * 300 * elapsed / (10_000 * 365 days - 300 * elapsed) + 1;
        bool newHigh = vault.epochState().highWaterMark > before.highWaterMark;
        if (!newHigh && minted > management) ++broken["V-13"];
        if (minted > management + (supply + management) * 3000 / 7000) ++broken["V-13"];
        if (minted != 0) ++effects["fees"];
        if (vault.epochState().highWaterMark < before.highWaterMark) ++broken["V-13"];
    }

    /// @dev Claims of each, in assets of redemptions and shares of deposits.
    function _settled() private view returns (uint256[6] memory claims) {
        for (uint256 i; i < 3; ++i) {
            (claims[i], claims[i + 3]) = (vault.maxWithdraw(people[i]), vault.maxMint(people[i]));
        }
    }

    function _refreshFeeds() internal {
        ethFeed.set(ethFeed.answer());
        usdcFeed.set(usdcFeed.answer());
    }
}
