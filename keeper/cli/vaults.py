"""Which of the vaults in the settings a command is about."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keeper.config.settings import Settings


def chosen(
    settings: "Settings", given: str | None, said: tuple[str, str] = ("VAULT", "argument")
) -> "Settings":
    """Settings of the vault with a name or address, or of the only one; SettingError with the names otherwise.

    said: how the command calls it, and what that is.
    """
    from keeper.errors import SettingError

    each = settings.each()
    if given is None and len(each) == 1:
        return each[0]
    for one in each:
        if given is not None and given.lower() in (one.name, one.vault.lower()):
            return one
    names = ", ".join(one.label for one in each)
    problem = "is missing" if given is None else f"{given} is no vault of these settings"
    raise SettingError(said[0], problem, f"name one of {names}", said[1])


def address_of(settings: "Settings", given: str | None) -> str:
    """Address of the vault that is meant; any address will do, also of one that the settings do not have."""
    from keeper.errors import SettingError
    from keeper.model.address import checked_address

    if given is None or not given.lower().startswith("0x"):
        return chosen(settings, given).vault
    try:
        return checked_address(given)
    except ValueError as error:
        raise SettingError("VAULT", str(error), "give the vault's address", "argument") from None


def labels(settings: "Settings") -> str:
    """All of them, for people."""
    return ", ".join(one.label for one in settings.each())
