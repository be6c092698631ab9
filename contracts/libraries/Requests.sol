// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Requests
/// @notice One side of an asynchronous vault: amounts wait, are settled together at one price, wholly or pro rata, and are
/// claimed one by one. Settling writes the same few slots whatever the number of requests.
///
/// @dev `rest` is the fraction of one unit, requested when the generation began, that still waits; `paid` is what that unit has
/// been paid. Whoever joins later notes both, and owns amount x rest / rest noted and amount x (paid - paid noted) / rest noted.
/// A settlement of everything, or one that leaves almost nothing of `rest`, ends the generation; what is left is carried into
/// the next. All divisions round down, so that the parts never sum to more than the whole; `rest` falls by 10^3 before an
/// amount is carried once, so that a request is carried a dozen times at most.
library Requests {
    using SafeCast for uint256;

    uint256 internal constant RAY = 1e27;
    /// @dev A generation ends when less than this is left of a unit: digits enough remain for everything divided by it.
    uint256 internal constant LEAST_REST = 1e24;
    /// @dev The generation of a request that waits for nothing: its slot stays in use, which makes the next request 17,100 gas
    /// cheaper.
    uint24 private constant USED = type(uint24).max;
    uint8 private constant SETTLED = 1;
    uint8 private constant NOTED = 2;

    /// @param pending units that wait, of everybody
    /// @param generation the one that requests join now
    /// @param gone RAY less `rest`
    /// @param paid out-units per in-unit, times the queue's scale
    struct Queue {
        uint128 pending;
        uint24 generation;
        uint96 gone;
        uint128 paid;
        mapping(uint256 generation => End) ended;
    }

    struct End {
        uint96 rest;
        uint128 paid;
        bool ended;
    }

    /// @dev Three slots, of which the first alone is used by a request that is settled at once and claimed whole.
    struct Request {
        Waiting waiting;
        Settled settled;
        Noted noted;
    }

    /// @param held nothing of the library's: a balance of the same account that is kept in the same slot
    /// @param flags SETTLED and NOTED: the other slots of the request are in use
    struct Waiting {
        uint112 amount;
        uint112 held;
        uint24 generation;
        uint8 flags;
    }

    struct Settled {
        uint128 amountIn;
        uint128 amountOut;
    }

    struct Noted {
        uint128 rest;
        uint128 paid;
    }

    error ClaimTooLarge(uint256 amount, uint256 claimable);

    /// @notice Add to what waits.
    function join(Queue storage queue, Request storage request, uint256 amount, uint256 scale) internal {
        (uint256 waiting, uint256 amountIn, uint256 amountOut) = split(queue, request, scale);
        queue.pending = (uint256(queue.pending) + amount).toUint128();
        _store(queue, request, waiting + amount, amountIn, amountOut);
    }

    /// @notice Take back all that waits; what is settled stays.
    function leave(Queue storage queue, Request storage request, uint256 scale)
        internal
        returns (uint256 waiting)
    {
        uint256 amountIn;
        uint256 amountOut;
        (waiting, amountIn, amountOut) = split(queue, request, scale);
        queue.pending -= uint128(waiting); // parts never sum to more than the whole
        _store(queue, request, 0, amountIn, amountOut);
    }

    /// @notice Claim in-units that are settled; returns the out-units they became, rounded down.
    function claimIn(Queue storage queue, Request storage request, uint256 amount, uint256 scale)
        internal
        returns (uint256 out)
    {
        (uint256 waiting, uint256 amountIn, uint256 amountOut) = split(queue, request, scale);
        if (amount > amountIn) revert ClaimTooLarge(amount, amountIn);
        if (amount == 0) return 0;
        out = amount == amountIn ? amountOut : Math.mulDiv(amountOut, amount, amountIn);
        _store(queue, request, waiting, amountIn - amount, amountOut - out);
    }

    /// @notice Claim out-units; returns the in-units they came from, rounded up.
    function claimOut(Queue storage queue, Request storage request, uint256 amount, uint256 scale)
        internal
        returns (uint256 spent)
    {
        (uint256 waiting, uint256 amountIn, uint256 amountOut) = split(queue, request, scale);
        if (amount > amountOut) revert ClaimTooLarge(amount, amountOut);
        if (amount == 0) return 0;
        spent = Math.mulDiv(amountIn, amount, amountOut, Math.Rounding.Ceil);
        _store(queue, request, waiting, amountIn - spent, amountOut - amount);
    }

    /// @notice Settle `amountIn` of what waits for `amountOut`, the same part of everybody's. 0 < amountIn <= pending.
    function settle(Queue storage queue, uint256 amountIn, uint256 amountOut, uint256 scale) internal {
        uint256 pending = queue.pending;
        uint256 rest = RAY - queue.gone;
        uint256 paid = queue.paid + Math.mulDiv(Math.mulDiv(amountOut, scale, pending), rest, RAY);
        rest = Math.mulDiv(rest, pending - amountIn, pending);
        if (rest < LEAST_REST) {
            queue.ended[queue.generation] = End(rest.toUint96(), paid.toUint128(), true);
            ++queue.generation;
            (queue.gone, queue.paid) = (0, 0);
        } else {
            (queue.gone, queue.paid) = ((RAY - rest).toUint96(), paid.toUint128());
        }
        queue.pending = (pending - amountIn).toUint128();
    }

    /// @notice A request as it stands now: in-units that wait, in-units settled and unclaimed, and what these became.
    function split(Queue storage queue, Request storage request, uint256 scale)
        internal
        view
        returns (uint256 waiting, uint256 amountIn, uint256 amountOut)
    {
        uint256 generation = request.waiting.generation;
        uint256 flags = request.waiting.flags;
        waiting = request.waiting.amount;
        if (flags & SETTLED != 0) {
            (amountIn, amountOut) = (request.settled.amountIn, request.settled.amountOut);
        }
        if (waiting == 0) return (waiting, amountIn, amountOut);
        amountIn += waiting;
        uint256 rest = RAY;
        uint256 paid;
        if (flags & NOTED != 0) (rest, paid) = (request.noted.rest, request.noted.paid);
        bool ended = true;
        while (ended && waiting != 0) {
            uint256 restNow;
            uint256 paidNow;
            (restNow, paidNow, ended) = _at(queue, generation);
            amountOut += _outDown(waiting, paidNow - paid, rest, scale);
            waiting = restNow == 0 ? 0 : Math.mulDiv(waiting, restNow, rest);
            (rest, paid) = (RAY, 0);
            ++generation;
        }
        amountIn -= waiting;
    }

    /// @dev The short way where it is the same: nearly always.
    function _outDown(uint256 waiting, uint256 paid, uint256 rest, uint256 scale)
        private
        pure
        returns (uint256)
    {
        return
            rest == RAY ? Math.mulDiv(waiting, paid, scale) : Math.mulDiv(waiting, paid * RAY, rest * scale);
    }

    function _at(Queue storage queue, uint256 generation)
        private
        view
        returns (uint256 rest, uint256 paid, bool ended)
    {
        End storage end = queue.ended[generation];
        (rest, paid, ended) = (end.rest, end.paid, end.ended);
        if (ended) return (rest, paid, ended);
        uint256 gone = queue.gone;
        return gone == 0 ? (RAY, 0, false) : (RAY - gone, queue.paid, false);
    }

    function _store(
        Queue storage queue,
        Request storage request,
        uint256 waiting,
        uint256 amountIn,
        uint256 amountOut
    ) private {
        uint8 flags = amountIn | amountOut != 0 ? SETTLED : 0;
        if ((flags | request.waiting.flags) & SETTLED != 0) {
            request.settled = Settled(amountIn.toUint128(), amountOut.toUint128());
        }
        uint24 generation = USED;
        if (waiting != 0) {
            uint256 gone = queue.gone;
            if (gone != 0) {
                request.noted = Noted((RAY - gone).toUint128(), queue.paid);
                flags |= NOTED;
            }
            generation = queue.generation;
        }
        uint112 amount = waiting.toUint112();
        Waiting storage open = request.waiting;
        (open.amount, open.generation, open.flags) = (amount, generation, flags);
    }
}
