"""keeper doctor: every part a keeper needs, looked at; each line says how it is and what to do."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keeper.cli.doctor_needs import needed
from keeper.cli.run import REDACTOR, Config, prompt, settings_of

if TYPE_CHECKING:
    from keeper.config.settings import KeySettings, Settings
    from keeper.ops.control import Switches
    from keeper.ops.doctor import Line
    from keeper.ops.doctor.chain import Probe

_NEVER_MINED = {
    "type": 2,
    "nonce": 2**62,
    "value": 0,
    "data": "0x",
    "gas": 21_000,
    "maxFeePerGas": 0,
    "maxPriorityFeePerGas": 0,
}
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at endpoints, clock, vault, role, key, gas money, oracle, journal, disk. Exit code 1 if anything fails."""
    settings = settings_of(config).settings
    from keeper.ops.doctor import exit_code

    found = list(lines(settings))
    clean = REDACTOR.get().text
    if json:
        from json import dumps

        typer.echo(clean(dumps([asdict(line) for line in found], indent=2)))
    else:
        for line in found:
            level = typer.style(f"{line.level:<4}", fg=_COLOURS[line.level])
            remedy = f"\n       to do: {line.remedy}" if line.remedy else ""
            typer.echo(clean(f"{level} {line.check}: {line.found}{remedy}"))
    raise typer.Exit(exit_code(found))


def lines(settings: "Settings") -> "Iterator[Line]":
    """Every finding, the world's first; a part that cannot be looked at is a finding as well."""
    from keeper.cli.operate import switches_of
    from keeper.ops.doctor import machine

    yield from _chain(settings)
    for one in settings.each():
        own = _guarded("vault", partial(_vault, one))
        yield from (_named(line, one.name if settings.vaults else "") for line in own)
    for one in settings.each():
        own = _guarded("pool", partial(_pool, one))
        yield from (_named(line, one.name if settings.vaults else "") for line in own)
    for one in settings.each():
        own = _guarded("strategy", partial(needed, one))
        yield from (_named(line, one.name if settings.vaults else "") for line in own)
    yield from _guarded("key", lambda: _keys(settings))
    yield from _guarded("journal", lambda: [_journal(settings)])
    yield from _guarded("disk", lambda: [machine.disk(settings.journal.path)])
    switches = switches_of(settings)
    for one in settings.each():
        own = _guarded("switches", partial(_switches, switches, one.vault))
        yield from (_named(line, one.name if settings.vaults else "") for line in own)
    yield from _guarded("leadership", lambda: [_leadership(settings)])
    yield from _guarded("relay", lambda: _relay(settings))


def _named(line: "Line", vault: str) -> "Line":
    """Of one of several vaults."""
    return replace(line, check=f"{vault}: {line.check}") if vault else line


def _switches(switches: "Switches", vault: str) -> "list[Line]":
    from keeper.ops.doctor import machine

    return [machine.switches(switches, vault)]


def _guarded(check: str, look: "Callable[[], list[Line]]") -> "list[Line]":
    from keeper.errors import GimbalError
    from keeper.ops.doctor.line import fail

    try:
        return look()
    except GimbalError as error:
        # errors say what is wrong and, behind the last semicolon, what to do
        found, _, remedy = str(error).rpartition("; ")
        return [fail(check, found or remedy, remedy if found else "see docs/operations.md")]


def _chain(settings: "Settings") -> "list[Line]":
    from keeper.ops.doctor import chain

    nodes = settings.nodes()
    probes = [_probe(node.url, node.name, settings) for node in nodes]
    needed = settings.agreement.k or len(nodes) // 2 + 1
    newest = max((p.timestamp for p in probes if p.chain_id == settings.chain_id), default=0)
    tick = settings.tick
    return [
        *chain.endpoints(probes, settings.chain_id, needed),
        chain.clock(newest, time.time(), tick.max_head_age_s, tick.max_head_ahead_s),
    ]


def _probe(url: str, name: str, settings: "Settings") -> "Probe":
    from keeper.chain.endpoint import Endpoint
    from keeper.chain.stamps import quantity
    from keeper.errors import ReadError, RpcError
    from keeper.ops.doctor.chain import Probe

    endpoint = Endpoint(url, settings.rpc_timeout_s, name=name)
    method = "eth_getBlockByNumber"
    try:
        answers = endpoint.batch([("eth_chainId", []), (method, ["latest", False])])
        refused = next((a for a in answers if isinstance(a, RpcError)), None)
        if refused is not None:
            return Probe(endpoint.name, str(refused))
        header = answers[1] if isinstance(answers[1], dict) else {}
        return Probe(
            endpoint.name,
            chain_id=quantity(answers[0], endpoint.name, "eth_chainId"),
            height=quantity(header.get("number"), endpoint.name, method),
            timestamp=quantity(header.get("timestamp"), endpoint.name, method),
        )
    except ReadError as error:
        return Probe(endpoint.name, str(error))
    finally:
        endpoint.close()


