// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ElementaryQ80} from "../../../contracts/libraries/ElementaryQ80.sol";
import {GaussQ80} from "../../../contracts/libraries/GaussQ80.sol";

/// @notice The elementary functions against identities and against OpenZeppelin's exact square root.
contract BlackScholesPartsTest is Test {
    uint256 private constant ONE_Q80 = 1 << 80;
    uint256 private constant ONE_Q100 = 1 << 100;
    uint256 private constant LN2_Q80 = 837_963_523_372_001_241_319_908;
    uint256 private constant MAX_PRICE = type(uint112).max;

    /// One part in 1e19 of the floor of the exact root, over all times in range.
    function testFuzz_root_of_years_is_the_square_root(uint256 time) external pure {
        time = bound(time, 1, 315_360_000);
        uint256 exact = Math.sqrt((time << 224) / 31_536_000) >> 32;
        assertApproxEqAbs(ElementaryQ80.rootOfYears(time), exact, exact / 1e19 + 1);
    }

    function test_root_of_years_at_both_ends_and_at_a_year() external pure {
        assertApproxEqAbs(ElementaryQ80.rootOfYears(31_536_000), ONE_Q80, ONE_Q80 / 1e19);
        assertApproxEqAbs(ElementaryQ80.rootOfYears(4 * 31_536_000), 2 * ONE_Q80, ONE_Q80 / 1e19);
    }

    function testFuzz_logarithm_of_a_ratio_and_of_its_inverse_cancel(uint256 a, uint256 b) external pure {
        (a, b) = (bound(a, 1, MAX_PRICE), bound(b, 1, MAX_PRICE));
        int256 there = ElementaryQ80.lnRatio(a, b);
        int256 back = ElementaryQ80.lnRatio(b, a);
        uint256 size = uint256(there < 0 ? -there : there);
        assertApproxEqAbs(there, -back, size / 1e15 + 8);
        assertEq(there > 0, a > b && there != 0);
    }

    function testFuzz_logarithms_add_up(uint256 a, uint256 b, uint256 c) external pure {
        (a, b, c) = (bound(a, 1e16, 1e22), bound(b, 1e16, 1e22), bound(c, 1e16, 1e22));
        int256 sum = ElementaryQ80.lnRatio(a, b) + ElementaryQ80.lnRatio(b, c);
        assertApproxEqAbs(sum, ElementaryQ80.lnRatio(a, c), ONE_Q80 / 1e14);
    }

    function testFuzz_logarithm_of_a_power_of_two(uint256 power, uint256 small) external pure {
        power = bound(power, 0, 50);
        small = bound(small, 1, 1 << 60);
        int256 exact = int256(power * LN2_Q80);
        assertApproxEqAbs(ElementaryQ80.lnRatio(small << power, small), exact, power + 1);
        assertApproxEqAbs(ElementaryQ80.lnRatio(small, small << power), -exact, power + 1);
    }

    /// A power and its opposite multiply to 1, and equal powers of unequal scale are in that scale.
    function testFuzz_powers_of_two_are_inverse(int256 power) external pure {
        power = bound(power, -(int256(1) << 250), int256(1) << 250);
        (uint256 up, int256 upExponent) = ElementaryQ80.exp2(power, ONE_Q100);
        (uint256 down, int256 downExponent) = ElementaryQ80.exp2(-power, ONE_Q100);
        int256 exponent = upExponent + downExponent;
        uint256 one = up * down >> 100;
        // A fraction of exactly one half may be rounded up both ways: a half over a half, exponents that add to 1.
        assertApproxEqAbs(exponent < 0 ? one >> 1 : one << uint256(exponent), ONE_Q100, ONE_Q100 / 1e20);
    }

    function test_whole_powers_of_two_are_exact_and_roots_of_two_close() external pure {
        for (int256 k = -60; k <= 60; ++k) {
            (uint256 mantissa, int256 exponent) = ElementaryQ80.exp2(k << 236, ONE_Q100);
            assertEq(mantissa, ONE_Q100);
            assertEq(exponent, k);
        }
        (uint256 root,) = ElementaryQ80.exp2((int256(1) << 235) - 1, ONE_Q100);
        assertApproxEqAbs(root, Math.sqrt(2 << 200), ONE_Q100 / 1e13);
    }

    /// Phi(y) + Phi(-y) = 1 where both sides of 0 are approximated.
    function testFuzz_both_tails_make_one(int256 y) external pure {
        y = bound(y, 0, int256(ONE_Q80 / 4));
        uint256 both = GaussQ80.mills(y) + GaussQ80.mills(-y);
        assertApproxEqAbs(both * GaussQ80.density(y) >> 80, ONE_Q100, ONE_Q100 / 1e13);
    }

    /// R lies between y / (1 + y^2) and 1 / y, and falls: both follow from phi alone.
    function testFuzz_mills_ratio_keeps_its_bounds_and_falls(uint256 y, uint256 step) external pure {
        y = bound(y, ONE_Q80, 1000 * ONE_Q80);
        step = bound(step, ONE_Q80 / 1e6, ONE_Q80);
        uint256 r = GaussQ80.mills(int256(y));
        assertLe(r, (1 << 160) / y + 1e4);
        assertGe(r + r / 1e13, (y << 80) / (ONE_Q80 + (y * y >> 80)));
        assertLt(GaussQ80.mills(int256(y + step)), r);
    }

    /// sqrt(pi / 2), and values at 1, 5 and 20, all to 1e-30.
    function test_mills_ratio_at_points_known() external pure {
        uint256[4] memory at = [uint256(0), 1, 5, 20];
        uint256[4] memory exactE30 = [
            uint256(1_253_314_137_315_500_251_207_882_642_406),
            655_679_542_418_798_471_543_871_230_731,
            192_808_104_715_315_764_877_465_727_918,
            49_875_925_981_836_783_658_240_561_474
        ];
        for (uint256 i; i < 4; ++i) {
            uint256 found = GaussQ80.mills(int256(at[i] << 80));
            assertApproxEqRel(found * 1e30 >> 80, exactE30[i], 1e4);
        }
    }

    function testFuzz_density_is_even_and_falls(uint256 d, uint256 step) external pure {
        d = bound(d, 0, 200 * ONE_Q80);
        step = bound(step, 0, ONE_Q80);
        uint256 phi = GaussQ80.density(int256(d));
        assertEq(phi, GaussQ80.density(-int256(d)));
        assertLe(GaussQ80.density(int256(d + step)), phi + phi / 1e12);
    }
}
