"""The package that `keeper strategy new` writes: a strategy, its test, and the entry point that installs it."""

import keyword
import re
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from keeper.config.strategy import GROUP, registered
from keeper.errors import SettingError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=70.1"]
build-backend = "setuptools.build_meta"

[project]
name = "@DISTRIBUTION@"
version = "0.1.0"
description = "A strategy for Gimbal"
requires-python = ">=3.11"
dependencies = ["gimbal"]

[project.entry-points."@GROUP@"]
@NAME@ = "@NAME@:@CLASS@"

[tool.setuptools]
py-modules = ["@NAME@"]

[tool.pytest.ini_options]
pythonpath = ["."]
"""

_MODULE = '''\
"""Hold a fixed share of NAV in base."""

from dataclasses import dataclass, replace
from typing import Annotated

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.parameters import Range, check_ranges
from keeper.model.risk import RiskReport
from keeper.model.units import Raw
from strategies.parts.gates import blocked
from strategies.parts.positions import delta_of, nav_of, price_of, to_base_units
from strategies.parts.targets import hold


@dataclass(frozen=True, slots=True)
class @CLASS@:
    """Keep the value of base at `share` of NAV; trade when it is more than `band` of NAV away.

    Earns: base's return on the share, and a little by selling what rose and buying what fell.
    Risks: base's fall, on the share.
    Loses: in a fall, the share's part of it; in a long trend, against holding.
    """

    claims = ()
    """Words for what this strategy alone may change (`written calls`, `perpetuals`, ...): see docs/strategies.md."""

    share: Annotated[float, Range(0.0, 1.0, "of NAV")] = 0.50
    band: Annotated[float, Range(0.001, 1.0, "of NAV")] = 0.05

    def __post_init__(self) -> None:
        check_ranges(self)

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        """What should be held; a pure function: no clock, no network, no randomness."""
        reason = blocked(market, risk)
        nav = nav_of(market, risk)
        if reason or nav is None:
            return hold(reason or "the vault has no value")
        held = delta_of(market, risk) * price_of(market) / nav
        if abs(held - self.share) <= self.band:
            return hold(f"base is {held:.1%} of NAV, within {self.band:.1%} of {self.share:.1%}")
        missing = (self.share - held) * nav / price_of(market)
        wanted = Raw(risk.net_delta + to_base_units(market, missing))
        reason = f"base is {held:.1%} of NAV: bring it to {self.share:.1%}"
        return replace(hold(reason), net_delta=wanted)
'''

_TEST = '''\
"""@CLASS@ is still when it should be, and wants what it says otherwise."""

import pytest

from keeper.model.decision import Target
from keeper.model.market import MarketState
from keeper.model.sample import sample_market
from keeper.risk import assess
from @NAME@ import @CLASS@


def ask(strategy: @CLASS@, market: MarketState) -> Target:
    return strategy(market, assess(market))


@pytest.mark.parametrize(("base", "share"), [(0.0, 0.5), (100.0, 0.2), (250.0, 0.9)])
def test_goes_to_its_share(base: float, share: float) -> None:
    """At 2,000 dollars an ether, with what is not base in dollars: NAV is 500,000."""
    market = sample_market(idle_base=base, idle_asset=500_000 - 2_000 * base)
    target = ask(@CLASS@(share=share), market)
    assert target.net_delta is not None
    assert target.net_delta / 10**18 * 2_000 == pytest.approx(500_000 * share)


def test_rests_inside_its_band() -> None:
    market = sample_market(idle_base=130, idle_asset=240_000)
    assert ask(@CLASS@(share=0.5, band=0.05), market).hold


@pytest.mark.parametrize(
    "market",
    [sample_market(faults=("price is stale",)), sample_market(paused=True)],
)
def test_is_still_when_something_is_wrong(market: MarketState) -> None:
    target = ask(@CLASS@(share=1.0), market)
    assert target.hold
    assert target.reason


def test_decides_the_same_again() -> None:
    market = sample_market()
    assert ask(@CLASS@(share=1.0), market) == ask(@CLASS@(share=1.0), market)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_refuses_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        @CLASS@(share=share)
'''


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was written."""

    root: Path
    files: tuple[Path, ...]


def scaffold(name: str, folder: Path) -> Scaffold:
    """A package `folder/name`; SettingError for a name that cannot be one or a folder that is there already."""
    _refuse_name(name)
    root = folder / name
    if root.exists():
        raise SettingError("NAME", f"{root} exists", "choose another name or folder")
    names = {
        "@NAME@": name,
        "@CLASS@": "".join(part.capitalize() for part in name.split("_")),
        "@DISTRIBUTION@": name.replace("_", "-"),
        "@GROUP@": GROUP,
    }
    contents = {
        root / "pyproject.toml": _PYPROJECT,
        root / f"{name}.py": _MODULE,
        root / "tests" / f"test_{name}.py": _TEST,
    }
    try:
        (root / "tests").mkdir(parents=True)
        for path, text in contents.items():
            for key, value in names.items():
                text = text.replace(key, value)  # noqa: PLW2901 - each mark in turn
            path.write_text(text)
    except OSError as error:
        raise SettingError(
            "--folder", f"{root} cannot be written ({error.strerror})", "choose another"
        ) from None
    return Scaffold(root, tuple(contents))


def _refuse_name(name: str) -> None:
    usable = _NAME.fullmatch(name) and not keyword.iskeyword(name) and not name.endswith("_")
    if not usable or "__" in name:
        problem = f"{name!r} cannot name a strategy"
        raise SettingError(
            "NAME", problem, "use lower case, digits and single underscores: my_carry"
        )
    taken = {point.name for point in registered()} | {"keeper", "strategies", "tests"}
    if name in taken:
        raise SettingError("NAME", f"there is a strategy {name!r} already", "choose another name")
    if name in sys.stdlib_module_names or getattr(_module(name), "origin", None):
        raise SettingError("NAME", f"there is a module {name!r} already", "choose another name")


def _module(name: str) -> ModuleSpec | None:
    """What would be imported by it; a mere folder of that name has no origin."""
    try:
        return find_spec(name)
    except (ImportError, ValueError):
        return None
