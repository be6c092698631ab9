"""keeper replay: recorded ticks decided again, from the journal alone (K-07)."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from keeper.cli.journal_options import (
    FromOption,
    JournalFile,
    JsonOption,
    ToOption,
    opened,
    point,
)
from keeper.cli.run import Config
from keeper.errors import GimbalError, ReadError, ReplayError

if TYPE_CHECKING:
    from keeper.journal.context import Context
    from keeper.journal.store import SqlJournal
    from keeper.loop import TickRules
    from keeper.model.ports import Strategy

_SHOWN = 20
_NOTHING_SENT = "0x" + "00" * 32


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that came out otherwise."""

    decision: int
    block: int
    field: str
    recorded: str
    replayed: str


@dataclass(slots=True)
class Tally:
    """How the replay went."""

    replayed: int = 0
    identical: int = 0
    other_software: int = 0
    """Recorded by another version of the keeper."""


def replay(
    config: Config = None,
    journal: JournalFile = None,
    from_: FromOption = None,
    to: ToOption = None,
    json: JsonOption = False,
) -> None:
    """Decide recorded ticks again and report every difference.

    Exit code 1 if there is one, if a row is broken, or if nothing could be replayed.
    """
    from keeper.clock import system_clock
    from keeper.journal.query import Filter, decision_ids

    now = system_clock()
    from_block, since = point("--from", from_, now)
    to_block, until = point("--to", to, now)
    tally, differences, skipped = Tally(), list[Difference](), dict[str, int]()
    faults = 0
    with opened(config, journal) as book:
        wanted = decision_ids(book, Filter(from_block, to_block, since, until))
        for number in wanted:
            try:
                found = replay_one(book, number, tally)
            except ReplayError as reason:
                faults += reason.fault
                skipped[str(reason)] = skipped.get(str(reason), 0) + 1
                continue
            tally.replayed += 1
            tally.identical += not found
            differences += found
    if json:
        _print_json(tally, differences, skipped)
    else:
        _print(tally, differences, skipped)
    if differences or faults or not tally.replayed:
        raise typer.Exit(1)


def replay_one(journal: "SqlJournal", number: int, tally: Tally) -> list[Difference]:
    """What differs when decision `number` is made again. ReplayError says why it cannot be."""
    from keeper import __version__
    from keeper.journal.codec import CodecError, decode
    from keeper.journal.context import read_context
    from keeper.journal.query import whole_decision
    from keeper.journal.witness import read_answers

    row = whole_decision(journal, number)
    if row is None:
        problem = "parts of the decision are missing; see keeper journal verify"
        raise ReplayError(problem, fault=True)
    if row.context_id is None or row.software is None:
        raise ReplayError("strategy and policies were not recorded")
    try:
        context = read_context(row)
        answers = read_answers(row.answers)
        recorded = {
            "market": decode(row.market),
            "risk": decode(row.risk),
            "target": decode(row.target),
            "plan": decode(row.plan),
            "verdict": decode(row.verdict),
            "intent": decode(row.intent) if row.intent else None,
        }
    except CodecError as error:
        raise ReplayError(f"a row cannot be understood: {error}", fault=True) from None
    tally.other_software += context.software != __version__
    made = _decided_again(recorded["market"], context, answers)
    return [
        Difference(number, row.block_number, field, _short(before), _short(after))
        for name, value in recorded.items()
        for field, before, after in differing(name, value, made[name])
    ]


def _decided_again(market: Any, context: "Context", answers: dict[str, Any]) -> dict[str, Any]:
    """The live loop, with the journal in the place of the world."""
    from keeper.loop import Ports, run_tick

    caught = Catcher("journal", answers)
    asked_modules = any(name.startswith("modules.") for name in answers)
    ports = Ports(
        Recorded(market),
        Ended("executor", answers),
        caught,
        Ended("modules", answers) if asked_modules else None,
        Ended("control", answers),
        Recorded(market),
    )
    block = market.readings.block
    try:
        run_tick(
            ports,
            context.policies,
            _strategy_or_its_answer(context, answers),
            lambda: float(block.timestamp),
            rules=_rules(context),
            block=block,
        )
    except ReplayError:
        raise
    except (TypeError, AttributeError, GimbalError) as error:
        raise ReplayError(f"this version cannot decide it: {error}", fault=True) from error
    if caught.decision is None:
        raise ReplayError("this version comes to no decision on it", fault=True)
    return caught.decision


def _strategy_or_its_answer(context: "Context", answers: dict[str, Any]) -> "Strategy":
    """A strategy that lived in a process of its own answered as it did: its time cannot be replayed."""
    if not any(name.startswith("strategy.decide(") for name in answers):
        return strategy_of(context)
    decide: Strategy = Ended("strategy", answers).decide
    return decide


def strategy_of(context: "Context") -> "Strategy":
    """The strategy by its registered name: nothing a journal names is imported unless it is installed as one."""
    from importlib.metadata import entry_points

    from keeper.app.sound import SoundStrategy
    from keeper.config.strategy import GROUP, load_strategy

    names = {point.value: point.name for point in entry_points(group=GROUP)}
    if context.strategy not in names:
        raise ReplayError(f"strategy {context.strategy} is not installed")
    if context.parameters is None:
        raise ReplayError(f"parameters of {context.strategy} were not recorded")
    try:
        return SoundStrategy(load_strategy(names[context.strategy], context.parameters))
    except GimbalError as error:
        raise ReplayError(str(error)) from None


