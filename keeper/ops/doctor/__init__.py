"""What an operator wants to know before a keeper runs, and when it does not: how each part is, and what to do."""

from keeper.ops.doctor.line import Level, Line, exit_code

__all__ = ["Level", "Line", "exit_code"]
