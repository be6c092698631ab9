"""Settings of what is sent: who signs, what a transaction may pay, through whom, and patience with it."""

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from keeper.config.fields import Address, HttpUrl, Section, VariableName, setting

PASSWORD_ENV = "GIMBAL_KEYSTORE_PASSWORD"  # noqa: S105 - the name of a variable
PRIVATE_KEY_ENV = "GIMBAL_PRIVATE_KEY"
PROTECTIVE_PASSWORD_ENV = "GIMBAL_PROTECTIVE_PASSWORD"  # noqa: S105 - the name of a variable
PROTECTIVE_KEY_ENV = "GIMBAL_PROTECTIVE_PRIVATE_KEY"
RELAY_KEY_ENV = "GIMBAL_RELAY_KEY"


class KeySettings(Section):
    """Where signatures come from. Never the key itself."""

    keystore: Path | None = setting(None, "encrypted version 3 keystore of the keeper's account")
    password_file: Path | None = setting(None, "file whose first line is the keystore's password")
    password_env: VariableName = setting(
        PASSWORD_ENV, "environment variable with the keystore's password"
    )
    private_key_env: VariableName = setting(
        PRIVATE_KEY_ENV,
        "environment variable with a private key, used when nothing else is named",
    )
    address: Address | None = setting(
        None, "keeper's account: for dry runs and status without key, and of a remote signer"
    )
    kms_key_id: str | None = setting(None, "AWS KMS key (ECC_SECG_P256K1): its id, ARN or alias")
    kms_region: str | None = setting(None, "AWS region; as boto3 finds it without")
    kms_endpoint_url: HttpUrl | None = setting(None, "another address of KMS", unit="http(s) URL")
    remote_url: HttpUrl | None = setting(
        None, "JSON-RPC signer that holds the key", unit="http(s) URL"
    )
    remote_style: Literal["web3signer", "clef"] = setting(
        "web3signer",
        "what the remote signer speaks: eth_signTransaction or account_signTransaction",
    )
    signer_timeout_s: float = setting(
        3.0, "patience with a remote signer or KMS for one signature", unit="s", gt=0, le=30
    )

    @model_validator(mode="after")
    def _one_signer(self) -> "KeySettings":
        places = ("keystore", "kms_key_id", "remote_url")
        named = [name for name in places if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"names several signers ({', '.join(named)}): keep one")
        return self


class ProtectiveKeySettings(KeySettings):
    """Second account, for protection alone: the same forms as `[key]`. Without one both lanes share an account."""

    password_env: VariableName = setting(
        PROTECTIVE_PASSWORD_ENV, "environment variable with the keystore's password"
    )
    private_key_env: VariableName = setting(
        PROTECTIVE_KEY_ENV,
        "environment variable with a private key, used when nothing else is named",
    )


class GasSettings(Section):
    """What a transaction may pay."""

    max_fee_gwei: Decimal = setting(
        Decimal(200),
        "ceiling of a routine transaction's max fee; a protective one may cost what lateness would",
        unit="gwei",
        gt=0,
    )
    tip_gwei: Decimal = setting(Decimal(1), "routine priority fee", unit="gwei", ge=0)
    protective_tip_gwei: Decimal = setting(Decimal(3), "protective priority fee", unit="gwei", ge=0)
    bump_bps: int = setting(
        1_250, "rise of tip and max fee of a replacement", unit="bps", ge=1_250, le=10_000
    )
    limit_margin_bps: int = setting(
        2_500, "gas limit over the estimate", unit="bps", ge=500, le=20_000
    )
    cap_floor_gwei: Decimal = setting(
        Decimal(1), "least max fee of a first attempt, whatever the base fee", unit="gwei", ge=0
    )


class LanesSettings(Section):
    """How sure and how dear protection is, and the gas money of the accounts."""

    inclusion_probability: float = setting(
        0.99,
        "probability with which protection is in by its deadline",
        unit="fraction",
        gt=0.5,
        lt=1,
    )
    block_time_s: float = setting(12.0, "time between blocks", unit="s", ge=0.1, le=60)
    volatility: float = setting(
        1.5, "volatility that lateness is valued with, a year", unit="fraction", gt=0, le=10
    )
    late_s: float = setting(
        86_400.0, "how late protection may come in a crash", unit="s", ge=60, le=604_800
    )
    native_price: Decimal | None = setting(
        None, "price of the coin that pays gas; the base token's without", unit="asset", gt=0
    )
    protective_floor: int = setting(
        3, "protective transactions payable at 10x the base fee, or an alert", unit="count", ge=0
    )
    routine_floor_eth: Decimal = setting(
        Decimal("0.02"), "least balance of the routine account, or an alert", unit="ETH", ge=0
    )
    gas_of_protection: int = setting(
        1_000_000, "gas of a protective transaction, for the floor", unit="gas", ge=21_000
    )


class RelaySettings(Section):
    """A private relay (Flashbots style); without `url` everything is broadcast."""

    url: HttpUrl | None = setting(None, "JSON-RPC address of the relay", unit="http(s) URL")
    authentication_key_env: VariableName = setting(
        RELAY_KEY_ENV, "environment variable with the relay's authentication key, never an account"
    )
    method: Literal["transaction", "bundle"] = setting(
        "transaction", "eth_sendPrivateTransaction or eth_sendBundle"
    )
    lanes: tuple[Literal["routine", "protective"], ...] = setting(
        ("routine", "protective"), "lanes that go to the relay first"
    )
    public_after_blocks: int = setting(
        3, "blocks until an intent is broadcast to everybody", unit="blocks", ge=1, le=100
    )
    timeout_s: float = setting(2.0, "patience with the relay", unit="s", gt=0, le=30)


class FollowSettings(Section):
    """Patience with what is in flight."""

    bump_after_blocks: int = setting(2, "blocks until a fee is raised", unit="blocks", ge=1, le=100)
    drop_after_blocks: int = setting(
        4, "blocks a used nonce without a receipt of ours is borne", unit="blocks", ge=1, le=100
    )
    confirm_blocks: int = setting(
        3, "depth of a confirmed transaction", unit="blocks", ge=1, le=1_000
    )
    finality_blocks: int = setting(
        64, "depth of a final one, where no endpoint knows", unit="blocks", ge=1, le=100_000
    )
