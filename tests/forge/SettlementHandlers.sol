// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {SettlementOracle} from "../../contracts/SettlementOracle.sol";
import {ISettlementOracle} from "../../contracts/interfaces/ISettlementOracle.sol";
import {MockAggregator, MockAggregatorProxy} from "./mocks/MockAggregatorProxy.sol";
import {MockFeed} from "./mocks/MockFeed.sol";
import {MockObservations} from "./mocks/MockObservations.sol";

/// @notice Transmitters, a proxy owner, the pool's market, a rollup's sequencer, honest provers, a forger, the resolver and time,
/// in any order.
contract SettlementHandlers is CommonBase, StdCheats, StdUtils {
    struct Feeds {
        MockAggregatorProxy eth;
        MockAggregatorProxy usd;
        MockFeed uptime;
    }

    struct Outage {
        uint256 from;
        uint256 until; // 0 while it lasts
    }

    SettlementOracle public immutable oracle;
    MockObservations private immutable _pool;
    Feeds private _feeds;
    uint64[3] public expiries;
    Outage[] private _outages;

    mapping(uint64 expiry => uint256) public firstPrice;
    uint256 public changed; // V-10: a set price was another later
    uint256 public forged; // V-10: a price that is not the reference's
    uint256 public unagreed; // V-10: settled at once on sources that differ
    uint256 public silent; // V-10: settled at once on sources that stood still
    uint256 public arbitrary; // resolved to none of the three proven prices
    mapping(bytes32 => uint256) public calls;
    mapping(bytes32 => uint256) public effects;

    constructor(
        SettlementOracle oracle_,
        MockObservations pool,
        MockAggregatorProxy eth,
        MockAggregatorProxy usd,
        MockFeed uptime
    ) {
        (oracle, _pool, _feeds) = (oracle_, pool, Feeds(eth, usd, uptime));
        for (uint256 i; i < 3; ++i) {
            expiries[i] = uint64(block.timestamp + (i + 1) * 3 hours);
        }
    }

    modifier counted(bytes32 name) {
        ++calls[name];
        _;
        _remember();
    }

    // ---------------------------------------------------------------- the world

    function transmit(uint256 cents, uint256 usd, uint256 old) external counted("transmit") {
        cents = _bound(cents, 1980_00, 2020_00);
        _aggregator(_feeds.eth, old).transmit(int256(cents * 1e6), block.timestamp);
        if (usd % 3 == 0) _aggregator(_feeds.usd, old).transmit(int256(1e8 + usd % 1e5), block.timestamp);
        ++effects["transmit"];
    }

    /// @notice The proxy turns to another aggregator, which may have answered before.
    function changePhase(uint256 cents, uint256 before, bool flux, bool eth) external counted("changePhase") {
        MockAggregatorProxy proxy = eth ? _feeds.eth : _feeds.usd;
        if (proxy.phaseId() >= 6) return;
        MockAggregator next = new MockAggregator(8, flux);
        int256 answer = eth ? int256(_bound(cents, 1980_00, 2020_00) * 1e6) : int256(1e8);
        if (before % 2 == 0) next.transmit(answer, block.timestamp - before % 1 hours);
        proxy.confirmAggregator(next);
        ++effects["changePhase"];
    }

    function swap(uint256 tick, uint256 far) external counted("swap") {
        uint256 range = far % 3 == 0 ? 3000 : 60;
        _pool.setTick(int24(-200_311 - int256(range) + int256(_bound(tick, 0, 2 * range))));
        ++effects["swap"];
    }

    /// @notice The sequencer goes down, or comes back.
    function sequencer(uint256 seed) external counted("sequencer") {
        uint256 last = _outages.length;
        bool down = last != 0 && _outages[last - 1].until == 0;
        if (!down && seed % 3 != 0) return;
        if (down) _outages[last - 1].until = block.timestamp;
        else _outages.push(Outage(block.timestamp, 0));
        _feeds.uptime
            .setRound(uint80(last + 1), down ? int256(0) : int256(1), block.timestamp, uint80(last + 1));
        ++effects["sequencer"];
    }

    function time(uint256 minutes_, uint256 long) external counted("time") {
        vm.warp(block.timestamp + _bound(minutes_, 1, long % 4 == 0 ? 3000 : 30) * 1 minutes);
        ++effects["time"];
    }

    // ---------------------------------------------------------------- anyone

    function record(uint256 which) external counted("record") {
        try oracle.record(expiries[which % 3]) {
            ++effects["record"];
        } catch {}
    }

    /// @notice Feeds that beat around the next instant, and a record as soon as it can be had.
    function recordInTime(uint256 early, uint256 cents) external counted("recordInTime") {
        uint256 i;
        while (i < 3 && block.timestamp > expiries[i]) ++i;
        if (i == 3) return;
        uint64 expiry = expiries[i];
        uint256 before = expiry - _bound(early, 0, 80 minutes); // stale now and then
        cents = _bound(cents, 1980_00, 2020_00);
        for (i = 0; i < 2; ++i) {
            if (i != 0) vm.warp(expiry + 1 minutes);
            else if (block.timestamp < before) vm.warp(before);
            _aggregator(_feeds.eth, 1).transmit(int256(cents * 1e6), block.timestamp);
            _aggregator(_feeds.usd, 1).transmit(1e8, block.timestamp);
        }
        vm.warp(expiry + 15 minutes);
        oracle.record(expiry);
        ++effects["recordInTime"];
    }

    function prove(uint256 which) external counted("prove") {
        uint64 expiry = expiries[which % 3];
        (bool foundEth, ISettlementOracle.Straddle memory eth,) = inForce(true, expiry);
        (bool foundUsd, ISettlementOracle.Straddle memory usd,) = inForce(false, expiry);
        if (foundEth && foundUsd) _prove(expiry, eth, usd, "prove");
    }

    /// @notice Any rounds of any phases: what passes must be what the reference finds.
    function forge(uint256 which, uint256 seed) external counted("forge") {
        uint64 expiry = expiries[which % 3];
        _prove(expiry, _random(_feeds.eth, seed), _random(_feeds.usd, seed >> 96), "forge");
    }

    function propose(uint256 which, uint8 choice) external counted("propose") {
        vm.prank(oracle.resolver());
        try oracle.propose(expiries[which % 3], ISettlementOracle.Choice(choice % 4)) {
            ++effects["propose"];
        } catch {}
    }

    function resolve(uint256 which) external counted("resolve") {
        uint64 expiry = expiries[which % 3];
        ISettlementOracle.Settlement memory known = oracle.settlementOf(expiry);
        try oracle.resolve(expiry) returns (uint256 price) {
            ++effects["resolve"];
            uint256 middle = (uint256(known.chainlinkWad) + known.twapWad) / 2;
            if (price == known.chainlinkWad || price == known.twapWad) return;
            if (known.chainlinkWad == 0 || known.twapWad == 0 || price != middle) ++arbitrary;
        } catch {}
    }

    function giveUp(uint256 which) external counted("giveUp") {
        try oracle.giveUp(expiries[which % 3]) {
            ++effects["giveUp"];
        } catch {}
    }

    // ---------------------------------------------------------------- reference

    /// @notice The rounds in force by reading everything: the newest counted phase with a first round at or before the instant, its
    /// last round at or before it, and any round after.
    function inForce(bool eth, uint64 expiry)
        public
        view
        returns (bool found, ISettlementOracle.Straddle memory rounds, uint256 answer)
    {
        MockAggregatorProxy proxy = eth ? _feeds.eth : _feeds.usd;
        ISettlementOracle.Settlement memory known = oracle.settlementOf(expiry);
        uint16 newest = proxy.phaseId();
        uint16 phase = known.recordedAt == 0 ? newest : eth ? known.basePhase : known.quotePhase;
        while (phase != 0 && !_answeredBy(proxy, phase, expiry)) --phase;
        if (phase == 0) return (false, rounds, 0);
        MockAggregator aggregator = MockAggregator(proxy.phaseAggregators(phase));
        uint64 last = aggregator.latestRound();
        uint64 round = last;
        while (_updatedAt(aggregator, round) > expiry) --round;
        rounds.roundId = uint80(uint256(phase) << 64 | round);
        (int256 value,,) = aggregator.rounds(round);
        if (round < last) {
            rounds.nextRoundId = rounds.roundId + 1;
            return (true, rounds, uint256(value));
        }
        for (uint16 later = phase + 1; later <= newest; ++later) {
            MockAggregator next = MockAggregator(proxy.phaseAggregators(later));
            for (uint64 i = 1; i <= next.latestRound(); ++i) {
                if (_updatedAt(next, i) <= expiry) continue;
                rounds.nextRoundId = uint80(uint256(later) << 64 | i);
                return (true, rounds, uint256(value));
            }
        }
    }

    // ---------------------------------------------------------------- inside

    function _prove(
        uint64 expiry,
        ISettlementOracle.Straddle memory eth,
        ISettlementOracle.Straddle memory usd,
        bytes32 name
    ) private {
        (bool foundEth,, uint256 ethAnswer) = inForce(true, expiry);
        (bool foundUsd,, uint256 usdAnswer) = inForce(false, expiry);
        try oracle.prove(expiry, eth, usd) returns (ISettlementOracle.Status status) {
            ++effects[name];
            ISettlementOracle.Settlement memory known = oracle.settlementOf(expiry);
            bool right = foundEth && foundUsd && known.chainlinkWad == ethAnswer * 1e18 / usdAnswer;
            if (!right) ++forged;
            if (status != ISettlementOracle.Status.Settled) return;
            ++effects["settledAtOnce"];
            uint256 gap = known.chainlinkWad > known.twapWad
                ? known.chainlinkWad - known.twapWad
                : known.twapWad - known.chainlinkWad;
            if (known.stale || gap * 10_000 > uint256(known.chainlinkWad) * 100) ++unagreed;
            if (known.priceWad != known.chainlinkWad) ++unagreed;
            if (_wasDownAround(expiry)) ++silent;
        } catch {
            if (name == "prove") ++effects["proofRefused"];
        }
    }

    /// @dev In the window of the mean, or in the grace before it.
    function _wasDownAround(uint64 expiry) private view returns (bool) {
        uint256 half = oracle.halfTwapWindow();
        uint256 from = expiry - half - oracle.graceSeconds();
        for (uint256 i; i < _outages.length; ++i) {
            Outage memory outage = _outages[i];
            if (outage.from < expiry + half && (outage.until == 0 || outage.until > from)) return true;
        }
        return false;
    }

    function _remember() private {
        for (uint256 i; i < 3; ++i) {
            (, uint256 price) = oracle.outcome(expiries[i]);
            uint256 first = firstPrice[expiries[i]];
            if (first == 0) firstPrice[expiries[i]] = price;
            else if (first != price) ++changed;
        }
    }

    function _aggregator(MockAggregatorProxy proxy, uint256 old) private view returns (MockAggregator) {
        uint16 newest = proxy.phaseId();
        // Now and then an aggregator that was left goes on.
        return MockAggregator(proxy.phaseAggregators(old % 5 == 0 && newest > 1 ? newest - 1 : newest));
    }

    function _random(MockAggregatorProxy proxy, uint256 seed)
        private
        view
        returns (ISettlementOracle.Straddle memory)
    {
        uint256 phase = _bound(seed % 256, 1, proxy.phaseId());
        uint256 round = _bound(seed >> 8 & 0xffff, 1, 6);
        uint256 later = seed >> 24 & 1 == 0 ? phase : _bound(seed >> 32 & 0xff, 1, proxy.phaseId());
        uint256 next = later == phase ? round + 1 : _bound(seed >> 40 & 0xff, 1, 3);
        return ISettlementOracle.Straddle(uint80(phase << 64 | round), uint80(later << 64 | next));
    }

    function _answeredBy(MockAggregatorProxy proxy, uint16 phase, uint64 expiry) private view returns (bool) {
        uint256 at = _updatedAt(MockAggregator(proxy.phaseAggregators(phase)), 1);
        return at != 0 && at <= expiry;
    }

    function _updatedAt(MockAggregator aggregator, uint64 round) private view returns (uint256 at) {
        (, at,) = aggregator.rounds(round);
    }
}
