"""One run of a sweep as a value that travels: what to play, and the key that says whether it has been played."""

import hashlib
import inspect
import json
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path

import keeper
from keeper.backtest.files import Files
from keeper.backtest.settings import Opening
from keeper.config.strategy import files_in, load_class, strategies_in
from keeper.errors import SettingError
from keeper.sweep.points import WORLD, Point


@dataclass(frozen=True, slots=True)
class Variation:
    """What all runs of a sweep have in common."""

    strategy: str
    files: Files
    settings: Point = ()
    """Parameters of the strategy that stay, (name, text)."""
    world: Point = ()
    """Parts of the world that stay."""
    opening: Opening = field(default_factory=Opening)
    engine: str = "pipeline"
    """`pipeline`, `kernel`, or `auto`: the kernel where it can."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run: the variation at one point, over one span of time."""

    common: Variation
    point: Point
    span: tuple[int | None, int | None]
    """Unix seconds: from, to before."""
    part: int
    """Of a walk-forward; 0 if there is one part only."""
    key: str
    code: str
    """Digest of the code that made the key: a worker with another one refuses."""
    data: tuple[str, ...]
    """Digests of the files, in the order of `inputs`."""

    @property
    def settings(self) -> dict[str, str]:
        """Of the strategy."""
        return dict(self.common.settings) | {
            name: value for name, value in self.point if not name.startswith(WORLD)
        }

    @property
    def strategies(self) -> tuple[str, ...]:
        """All whose code it runs: inside the strategy there may be others."""
        return strategies_in(self.common.strategy, dict(self.settings))

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read: of the market, then of candidates, as far as they are there."""
        named = (path for path in files_in(self.settings) if path.is_file())
        return (*file_paths(self.common.files), *named)

    @property
    def world(self) -> dict[str, str]:
        """Parts of the world by name."""
        return dict(self.common.world) | {
            name.removeprefix(WORLD): value for name, value in self.point if name.startswith(WORLD)
        }


def make_job(
    common: Variation, point: Point, span: tuple[int | None, int | None], part: int = 0
) -> Job:
    """With the key of everything that matters: strategy, parameters, world, span, data, code and engine."""
    bare = Job(common, point, span, part, "", "", ())
    code = code_digest(common.strategy, *bare.strategies)
    data = tuple(file_digest(path) for path in bare.inputs)
    given = {f.name: getattr(common.files, f.name) for f in fields(Files)}
    rules = {name: value for name, value in given.items() if not isinstance(value, Path)}
    kinds = [name for name, value in given.items() if isinstance(value, Path)]
    kinds += ["candidates"] * (len(data) - len(kinds))
    said = json.dumps(
        {
            "strategy": common.strategy,
            "settings": sorted(bare.settings.items()),
            "world": sorted(bare.world.items()),
            "opening": asdict(common.opening),
            "engine": common.engine,
            "span": span,
            "reading": rules,
            "data": list(zip(kinds, data, strict=True)),
            "code": code,
        },
        sort_keys=True,
    )
    key = hashlib.sha256(said.encode()).hexdigest()[:32]
    return Job(common, point, span, part, key, code, data)


def file_paths(files: Files) -> tuple[Path, ...]:
    """Every file that is read."""
    values = (getattr(files, f.name) for f in fields(Files))
    return tuple(value for value in values if isinstance(value, Path))


def file_digest(path: Path) -> str:
    """sha256 of its bytes; SettingError if it cannot be read."""
    try:
        stat = path.stat()
        return _file_digest(str(path), stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise SettingError(str(path), f"cannot be read ({error.strerror})", "check it") from None


@cache
def _file_digest(path: str, size: int, modified_ns: int) -> str:
    del size, modified_ns  # they only say whether it is still the file that was read
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def code_digest(*strategies: str) -> str:
    """sha256 of this package's sources, the strategies beside it, and the files that these strategies are in."""
    package = Path(keeper.__file__).parent
    sources = [Path(inspect.getfile(load_class(name))) for name in strategies]
    found = hashlib.sha256()
    for root in (package, package.parent / "strategies"):
        for path in sorted(root.rglob("*.py")):
            found.update(f"{path.relative_to(root.parent)}\n".encode())
            found.update(path.read_bytes())
    for source in sources:
        found.update(source.read_bytes())
    return found.hexdigest()[:32]
