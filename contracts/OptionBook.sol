// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC6909TokenSupply} from "@openzeppelin/contracts/token/ERC6909/extensions/ERC6909TokenSupply.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IOptionBook} from "./interfaces/IOptionBook.sol";
import {ISettlementOracle} from "./interfaces/ISettlementOracle.sol";
import {OptionPayoff} from "./libraries/OptionPayoff.sol";

/// @title OptionBook
/// @notice Writes, buys back, settles, redeems and reclaims European series (V-09).
///
/// What holds, for every series and at every instant between two calls:
/// - while Open: longs outstanding = sum of what is written, and collateral = sum over writers of `collateralUp(written)`;
/// - once settled: collateral = payoffLeft + sum over writers of `collateralUp(written)` - burdenLeft, and payoffs and reclaims
///   together are the collateral exactly;
/// - a series can never pay out more than was paid in for it, whatever its oracle or its token does.
/// There is no owner, no pause, no fee, and no way out of the contract for collateral but `buyBack`, `redeem` and `reclaim`.
///
/// What may fail: a series is as good as its oracle and its tokens, which anybody may choose. Those who hold or write it accept
/// them; other series do not feel them. A token that delivers less than asked is refused when it is paid in, and one that
/// takes more than asked when it is paid out.
///
/// What is assumed of tokens: balances change by transfers only. A token that shrinks balances on its own is not detected.
contract OptionBook is IOptionBook, ERC6909TokenSupply, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev Three slots of terms, pinned at creation.
    struct Pinned {
        address base;
        uint64 expiry;
        bool isCall;
        uint8 baseDecimals;
        uint8 quoteDecimals;
        address quote;
        ISettlementOracle oracle;
        uint128 strikeWad;
        uint128 secondStrikeWad;
    }

    mapping(uint256 id => Pinned) private _pinned;
    mapping(uint256 id => State) private _states;
    mapping(uint256 id => mapping(address writer => uint256)) private _written;

    // ---------------------------------------------------------------- create

    /// @inheritdoc IOptionBook
    function create(Series calldata series) external returns (uint256 id) {
        id = idOf(series);
        if (_states[id].status != Status.Unknown) revert SeriesExists(id);
        if (block.timestamp >= series.expiry) revert SeriesExpired(id, series.expiry);
        (uint128 strike, uint128 second) = (series.strikeWad, series.secondStrikeWad);
        bool ordered = second == 0 || (series.isCall ? second > strike : second < strike);
        if (strike == 0 || !ordered) revert StrikesInvalid(strike, second);

        (address oracleBase, address oracleQuote) = (series.oracle.base(), series.oracle.quote());
        if (oracleBase != series.base || oracleQuote != series.quote || series.base == series.quote) {
            revert OracleMismatch(address(series.oracle), oracleBase, oracleQuote);
        }
        _pinned[id] = Pinned({
            base: series.base,
            expiry: series.expiry,
            isCall: series.isCall,
            baseDecimals: _agreedDecimals(series.base, series.oracle.baseDecimals()),
            quoteDecimals: _agreedDecimals(series.quote, series.oracle.quoteDecimals()),
            quote: series.quote,
            oracle: series.oracle,
            strikeWad: strike,
            secondStrikeWad: second
        });
        _states[id].status = Status.Open;
        emit SeriesCreated(id, series);
    }

    // ---------------------------------------------------------------- writers

    /// @inheritdoc IOptionBook
    function write(uint256 id, uint256 amount, address receiver)
        external
        nonReentrant
        returns (uint256 collateral)
    {
        State storage state = _requireStatus(id, Status.Open);
        Pinned storage pinned = _pinned[id];
        if (block.timestamp >= pinned.expiry) revert SeriesExpired(id, pinned.expiry);
        if (amount == 0) revert ZeroAmount();
        _requireReceiver(receiver);

        uint256 written = _written[id][msg.sender];
        OptionPayoff.Terms memory terms = _termsOf(pinned);
        // Cannot underflow: collateral grows with the amount.
        collateral =
            OptionPayoff.collateralUp(terms, written + amount) - OptionPayoff.collateralUp(terms, written);
        // Taken first, so that nobody ever sees a long without its collateral; the lock is on.
        _take(terms.isCall ? pinned.base : pinned.quote, collateral);
        _written[id][msg.sender] = written + amount;
        state.writtenLeft = (state.writtenLeft + amount).toUint128();
        state.collateral = (state.collateral + collateral).toUint128();
        _mint(receiver, id, amount);
        emit Written(id, msg.sender, receiver, amount, collateral);
    }

    /// @inheritdoc IOptionBook
    function buyBack(uint256 id, uint256 amount, address receiver)
        external
        nonReentrant
        returns (uint256 collateral)
    {
        State storage state = _requireStatus(id, Status.Open);
        if (amount == 0) revert ZeroAmount();
        _requireReceiver(receiver);
        uint256 written = _written[id][msg.sender];
        if (written < amount) revert WrittenTooLittle(id, msg.sender, written, amount);

        OptionPayoff.Terms memory terms = _termsOf(_pinned[id]);
        collateral =
            OptionPayoff.collateralUp(terms, written) - OptionPayoff.collateralUp(terms, written - amount);
        _written[id][msg.sender] = written - amount;
        state.writtenLeft = (state.writtenLeft - amount).toUint128();
        state.collateral = (state.collateral - collateral).toUint128();
        _burn(msg.sender, id, amount);
        emit BoughtBack(id, msg.sender, receiver, amount, collateral);
        _pay(id, receiver, collateral);
    }

    /// @inheritdoc IOptionBook
    function reclaim(uint256 id, address receiver) external nonReentrant returns (uint256 collateral) {
        State storage state = _requireSettled(id);
        _requireReceiver(receiver);
        uint256 written = _written[id][msg.sender];
        if (written == 0) revert NothingWritten(id, msg.sender);

        // Cannot underflow: the burden per unit is at most the greatest payoff per unit, and rounding up here only lowers it for
        // those who come later, so ceil(burden) <= ceil(greatest payoff) = collateral.
        uint256 burden = Math.mulDiv(state.burdenLeft, written, state.writtenLeft, Math.Rounding.Ceil);
        collateral = OptionPayoff.collateralUp(_termsOf(_pinned[id]), written) - burden;
        _written[id][msg.sender] = 0;
        state.writtenLeft = (state.writtenLeft - written).toUint128();
        state.burdenLeft = (state.burdenLeft - burden).toUint128();
        state.collateral = (state.collateral - collateral).toUint128();
        emit Reclaimed(id, msg.sender, receiver, written, collateral);
        _pay(id, receiver, collateral);
    }

    // ---------------------------------------------------------------- holders

    /// @inheritdoc IOptionBook
    function redeem(uint256 id, uint256 amount, address receiver)
        external
        nonReentrant
        returns (uint256 payoff)
    {
        _requireReceiver(receiver);
        return _redeem(id, msg.sender, amount, receiver);
    }

    /// @inheritdoc IOptionBook
    function redeemFor(uint256 id, address holder) external nonReentrant returns (uint256 payoff) {
        return _redeem(id, holder, balanceOf(holder, id), holder);
    }

    // ---------------------------------------------------------------- anyone

    /// @inheritdoc IOptionBook
    function settle(uint256 id) external nonReentrant returns (uint256 payoff) {
        State storage state = _requireStatus(id, Status.Open);
        Pinned storage pinned = _pinned[id];
        (ISettlementOracle.Status status, uint256 priceWad) = pinned.oracle.outcome(pinned.expiry);
        bool void = status == ISettlementOracle.Status.Void;
        bool settled = status == ISettlementOracle.Status.Settled && priceWad != 0;
        // An oracle that speaks of the future is lying: while a series can be written its price must be open.
        if (block.timestamp < pinned.expiry || !(void || settled)) revert NotSettleable(id, status);

        OptionPayoff.Terms memory terms = _termsOf(pinned);
        uint256 supply = totalSupply(id);
        payoff = void
            ? OptionPayoff.maxPayoffDown(terms, supply) / 2
            : OptionPayoff.payoffDown(terms, supply, priceWad);
        state.status = void ? Status.Void : Status.Settled;
        state.priceWad = void ? 0 : priceWad.toUint128();
        (state.payoffLeft, state.burdenLeft) = (payoff.toUint128(), payoff.toUint128());
        emit SeriesSettled(id, state.status, state.priceWad, payoff, state.collateral);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IOptionBook
    function idOf(Series calldata series) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(series)));
    }

    /// @inheritdoc IOptionBook
    function seriesOf(uint256 id) external view returns (Series memory) {
        Pinned storage pinned = _pinned[id];
        return Series({
            base: pinned.base,
            quote: pinned.quote,
            oracle: pinned.oracle,
            expiry: pinned.expiry,
            isCall: pinned.isCall,
            strikeWad: pinned.strikeWad,
            secondStrikeWad: pinned.secondStrikeWad
        });
    }

    /// @inheritdoc IOptionBook
    function stateOf(uint256 id) external view nonReentrantView returns (State memory) {
        return _states[id];
    }

    /// @inheritdoc IOptionBook
    function writtenOf(uint256 id, address writer) external view returns (uint256) {
        return _written[id][writer];
    }

    /// @inheritdoc IOptionBook
    function collateralUp(uint256 id, uint256 amount) external view returns (uint256) {
        return OptionPayoff.collateralUp(_termsOf(_pinned[id]), amount);
    }

    /// @inheritdoc IOptionBook
    function payoffDown(uint256 id, uint256 amount, uint256 priceWad) external view returns (uint256) {
        return OptionPayoff.payoffDown(_termsOf(_pinned[id]), amount, priceWad);
    }

    /// @inheritdoc IOptionBook
    function collateralToken(uint256 id) public view returns (address) {
        Pinned storage pinned = _pinned[id];
        return pinned.isCall ? pinned.base : pinned.quote;
    }

    // ---------------------------------------------------------------- inside

    /// @dev Longs sent to the book would be nobody's, and their payoff with them.
    function _update(address from, address to, uint256 id, uint256 amount) internal override {
        if (to == address(this)) revert InvalidReceiver(to);
        super._update(from, to, id, amount);
    }

    function _redeem(uint256 id, address holder, uint256 amount, address receiver)
        private
        returns (uint256 payoff)
    {
        State storage state = _requireSettled(id);
        if (amount == 0) revert ZeroAmount();
        uint256 supply = totalSupply(id);
        _burn(holder, id, amount); // reverts unless the holder has as many
        payoff = Math.mulDiv(state.payoffLeft, amount, supply);
        state.payoffLeft = (state.payoffLeft - payoff).toUint128();
        state.collateral = (state.collateral - payoff).toUint128();
        emit Redeemed(id, holder, receiver, amount, payoff);
        _pay(id, receiver, payoff);
    }

    function _take(address token, uint256 amount) private {
        if (amount == 0) return;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert TransferMismatch(token, amount, received);
    }

    /// @dev What leaves is measured too: a token that took more would take it from other series.
    function _pay(uint256 id, address receiver, uint256 amount) private {
        if (amount == 0) return;
        address token = collateralToken(id);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(receiver, amount);
        uint256 left = IERC20(token).balanceOf(address(this));
        if (left != before - amount) revert TransferMismatch(token, amount, before - left);
    }

    function _termsOf(Pinned storage pinned) private view returns (OptionPayoff.Terms memory) {
        return OptionPayoff.Terms({
            isCall: pinned.isCall,
            baseDecimals: pinned.baseDecimals,
            quoteDecimals: pinned.quoteDecimals,
            strikeWad: pinned.strikeWad,
            secondStrikeWad: pinned.secondStrikeWad
        });
    }

    function _agreedDecimals(address token, uint8 pinned) private view returns (uint8) {
        uint8 decimals = IERC20Metadata(token).decimals();
        if (decimals != pinned || decimals > 18) revert DecimalsMismatch(token, decimals, pinned);
        return decimals;
    }

    /// @dev The book itself could never claim anything, and what it is paid would be nobody's.
    function _requireReceiver(address receiver) private view {
        if (receiver == address(0) || receiver == address(this)) revert InvalidReceiver(receiver);
    }

    function _requireStatus(uint256 id, Status expected) private view returns (State storage state) {
        state = _states[id];
        if (state.status != expected) revert WrongStatus(id, state.status);
    }

    function _requireSettled(uint256 id) private view returns (State storage state) {
        state = _states[id];
        if (state.status != Status.Settled && state.status != Status.Void) {
            revert WrongStatus(id, state.status);
        }
    }
}