def _rules(context: "Context") -> "TickRules":
    """The rules as recorded; those that came later have no part in an older decision."""
    from keeper.loop import TickRules

    rules: TickRules = _rebuilt(TickRules, context.rules)
    return rules


def _rebuilt(kind: Any, recorded: dict[str, Any]) -> Any:
    """An instance of a dataclass from its recorded fields."""
    hints = get_type_hints(kind)
    if not recorded.keys() <= hints.keys():
        gone = ", ".join(sorted(recorded.keys() - hints.keys()))
        raise ReplayError(f"rules this version does not know: {gone}")
    return kind(
        **{
            name: _rebuilt(hints[name], value) if is_dataclass(hints[name]) else value
            for name, value in recorded.items()
        }
    )


class Recorded:
    """The chain as it was read, and what was known beyond it."""

    def __init__(self, market: Any) -> None:
        self._market = market
        self._readings = market.readings

    def head(self) -> Any:
        """The recorded block."""
        return self._readings.block

    def read(self, block: Any) -> Any:
        """The recorded readings, for their own block only."""
        if block != self._readings.block:
            raise ReadError("only the recorded block can be read")
        return self._readings

    def look(self, readings: Any) -> tuple[Any, Any]:
        """The recorded outlook and holdings."""
        del readings
        return self._market.outlook, self._market.holdings


class Ended:
    """An end that answers as it did, and does nothing."""

    def __init__(self, name: str, answers: dict[str, Any]) -> None:
        self._name, self._answers = name, answers

    def submit(self, intent: Any) -> str:
        """Nothing is sent."""
        del intent
        return _NOTHING_SENT

    def rehearse(self, intent: Any) -> str:
        """Nothing is simulated."""
        del intent
        return "replayed"

    def follow(self, block: Any) -> tuple[Any, ...]:
        """Nothing is in flight in a replay."""
        del block
        return ()

    def __getattr__(self, method: str) -> Any:
        from keeper.journal.witness import question

        attribute = f"{self._name}.{method}"
        if attribute in self._answers:
            return self._answers[attribute]

        def answer(*args: Any, **named: Any) -> Any:
            asked = question(self._name, method, (*args, *named.values()))
            if asked not in self._answers:
                problem = f"the answer to {asked.partition('(')[0]} was not recorded"
                raise ReplayError(problem, fault=True)
            return self._answers[asked]

        return answer


class Catcher(Ended):
    """The journal of a replay: answers as it did, and keeps the decision it is given."""

    decision: dict[str, Any] | None = None

    def record_decision(  # noqa: PLR0917 - as the journal's
        self,
        market: Any,
        risk: Any,
        target: Any,
        plan: Any,
        verdict: Any,
        intent: Any,
        **_: Any,
    ) -> None:
        """Keep it."""
        self.decision = {
            "market": market,
            "risk": risk,
            "target": target,
            "plan": plan,
            "verdict": verdict,
            "intent": intent,
        }

    def record_outcome(self, outcome: Any) -> None:
        """Nothing is written."""

    def move_intent(self, *_: Any, **__: Any) -> None:
        """Nothing is written."""


def differing(name: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Fields in which two values differ, as deep as they are; floats by their bits."""
    if type(before) is not type(after):
        yield name, before, after
    elif is_dataclass(before):
        for field in fields(before):
            yield from differing(
                f"{name}.{field.name}", getattr(before, field.name), getattr(after, field.name)
            )
    elif isinstance(before, tuple):
        if len(before) != len(after):
            yield f"{name} (length)", len(before), len(after)
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from differing(f"{name}[{index}]", one, other)
    elif repr(before) != repr(after):  # NaN equals NaN, 0.0 does not equal -0.0
        yield name, before, after


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def _print(tally: Tally, differences: list[Difference], skipped: dict[str, int]) -> None:
    for d in differences[:_SHOWN]:
        typer.echo(
            f"decision {d.decision}, block {d.block}: {d.field}: recorded {d.recorded}, "
            f"replayed {d.replayed}"
        )
    if len(differences) > _SHOWN:
        typer.echo(f"... and {len(differences) - _SHOWN} more; --json has all")
    typer.echo(f"{tally.replayed:>9} replayed")
    typer.echo(f"{tally.identical:>9} identical")
    typer.echo(f"{tally.replayed - tally.identical:>9} different, in {len(differences)} fields")
    for reason, count in skipped.items():
        typer.echo(f"{count:>9} not replayed: {reason}")
    if tally.other_software:
        typer.echo(f"{tally.other_software:>9} recorded by another version of the keeper")


def _print_json(tally: Tally, differences: list[Difference], skipped: dict[str, int]) -> None:
    from dataclasses import asdict
    from json import dumps

    typer.echo(
        dumps(
            {
                **asdict(tally),
                "different": tally.replayed - tally.identical,
                "not_replayed": skipped,
                "differences": [asdict(d) for d in differences],
            },
            indent=2,
        )
    )
