"""The demo itself: one loop over the path's blocks, the same for every scenario."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from keeper.demo import output
from keeper.demo.display import Display, make_display, print_result
from keeper.demo.observe import Observer
from keeper.demo.options import Course, DemoOptions, command_of, period_of, plan_course
from keeper.demo.pilot import build_pilot
from keeper.demo.place import checkout, log_to
from keeper.demo.start import band_for
from keeper.demo.twins import (
    ASSET_DECIMALS,
    BASE_DECIMALS,
    DEPOSIT_USD,
    IDLE_USD,
    Twins,
    mandate_for,
    open_twins,
)
from keeper.errors import LocalnetError
from keeper.localnet.driver import Driver
from keeper.localnet.mainnet import start_local_mainnet
from keeper.localnet.market import MarketSpec
from keeper.localnet.paths.path import describe
from keeper.localnet.serve import ORACLE_TERMS
from keeper.localnet.world import World
from keeper.model.mandate import Terms
from keeper.report.format import amount, bps_percent, span
from keeper.report.story import Band, BlockSample, Mark, Story, Twin
from keeper.report.summary import Summary, summarise

WALL_LIMIT_S = 115.0
"""A demo that is not done by then ends with an error; from its first line to its last block."""
SET_UP_S = 2 * 3_600
"""Chain time before the path: vaults are deployed, deposits settled, positions opened, averages given time."""
LOG_FILE = "keeper.log"


def run_demo(options: DemoOptions, root: Path | None = None) -> Summary:
    """Run one demo, write its files, print its table. `Summary.saved` tells how it ended."""
    deadline = time.monotonic() + WALL_LIMIT_S
    display = make_display(quiet=options.quiet)
    course = plan_course(options)
    output.prepare(options.out)
    for line in _opening_lines(options, course):
        display.say(line)
    band = band_for(course.start.health)
    market = MarketSpec(
        price_usd=float(course.path.market_price[0]),
        start_time=course.path.start_time - course.path.block_seconds - SET_UP_S,
    )
    with (
        log_to(options.out / LOG_FILE),
        start_local_mainnet(
            root or checkout(),
            market=market,
            block_interval_s=1,
            progress=lambda step: display.say(f"  {step}"),
        ) as world,
    ):
        display.say("  opening two equal positions")
        twins = open_twins(world, course.start.health, band)
        began = time.monotonic()
        samples, marks = _live(
            world, twins, course, band=band, out=options.out, display=display, deadline=deadline
        )
        wall_s = time.monotonic() - began
    story = _story(options, course, band, twins=twins, samples=samples, marks=marks)
    summary = summarise(story, wall_s)
    print_result(story, summary, output.write(options.out, story, summary), quiet=options.quiet)
    return summary


def _live(
    world: World,
    twins: Twins,
    course: Course,
    *,
    band: Band,
    out: Path,
    display: Display,
    deadline: float,
) -> tuple[list[BlockSample], list[Mark]]:
    """Every block of the path: the world moves, both vaults are read, the keeper ticks."""
    samples: list[BlockSample] = []
    marks: list[Mark] = []
    protected = twins.deployments[Twin.PROTECTED]

    def chain_time() -> float:
        return float(samples[-1].timestamp)

    pilot = build_pilot(world, protected, band, path=course.path, out=out, clock=chain_time)
    observer = Observer(world, twins.deployments, world.accounts.keeper, pilot.action_of)
    with closing(pilot), closing(observer), Driver(world, course.path) as driver:
        pilot.verify()
        driver.prime()
        with display.blocks(len(course.path)):
            while driver.blocks_left:
                if time.monotonic() > deadline:
                    raise LocalnetError(
                        "demo",
                        f"{len(samples)} of {len(course.path)} blocks were done in"
                        f" {WALL_LIMIT_S:.0f} s",
                        "choose longer blocks or a shorter window, or a less busy machine",
                    )
                record = driver.step()
                block = observer.head()
                seen = observer.observe(block, record.market_price)
                samples.append(seen.sample)
                marks.extend(seen.marks)
                display.block(seen, pilot.tick(block))
    return samples, marks


def _opening_lines(options: DemoOptions, course: Course) -> Iterator[str]:
    yield from describe(course.path).splitlines()
    yield from (f"  {remark}" for remark in course.remarks)
    yield f"  {course.start.reason}"
    band = band_for(course.start.health)
    yield (
        f"  keeper: collateral_guard acts under {band.low:.3f}, restores {band.target:.3f}, "
        f"re-levers over {band.high:.3f}; the mandate's minimum is {band.minimum:.3f}"
    )
    yield f"  files go to {options.out}"


def _story(
    options: DemoOptions,
    course: Course,
    band: Band,
    *,
    twins: Twins,
    samples: list[BlockSample],
    marks: list[Mark],
) -> Story:
    return Story(
        scenario=course.path.name,
        seed=options.seed,
        command=command_of(options, course.start.health),
        asset="USDC",
        base="WETH",
        asset_decimals=ASSET_DECIMALS,
        base_decimals=BASE_DECIMALS,
        band=band,
        parameters=tuple(_parameters(course, band, twins)),
        samples=tuple(samples),
        marks=tuple(marks),
        period=period_of(course.path) if options.prices is not None else "",
    )


def _parameters(course: Course, band: Band, twins: Twins) -> Iterator[tuple[str, str]]:
    path, opened = course.path, twins.opened[Twin.PROTECTED]
    yield "path", path.description
    for remark in (*course.remarks, *path.notes):
        yield "of the path", remark
    yield "blocks", f"{len(path)} over {span(path.duration_s)}"
    yield "start", course.start.reason
    yield "deposit in each vault", f"{DEPOSIT_USD:,} USDC, of which {IDLE_USD:,} stay idle"
    yield (
        "position of each vault",
        f"{amount(opened.collateral_usd8, 8)} USD of WETH supplied to Aave v3, "
        f"{amount(opened.debt_usd8, 8)} USD of USDC borrowed",
    )
    yield (
        "keeper's strategy",
        f"collateral_guard: acts under {band.low:.3f}, restores {band.target:.3f}, "
        f"re-levers over {band.high:.3f}",
    )
    yield "mandate's minimum health", f"{band.minimum:.3f}"
    yield "mandate's loss buckets", _buckets(mandate_for(course.start.health, band))
    yield (
        "vault's oracle",
        f"Chainlink, refused while a Uniswap average over {ORACLE_TERMS.twap_window_s} s is over "
        f"{ORACLE_TERMS.max_deviation_bps} bps away",
    )
    yield "against both vaults", "one liquidator who takes all that the venue lets him take"


def _buckets(terms: Terms) -> str:
    routine, protective = terms.limits.max_loss_per_day_bps, terms.caps.protective_loss_per_day_bps
    return (
        f"{bps_percent(routine)} of NAV for routine rebalances, {bps_percent(protective)} for those "
        "that reduce every risk, each refilled in a day"
    )
