"""Reads back what was deployed: every address, limit, role and delay must be what the file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keeper.deployment.parameters import Parameters
from keeper.deployment.plan import Decimals, resolve, terms, vault
from keeper.deployment.roles import AccessState, Role, deviations
from keeper.model.address import ZERO_ADDRESS
from scripts._deployment.artifacts import Artifacts
from scripts._deployment.chain import Chain, encoded

SETTLED_AT, DUE_AT = 1, 2
"""Of IVaultShares.EpochState."""


def faults(
    chain: Chain,
    artifacts: Artifacts,
    p: Parameters,
    *,
    decimals: Decimals,
    at: Mapping[str, str],
    access: AccessState,
) -> tuple[str, ...]:
    """Whatever differs; nothing if all is well."""
    return (
        *_addresses(chain, at),
        *_values(chain, artifacts, p, decimals, at),
        *_holders(p, access),
        *deviations(access),
    )


def _addresses(chain: Chain, at: Mapping[str, str]) -> Iterator[str]:
    desk = at.get("OptionDesk", ZERO_ADDRESS)
    expected = {
        ("Vault", "mandate()"): at["Mandate"],
        ("Vault", "oracle()"): at["PriceOracle"],
        ("Vault", "lending()"): at["AaveV3Adapter"],
        ("Vault", "swapper()"): at["UniswapV3Adapter"],
        ("Vault", "desk()"): desk,
        ("Mandate", "vault()"): at["Vault"],
        ("Mandate", "valuation()"): at["Valuation"],
        ("Mandate", "authority()"): at["AccessManager"],
        ("Valuation", "mandate()"): at["Mandate"],
        ("AaveV3Adapter", "vault()"): at["Vault"],
        ("UniswapV3Adapter", "vault()"): at["Vault"],
    }
    for (name, view), wanted in expected.items():
        found = chain.view(at[name], view, ["address"])
        if found is None or found.lower() != wanted.lower():
            yield f"{name}.{view} is {found}, not {wanted}"
    if not chain.view(at["AccessSetup"], "finished()", ["bool"]):
        yield "AccessSetup is not finished: nobody holds a role"


def _values(
    chain: Chain, artifacts: Artifacts, p: Parameters, decimals: Decimals, at: Mapping[str, str]
) -> Iterator[str]:
    config = resolve(vault(p, decimals.asset), at)
    wanted: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
        ("Mandate", "terms", (terms(p, decimals.asset),)),
        ("Vault", "depositPolicy", (config["policy"],)),
        ("Vault", "fees", (config["fees"], config["fees"])),
        ("Vault", "asset", (p.vault.asset,)),
        ("Vault", "base", (p.vault.base,)),
    )
    for name, view, values in wanted:
        outputs = artifacts[name].function(view)["outputs"]
        if chain.raw(at[name], f"{view}()") != encoded(outputs, values):
            yield f"{name}.{view} is not what the parameters say"
    epoch = chain.view(at["Vault"], "epochState()", ["uint256"] * 8)
    if epoch is None or epoch[DUE_AT] - epoch[SETTLED_AT] != p.vault.epoch_length_s:
        yield "Vault.epochState is not what the parameters say"


def _holders(p: Parameters, access: AccessState) -> Iterator[str]:
    roles = p.roles
    wanted = {
        Role.OWNER: {(roles.owner, roles.owner_delay_s)},
        Role.CURATOR: {(roles.curator, roles.curator_delay_s)},
        Role.GUARDIAN: {(account, 0) for account in (roles.guardian, roles.curator, roles.owner)},
        Role.KEEPER: {(keeper, 0) for keeper in roles.keepers},
    }
    for role, holders in wanted.items():
        found = {(member.account, member.delay_s) for member in access.holders(role)}
        if found != holders:
            yield f"{role.name} is held by {sorted(found)}, not by {sorted(holders)}"
