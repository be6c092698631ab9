"""From an intent to at most one effect: simulate, price, sign, journal, send, follow."""
