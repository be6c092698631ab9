// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Mandate} from "../../../contracts/Mandate.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {OptionDesk} from "../../../contracts/adapters/OptionDesk.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {IValuation} from "../../../contracts/interfaces/IValuation.sol";

/// @notice Called in the middle of other people's calls, tries every door and reads every value (V-18). Enters nothing if all is well.
contract Intruder {
    Vault private immutable vault;
    IValuation private immutable valuation;
    OptionDesk private immutable desk;
    uint256 public tries;
    uint256 public entered;
    bytes4 public last;

    constructor(Vault vault_, Mandate mandate_, OptionDesk desk_) {
        (vault, valuation, desk) = (vault_, mandate_.valuation(), desk_);
    }

    function reset() external {
        (tries, entered) = (0, 0);
    }

    fallback() external {
        // Outside the vault's calls (a deposit of somebody's own, a trade) everything is open, and rightly so.
        if (!vault.locked()) return;
        ++tries;
        _try(address(vault), abi.encodeCall(vault.nav, ()));
        _try(address(vault), abi.encodeCall(vault.settle, ()));
        _try(address(vault), abi.encodeCall(vault.protect, ()));
        _try(address(vault), abi.encodeCall(vault.exitInKind, (1, address(this))));
        _try(address(vault), abi.encodeCall(vault.requestDeposit, (1, address(this), address(this))));
        _try(address(vault), abi.encodeCall(vault.requestRedeem, (1, address(this), address(this))));
        _try(address(vault), abi.encodeCall(vault.cancelDepositRequest, (address(this), address(this))));
        _try(address(vault), abi.encodeCall(vault.checkHedge, ()));
        _try(address(valuation), abi.encodeCall(valuation.nav, ()));
        _try(address(valuation), abi.encodeCall(valuation.marks, ()));
        _try(address(valuation), abi.encodeCall(valuation.measure, ()));
        _try(address(valuation), abi.encodeCall(valuation.holdings, ()));
        IVault.Move[] memory none;
        IVault.Intent memory intent;
        _try(address(vault), abi.encodeCall(vault.rebalance, (intent, none)));
    }

    function _try(address target, bytes memory data) private {
        (bool ok,) = target.call(data);
        if (ok) (entered, last) = (entered + 1, bytes4(data));
    }
}
