// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMandate} from "../../contracts/interfaces/IMandate.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {MandateFixture} from "./MandateFixture.sol";
import {MockDesk} from "./mocks/MockDesk.sol";

/// @notice V-12: an intent takes effect at most once, before its deadline, on the state it was made for.
contract MandateIntentsTest is MandateFixture {
    MockDesk private desk;

    function setUp() public override {
        super.setUp();
        _lever(1_000_000e6, 10_000, 7000);
        _refill();
    }

    function _deployDesk() internal override returns (address) {
        desk = new MockDesk(address(vault));
        return address(desk);
    }

    /// @dev Another state, one way after the other.
    function _change(uint256 way) private {
        if (way == 0) _settle();
        if (way == 1) _run(_one(_repayMove(address(usdc), 1e6)));
        if (way == 2) _run(new IVault.Move[](0));
        if (way == 3) {
            _setPrice(170_000);
            vm.prank(mallory);
            vault.protect();
            _setPrice(PRICE * 100);
        }
        if (way == 4) desk.fill(1e6);
        if (way == 5) {
            vm.prank(guardian);
            mandate.windDown();
            usdc.mint(alice, 1_000_000e6);
            vm.startPrank(alice);
            usdc.approve(address(vault), ALL);
            vault.exitInKind(vault.balanceOf(alice) / 10, alice);
            vm.stopPrank();
        }
        if (way == 6) {
            _makeStale();
            _run(_one(_repayMove(address(usdc), 1e6)));
            _setPrice(PRICE * 100);
        }
    }

    /// A settlement, a rebalance (one of nothing, and one without a price, too), a rescue.
    function testFuzz_an_intent_made_for_another_state_is_refused(uint256 way, uint256 amount) external {
        bytes32 made = mandate.stateHash();
        way = bound(way, 0, 6);
        if (way == 4 || way == 5) return; // fills and exits: see below
        _change(way);
        bytes32 current = mandate.stateHash();
        assertNotEq(made, current);
        IVault.Intent memory intent = _intent(ALL);
        intent.stateHash = made;
        vm.expectRevert(abi.encodeWithSelector(IMandate.StateChanged.selector, made, current));
        vm.prank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(usdc), bound(amount, 1, 1e9))));
    }

    /// A bidder's fill and a leaver's exit may come at any time: they void no intent, and the judge measures what they left.
    function test_fills_and_exits_do_not_change_the_state() external {
        bytes32 made = mandate.stateHash();
        _change(4);
        assertEq(mandate.stateHash(), made);
        _change(5);
        assertEq(mandate.stateHash(), made);
    }

    function testFuzz_a_made_up_state_is_refused(bytes32 made) external {
        bytes32 current = mandate.stateHash();
        vm.assume(made != current);
        IVault.Intent memory intent = _intent(ALL);
        intent.stateHash = made;
        vm.expectRevert(abi.encodeWithSelector(IMandate.StateChanged.selector, made, current));
        vm.prank(keeper);
        vault.rebalance(intent, new IVault.Move[](0));
    }

    /// No two states of a vault share a hash, whatever happens in between.
    function testFuzz_no_state_comes_back(uint256 seed) external {
        bytes32[] memory seen = new bytes32[](8);
        seen[0] = mandate.stateHash();
        for (uint256 i = 1; i < 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _change(seed % 3);
            seen[i] = mandate.stateHash();
            for (uint256 j; j < i; ++j) {
                assertNotEq(seen[i], seen[j]);
            }
        }
    }

    /// What strangers give, ask for, take back or try changes no state, so nobody stops an intent with a gift.
    function testFuzz_strangers_do_not_change_the_state(uint256 gift, uint8 which) external {
        bytes32 made = mandate.stateHash();
        gift = bound(gift, 1, 1e12);
        which = uint8(bound(which, 0, 6));
        if (which == 0) usdc.mint(address(vault), gift);
        if (which == 1) weth.mint(address(vault), gift);
        if (which == 2) usdc.mint(address(lending), gift);
        if (which == 3) _supplyFor(gift);
        if (which == 4) _request(mallory, gift);
        if (which == 5) {
            _request(mallory, gift);
            vm.prank(mallory);
            vault.cancelDepositRequest(mallory, mallory);
        }
        if (which == 6) vault.checkHedge();
        assertEq(mandate.stateHash(), made);
        IVault.Intent memory intent = _intent(ALL);
        intent.stateHash = made;
        vm.prank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6)));
    }

    function _supplyFor(uint256 amount) private {
        usdc.mint(mallory, amount);
        vm.startPrank(mallory);
        usdc.approve(address(aave), amount);
        aave.supply(address(usdc), amount, address(lending), 0);
        vm.stopPrank();
    }

    /// An intent that took effect never does again, whatever happens afterwards: its state is gone for good.
    function testFuzz_an_intent_stays_used(uint256 seed, bytes32 id) external {
        IVault.Intent memory intent = IVault.Intent(id, type(uint64).max, mandate.stateHash(), ALL);
        IVault.Move[] memory moves = _one(_repayMove(address(usdc), 1e6));
        vm.prank(keeper);
        vault.rebalance(intent, moves);
        for (uint256 i; i < 4; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _change(seed % 3);
            vm.expectRevert(
                abi.encodeWithSelector(IMandate.StateChanged.selector, intent.stateHash, mandate.stateHash())
            );
            vm.prank(keeper);
            vault.rebalance(intent, moves);
        }
    }

    /// An intent is used up for every keeper, whoever used it.
    function testFuzz_no_keeper_replays_anothers_intent(bytes32 id) external {
        _asCurator(abi.encodeCall(mandate.addKeeper, (mallory)));
        IVault.Intent memory intent = IVault.Intent(id, uint64(block.timestamp), mandate.stateHash(), ALL);
        vm.prank(keeper);
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6)));
        vm.expectRevert(
            abi.encodeWithSelector(IMandate.StateChanged.selector, intent.stateHash, mandate.stateHash())
        );
        vm.prank(mallory);
        vault.rebalance(intent, _one(_repayMove(address(usdc), 1e6)));
    }

    /// A rebalance is a beat; a refused one is not.
    function testFuzz_what_takes_effect_beats_the_heart(uint256 time, bool refused) external {
        uint256 beat = mandate.lastBeat();
        _wait(bound(time, 1, 1 days));
        IVault.Move[] memory moves = _one(_repayMove(address(usdc), refused ? uint256(1e30) : uint256(1e6)));
        assertEq(_tries(moves), !refused);
        assertEq(mandate.lastBeat(), refused ? beat : block.timestamp);
    }

    function testFuzz_the_hash_is_of_this_chain_and_this_vault(uint64 chain) external {
        vm.assume(chain != 0 && chain != block.chainid);
        bytes32 here = mandate.stateHash();
        vm.chainId(chain);
        assertNotEq(mandate.stateHash(), here);
    }
}
