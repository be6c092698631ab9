"""keeper tx: what is in flight, and a person's orders about it."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.cli.run import Config, prompt, settings_of

if TYPE_CHECKING:
    from keeper.config.settings import Settings
    from keeper.model.intent_state import IntentRecord
    from keeper.ops.gate import Gate

app = typer.Typer(
    help="Intents in flight: list, cancel, speed up or abandon.", no_args_is_help=True
)
Intent = Annotated[str, typer.Argument(help="Its id, or the first digits of it.")]
Wait = Annotated[
    float,
    typer.Option(min=0, max=600, help="Seconds to wait for a running keeper's answer; 0: do not."),
]
_FEWEST_DIGITS = 6
_POLL_S = 0.2


@app.command("list")
def list_(
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Intents that are not over, oldest first, as the journal has them."""
    settings = settings_of(config).settings
    records = open_intents(settings)
    if json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps([asdict(record) for record in records], indent=2))
        return
    for record in records:
        where = f" transaction {record.tx_hash}" if record.tx_hash else ""
        note = f" ({record.note})" if record.note else ""
        typer.echo(f"{record.intent_id} {record.lane} {record.state}{where}{note}")
    if not records:
        typer.echo("nothing is in flight")


@app.command("cancel")
def cancel(intent: Intent, wait: Wait = 60, config: Config = None) -> None:
    """Put an empty transaction in an intent's place: it takes the nonce, unless the intent was faster."""
    _order("cancel", intent, wait, config)


@app.command("speed-up")
def speed_up(intent: Intent, wait: Wait = 60, config: Config = None) -> None:
    """Replace an intent's transaction by the same one at a higher fee, now."""
    _order("speed-up", intent, wait, config)


@app.command("abandon")
def abandon(intent: Intent, wait: Wait = 60, config: Config = None) -> None:
    """Look after an intent no more, without sending anything. It may still be mined."""
    _order("abandon", intent, wait, config)


def open_intents(settings: "Settings") -> "tuple[IntentRecord, ...]":
    """From the journal, beside a keeper that may be running."""
    from keeper.cli.journals import open_for_reading

    journal = open_for_reading(settings)
    if journal is None:
        return ()
    try:
        return tuple(journal.open_intents(settings.chain_id))
    finally:
        journal.close()


def _order(action: str, intent: str, wait: float, config: "Config") -> None:
    settings = settings_of(config).settings
    intent_id = chosen(intent, open_intents(settings))
    said = _by_ourselves(settings, action, intent_id)
    if said is None:
        said = _handed_over(settings, action, intent_id, wait)
    typer.echo(said)


def chosen(given: str, records: "tuple[IntentRecord, ...]") -> str:
    """The one open intent whose id begins so. SettingError for none, several, or too few digits."""
    from keeper.errors import SettingError

    wanted = given.lower().removeprefix("0x")
    found = [r.intent_id for r in records if r.intent_id.removeprefix("0x").startswith(wanted)]
    if len(wanted) < _FEWEST_DIGITS or len(found) != 1:
        problem = f"names {len(found)} of {len(records)} intents in flight"
        if len(wanted) < _FEWEST_DIGITS:
            problem = f"has fewer than {_FEWEST_DIGITS} digits"
        raise SettingError("INTENT", problem, "see `keeper tx list`", "argument")
    return found[0]


def _by_ourselves(settings: "Settings", action: str, intent_id: str) -> str | None:
    """Carried out here, if no keeper holds the journal; None if one does."""
    from keeper.app import build_keeper
    from keeper.cli.journals import in_use
    from keeper.cli.operate import act, one_term
    from keeper.errors import JournalError
    from keeper.ops.requests import Request

    if in_use(settings):
        return None
    try:
        with (
            one_term(settings) as gate,
            gate.by_hand(),
            build_keeper(settings, prompt=prompt(), gate=gate) as keeper,
        ):
            _refuse_beside_a_leader(settings, gate)
            return act(keeper, Request("", action, intent_id, int(time.time())))
    except JournalError as error:
        if not in_use(settings):
            raise
        del error  # one was started in between
        return None


def _refuse_beside_a_leader(settings: "Settings", gate: "Gate") -> None:
    """A standby's order would take a nonce of the account that another keeper is using."""
    from keeper.cli.operate import store_of
    from keeper.errors import SettingError

    deposed = gate.closed()
    if deposed is None:
        return
    store = store_of(settings)
    where = f" ({holder})" if store is not None and (holder := store.holder()) else ""
    raise SettingError("INTENT", f"{deposed}{where}", "give the order on its machine", "argument")


def _handed_over(settings: "Settings", action: str, intent_id: str, wait: float) -> str:
    from keeper.cli.operate import requests_of

    requests = requests_of(settings)
    request = requests.ask(action, intent_id)
    typer.echo("a keeper holds the journal: handed to it, for its next tick", err=True)
    end = time.monotonic() + wait
    while (answer := requests.answer(request)) is None and time.monotonic() < end:
        time.sleep(_POLL_S)
    if answer is None:
        return (
            f"not answered yet; order {request.id} is good for ten minutes (see the keeper's log)"
        )
    if not answer.done:
        typer.echo(answer.text)
        raise typer.Exit(1)
    return answer.text