def _vault(settings: "Settings") -> "list[Line]":
    from keeper.app import NOBODY, first_readings
    from keeper.config.key import load_address
    from keeper.config.policies import policies
    from keeper.market import build_market
    from keeper.ops.doctor.vault import account, vault
    from keeper.risk import assess

    own = load_address(settings.key)
    readings = first_readings(settings, own or NOBODY)
    market = build_market(readings, policies(settings, readings.asset.decimals).market)
    found = vault(
        market, assess(market), max_feed_age_s=settings.market.max_feed_age_s, known=own is not None
    )
    second = load_address(settings.protective_key)
    if second not in (None, own):
        found += account(first_readings(settings, second), "protective ")
    return found


def _pool(settings: "Settings") -> "list[Line]":
    """Of the largest sale that a routine plan may make, or of all there is."""
    from keeper.app import NOBODY, first_pools, first_readings
    from keeper.config.policies import planning_policy
    from keeper.ops.doctor.route import pool_cost

    readings = first_readings(settings, NOBODY)
    most = planning_policy(settings, readings.asset.decimals).max_swap
    value = min(most, max(0, readings.nav)) if readings.nav_valid else 0
    return pool_cost(readings, first_pools(settings, readings), value)


def _keys(settings: "Settings") -> "list[Line]":
    """Each pair of keys once, however many vaults have it."""
    shared = (settings.key, settings.protective_key)
    found = []
    pairs = {(one.key, one.protective_key): one for one in reversed(settings.each())}
    for pair, one in reversed(pairs.items()):
        name = one.name if settings.vaults and pair != shared else ""
        found += [_named(line, name) for line in _guarded("key", partial(_pair, one))]
    return found


def _pair(settings: "Settings") -> "list[Line]":
    """Each account's signer signs something that no chain will ever take: a nonce out of reach, and no fee."""
    from keeper.config.key import load_signer
    from keeper.ops.doctor.line import fail, ok, warn

    found = [*_files(settings.key), *_files(settings.protective_key)]
    own = load_signer(settings.key, prompt=prompt())
    second = load_signer(settings.protective_key, prompt=prompt())
    if own is None:
        remedy = (
            "set key.keystore, key.kms_key_id, key.remote_url or key.private_key_env's variable"
        )
        return [*found, fail("key", "none is named; only a dry run is possible", remedy)]
    for name, signer in (("key", own), ("protective key", second)):
        if signer is not None:
            signer.sign({**_NEVER_MINED, "chainId": settings.chain_id, "to": signer.address})
            found.append(ok(name, f"signs as {signer.address}"))
    if second is None:
        remedy = "set protective_key: an account of its own never waits for routine work"
        found.append(warn("protective key", "both lanes share one account", remedy))
    return found


def _files(key: "KeySettings") -> "list[Line]":
    from keeper.ops.doctor.machine import private_file

    found = (
        private_file(name, path)
        for name, path in (("keystore", key.keystore), ("password file", key.password_file))
        if path is not None
    )
    return [line for line in found if line is not None]


def _journal(settings: "Settings") -> "Line":
    from keeper.cli.journals import in_use, open_for_reading
    from keeper.ops.doctor.line import ok

    journal = open_for_reading(settings)
    if journal is None:
        return ok("journal", f"there is none at {settings.journal.path} yet")
    try:
        open_ = len(journal.open_intents(settings.chain_id))
        fence = journal.last_fence()
    finally:
        journal.close()
    held = "a keeper holds it" if in_use(settings) else "no keeper holds it"
    return ok("journal", f"intents in flight or not final yet: {open_}, fence {fence}; {held}")


def _leadership(settings: "Settings") -> "Line":
    from keeper.cli.operate import store_of
    from keeper.ops.doctor.line import ok, warn

    store = store_of(settings)
    if store is None:
        remedy = "run a second keeper on another machine: see leadership in docs/operations.md"
        return warn("leadership", "this keeper is alone: nobody takes over", remedy)
    holder = store.holder()
    return ok("leadership", f"{settings.leadership.mode}: {holder or 'nobody'} leads")


def _relay(settings: "Settings") -> "list[Line]":
    """Whether the private relay answers at all: what it answers to a stranger says nothing more."""
    from keeper.chain.endpoint import Endpoint
    from keeper.errors import EndpointError, RpcError
    from keeper.ops.doctor.line import ok, warn

    url = settings.relay.url
    if url is None:
        return []
    endpoint = Endpoint(url, settings.rpc_timeout_s)
    try:
        endpoint.call("eth_chainId", [])
    except RpcError:
        pass  # it answered
    except EndpointError as error:
        remedy = "protection goes out in public meanwhile; check relay.url"
        return [warn("relay", str(error), remedy)]
    finally:
        endpoint.close()
    return [ok("relay", f"{endpoint.name} answers")]
