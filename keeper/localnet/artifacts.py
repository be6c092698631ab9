"""ABI and bytecode by short name: published artifacts of the protocols, and our own from the forge output."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_utils.address import is_address

from keeper.errors import LocalnetError
from keeper.localnet.compile import CHAINLINK_CONTRACTS, compiled_chainlink, ensure_contracts_built

_AAVE = "@aave/core-v3/artifacts/contracts"
_LOGIC = f"{_AAVE}/protocol/libraries/logic"
_UNI_CORE = "@uniswap/v3-core/artifacts/contracts"
_UNI_PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts"
_UNI_ROUTERS = "@uniswap/swap-router-contracts/artifacts/contracts"

PUBLISHED: Mapping[str, str] = {
    "ERC20": f"{_AAVE}/dependencies/openzeppelin/contracts/IERC20Detailed.sol/IERC20Detailed.json",
    "MintableERC20": f"{_AAVE}/mocks/tokens/MintableERC20.sol/MintableERC20.json",
    "WETH9": f"{_AAVE}/dependencies/weth/WETH9.sol/WETH9.json",
    "UniswapV3Factory": f"{_UNI_CORE}/UniswapV3Factory.sol/UniswapV3Factory.json",
    "UniswapV3Pool": f"{_UNI_CORE}/UniswapV3Pool.sol/UniswapV3Pool.json",
    "NFTDescriptor": f"{_UNI_PERIPHERY}/libraries/NFTDescriptor.sol/NFTDescriptor.json",
    "NonfungibleTokenPositionDescriptor": (
        f"{_UNI_PERIPHERY}/NonfungibleTokenPositionDescriptor.sol/NonfungibleTokenPositionDescriptor.json"
    ),
    "NonfungiblePositionManager": f"{_UNI_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
    "SwapRouter": f"{_UNI_PERIPHERY}/SwapRouter.sol/SwapRouter.json",
    "QuoterV2": f"{_UNI_ROUTERS}/lens/QuoterV2.sol/QuoterV2.json",
    "PoolAddressesProvider": f"{_AAVE}/protocol/configuration/PoolAddressesProvider.sol/PoolAddressesProvider.json",
    "PoolAddressesProviderRegistry": (
        f"{_AAVE}/protocol/configuration/PoolAddressesProviderRegistry.sol/PoolAddressesProviderRegistry.json"
    ),
    "ACLManager": f"{_AAVE}/protocol/configuration/ACLManager.sol/ACLManager.json",
    "AavePool": f"{_AAVE}/protocol/pool/Pool.sol/Pool.json",
    "AavePoolConfigurator": f"{_AAVE}/protocol/pool/PoolConfigurator.sol/PoolConfigurator.json",
    "AaveRateStrategy": (
        f"{_AAVE}/protocol/pool/DefaultReserveInterestRateStrategy.sol/DefaultReserveInterestRateStrategy.json"
    ),
    "AaveOracle": f"{_AAVE}/misc/AaveOracle.sol/AaveOracle.json",
    "AaveDataProvider": f"{_AAVE}/misc/AaveProtocolDataProvider.sol/AaveProtocolDataProvider.json",
    "AToken": f"{_AAVE}/protocol/tokenization/AToken.sol/AToken.json",
    "StableDebtToken": f"{_AAVE}/protocol/tokenization/StableDebtToken.sol/StableDebtToken.json",
    "VariableDebtToken": f"{_AAVE}/protocol/tokenization/VariableDebtToken.sol/VariableDebtToken.json",
    **{
        name: f"{_LOGIC}/{name}.sol/{name}.json"
        for name in (
            "BorrowLogic",
            "BridgeLogic",
            "ConfiguratorLogic",
            "EModeLogic",
            "FlashLoanLogic",
            "LiquidationLogic",
            "PoolLogic",
            "SupplyLogic",
        )
    },
}
"""Short name -> artifact file under node_modules."""

PACKAGES = (
    "@aave/core-v3",
    "@chainlink/contracts",
    "@foundry-rs/anvil",
    "@uniswap/swap-router-contracts",
    "@uniswap/v3-core",
    "@uniswap/v3-periphery",
    "solc-0_6_6",
    "viem",
)
"""What the local mainnet is made of; their versions key the cache."""

MULTICALL3_ADDRESS = "0xcA11bde05977b3631167028862bE2a173976CA11"
_MULTICALL3_FILE = "viem/_cjs/constants/contracts.js"
_MULTICALL3_ABI: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "aggregate3",
        "stateMutability": "payable",
        "inputs": [
            {
                "name": "calls",
                "type": "tuple[]",
                "components": [
                    {"name": "target", "type": "address"},
                    {"name": "allowFailure", "type": "bool"},
                    {"name": "callData", "type": "bytes"},
                ],
            }
        ],
        "outputs": [
            {
                "name": "returnData",
                "type": "tuple[]",
                "components": [
                    {"name": "success", "type": "bool"},
                    {"name": "returnData", "type": "bytes"},
                ],
            }
        ],
    },
    *(
        {
            "type": "function",
            "name": name,
            "stateMutability": "view",
            "inputs": [],
            "outputs": [{"name": "", "type": "uint256"}],
        }
        for name in ("getBlockNumber", "getCurrentBlockTimestamp", "getBasefee", "getChainId")
    ),
]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract. `links`: library name -> byte offsets in the creation code where its address goes."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str  # creation code, hexadecimal without 0x, with placeholders where libraries go
    links: Mapping[str, tuple[int, ...]]


def load(root: Path, name: str) -> Artifact:
    """The artifact of a short name (`PUBLISHED`, Chainlink's, "Multicall3") or of one of our own contracts."""
    return _load(root.resolve(), name)


def abi_of(root: Path, name: str) -> list[dict[str, Any]]:
    """ABI by short name."""
    return load(root, name).abi


def link(artifact: Artifact, libraries: Mapping[str, str]) -> str:
    """Creation code (0x...) with the libraries' addresses in place; every library must be given."""
    code = artifact.bytecode
    for library, offsets in artifact.links.items():
        address = libraries.get(library)
        if address is None or not is_address(address):
            raise LocalnetError(
                f"linking {artifact.name}", f"no address for {library}", "deploy the library first"
            )
        for offset in offsets:
            start = 2 * offset
            code = code[:start] + address[2:].lower() + code[start + 40 :]
    return "0x" + code


def multicall3_runtime(root: Path) -> str:
    """Runtime code (0x...) of Multicall3, cut from the creation code that viem publishes."""
    file = root / "node_modules" / _MULTICALL3_FILE
    try:
        found = re.search(r"multicall3Bytecode = '0x([0-9a-f]+)'", file.read_text())
    except OSError as error:
        raise LocalnetError("loading Multicall3", str(error), "run `make setup`") from error
    # The constructor ends in `codecopy; return; invalid`; what follows is the runtime.
    creation, marker, runtime = (
        found.group(1).partition("6000396000f3fe") if found else ("", "", "")
    )
    if not (creation and marker and runtime):
        raise LocalnetError(
            "loading Multicall3", f"{file} has another form", "install the locked version of viem"
        )
    return "0x" + runtime


@cache
def _load(root: Path, name: str) -> Artifact:
    if name == "Multicall3":
        return Artifact(name, _MULTICALL3_ABI, "", {})
    if name in CHAINLINK_CONTRACTS:
        raw = compiled_chainlink(root, name)
    elif name in PUBLISHED:
        raw = _read(root / "node_modules" / PUBLISHED[name], name)
    else:
        raw = _read(ensure_contracts_built(root) / f"{name}.sol" / f"{name}.json", name)
    return parse(name, raw)


def parse(name: str, raw: Mapping[str, Any]) -> Artifact:
    """An artifact as hardhat (flat) or forge (nested) writes it."""
    code = raw["bytecode"]
    if isinstance(code, Mapping):
        text, references = code["object"], code.get("linkReferences", {})
    else:
        text, references = code, raw.get("linkReferences", {})
    links = {
        library: tuple(int(place["start"]) for place in places)
        for unit in references.values()
        for library, places in unit.items()
    }
    return Artifact(name, list(raw["abi"]), str(text).removeprefix("0x"), links)


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise LocalnetError(
            f"loading {name}",
            str(error),
            "run `make setup` in the checkout, and this command there too",
        ) from error
    return loaded
