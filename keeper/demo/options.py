"""What a demo may be asked for, and the path it follows."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from keeper.demo.start import StartHealth, default_health, given_health, health_for
from keeper.demo.window import MAX_BLOCKS, choose_window, thin
from keeper.errors import SettingError
from keeper.localnet.paths.build import FileSpec, ScenarioSpec, build_path
from keeper.localnet.paths.files import load_price_file
from keeper.localnet.paths.history import SLOT_S
from keeper.localnet.paths.path import PricePath
from keeper.localnet.paths.shapes import SCENARIOS

DEFAULT_SCENARIO = "crash"
DEFAULT_OUT = Path("build/demo")
AUTO = "auto"
_HEALTH_BOUNDS = (1.04, 3.0)
_MOST_ASKED_BLOCKS = 2_000


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """One run. Times are unix seconds or ISO dates and times, UTC.

    scenario: None is `DEFAULT_SCENARIO`. prices: a price file in place of the scenario.
    block_seconds: None lets the scenario or the file decide. interpolation: between the rows of a
    file, `bridge` or `linear`. start_health: a number, `auto` (from the path's own fall), or None
    (1.5 for scenarios, `auto` for files).
    """

    scenario: str | None = None
    seed: int = 1
    prices: Path | None = None
    from_: str | None = None
    to: str | None = None
    block_seconds: int | None = None
    interpolation: str = "bridge"
    start_health: str | float | None = None
    out: Path = DEFAULT_OUT
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """The path both vaults go, the health they start with, and how both were chosen."""

    path: PricePath
    start: StartHealth
    remarks: tuple[str, ...]


def plan_course(options: DemoOptions) -> Course:
    """Path and start health; `SettingError` or `PriceFileError` names what cannot be used."""
    path, remarks = _path(options)
    if len(path) > _MOST_ASKED_BLOCKS:
        raise SettingError(
            "--block-seconds",
            f"{len(path)} blocks would take too long",
            f"choose longer blocks or a shorter window, {_MOST_ASKED_BLOCKS} blocks at most",
        )
    return Course(path, _start(options, path), remarks)


def command_of(options: DemoOptions, health: float) -> str:
    """The command that shows the same run again."""
    words = ["keeper demo"]
    if options.prices is None:
        words.append(f"--scenario {options.scenario or DEFAULT_SCENARIO}")
    else:
        words.append(f"--prices {quote(str(options.prices))}")
        words += [f"--from {quote(options.from_)}"] if options.from_ else []
        words += [f"--to {quote(options.to)}"] if options.to else []
        words += (
            [f"--interpolation {options.interpolation}"]
            if options.interpolation != "bridge"
            else []
        )
    words.append(f"--seed {options.seed}")
    if options.block_seconds is not None:
        words.append(f"--block-seconds {options.block_seconds}")
    if options.start_health not in (None, AUTO):
        words.append(f"--start-health {health:g}")
    return " ".join(words)


def _path(options: DemoOptions) -> tuple[PricePath, tuple[str, ...]]:
    if options.prices is None:
        for value, name in ((options.from_, "--from"), (options.to, "--to")):
            if value is not None:
                raise SettingError(
                    name, "chooses a part of a price file, and none is given", "add --prices FILE"
                )
        step = options.block_seconds
        overrides = {} if step is None else {"block_seconds": float(step)}
        return build_path(
            ScenarioSpec(options.scenario or DEFAULT_SCENARIO, options.seed, overrides)
        ), ()
    if options.scenario is not None:
        problem = "a price file takes the scenario's place"
        raise SettingError("--scenario", problem, "give --scenario or --prices, not both")
    return _file_path(options, options.prices)


def _file_path(options: DemoOptions, file: Path) -> tuple[PricePath, tuple[str, ...]]:
    begin: str | int | None = options.from_
    end: str | int | None = options.to
    remarks: tuple[str, ...] = ()
    bars = load_price_file(file, start=begin, end=end)
    if begin is None and end is None:
        window = choose_window(bars.times.tolist(), bars.close.tolist())
        if window is not None:
            begin, end = window.begin, window.end
            remarks = (f"window {_iso(begin)} to {_iso(end)} UTC: {window.reason}",)
            bars = load_price_file(file, start=begin, end=end)
    step = options.block_seconds
    if step is None:
        # The chain's own pace; quiet stretches are thinned afterwards. Only a history of weeks is
        # too long to be laid out that way first.
        step = SLOT_S * max(1, -(-bars.duration_s // (SLOT_S * 50_000)))
    path = build_path(
        FileSpec(
            file,
            start=begin,
            end=end,
            seed=options.seed,
            block_seconds=step,
            between=options.interpolation,
        )
    )
    if options.block_seconds is None:
        path = thin(path, MAX_BLOCKS)
    return path, remarks


def _start(options: DemoOptions, path: PricePath) -> StartHealth:
    wanted = options.start_health
    if wanted is None:
        wanted = AUTO if options.prices is not None else None
    if wanted is None:
        return default_health()
    if wanted == AUTO:
        return health_for(path.market_price.tolist())
    low, high = _HEALTH_BOUNDS
    remedy = f"give a number from {low} to {high}, or {AUTO}"
    try:
        health = float(wanted)
    except ValueError:
        raise SettingError("--start-health", f"{wanted!r} is not a number", remedy) from None
    if not low <= health <= high:
        raise SettingError("--start-health", f"{health:g} is out of bounds", remedy)
    return given_health(health)


def _iso(seconds: int) -> str:
    return str(np.datetime64(seconds, "s")).replace("T", " ")


def period_of(path: PricePath) -> str:
    """First and last moment of a path."""
    return f"{_iso(int(path.times[0]))[:16]} to {_iso(int(path.times[-1]))[:16]} UTC"


def scenario_names() -> tuple[str, ...]:
    """What `--scenario` may name."""
    return tuple(SCENARIOS)
