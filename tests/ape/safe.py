"""A real Safe on the fork, from its published package: set up by its factory, acting by signatures of its owners."""

import json

import ape
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import to_checksum_address

from keeper.localnet.protocols.deployer import ZERO_ADDRESS
from tests.ape.conftest import ROOT

ARTIFACTS = ROOT / "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts"
CALL = 0


def _container(path):
    raw = json.loads((ARTIFACTS / f"{path}.json").read_text())
    kind = ape.types.ContractType.model_validate(
        {
            "contractName": raw["contractName"],
            "abi": raw["abi"],
            "deploymentBytecode": {"bytecode": raw["bytecode"]},
        }
    )
    return ape.contracts.ContractContainer(kind)


class Safe:
    """`threshold` of `owners` (Ape's development accounts) sign everything it does."""

    def __init__(self, owners, threshold, payer):
        self._owners = sorted(owners, key=lambda account: int(account.address, 16))
        self._threshold = threshold
        self._payer = payer
        container = _container("Safe.sol/Safe")
        singleton = container.deploy(sender=payer)
        factory = _container("proxies/SafeProxyFactory.sol/SafeProxyFactory").deploy(sender=payer)
        setup = singleton.setup.encode_input(
            [account.address for account in owners],
            threshold,
            ZERO_ADDRESS,
            b"",
            ZERO_ADDRESS,
            ZERO_ADDRESS,
            0,
            ZERO_ADDRESS,
        )
        made = factory.createProxyWithNonce(singleton, setup, 1, sender=payer)
        proxy = made.events.filter(factory.ProxyCreation)[0].proxy
        self.address = to_checksum_address(proxy)
        self._contract = ape.Contract(self.address, abi=container.contract_type.abi)

    def act(self, to, data):
        """Call a contract as the Safe; the Safe itself reverts if the call does."""
        terms = (CALL, 0, 0, 0, ZERO_ADDRESS, ZERO_ADDRESS)
        digest = self._contract.getTransactionHash(
            to, 0, data, *terms, self._contract.call_view_method("nonce")
        )
        signatures = b"".join(
            _signature(account, bytes(digest)) for account in self._owners[: self._threshold]
        )
        return self._contract.execTransaction(to, 0, data, *terms, signatures, sender=self._payer)


def _signature(account, digest):
    """As wallets sign: over the prefixed message, with v raised by 4 so that the Safe knows."""
    signed = Account.from_key(account.private_key).sign_message(encode_defunct(digest))
    return signed.signature[:64] + bytes([signed.v + 4])
