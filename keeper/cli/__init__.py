"""The `keeper` command. Heavy imports wait inside the commands, so that help is instant."""

from keeper.cli.main import main

__all__ = ["main"]
