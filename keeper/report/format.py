"""Numbers as people read them. For display only: nothing here is parsed again."""


def amount(raw: int, decimals: int, places: int = 2) -> str:
    """Token units as a decimal with thousands separators, rounded half away from zero."""
    unit = 10**decimals
    scale = 10**places
    scaled = (abs(raw) * scale * 2 + unit) // (2 * unit)
    whole, part = divmod(scaled, scale)
    sign = "-" if raw < 0 and scaled else ""
    return f"{sign}{whole:,}.{part:0{places}d}" if places else f"{sign}{whole:,}"


def number(value: float) -> str:
    """A price: two decimals, thousands separated."""
    return f"{value:,.2f}"


def percent(fraction: float) -> str:
    """A signed percentage with one decimal."""
    return f"{fraction * 100:+.1f} %"


def bps_percent(bps: float) -> str:
    """Basis points as an unsigned percentage with two decimals."""
    return f"{bps / 100:.2f} %"


def clock(elapsed_s: int) -> str:
    """Elapsed time as h:mm:ss."""
    hours, rest = divmod(elapsed_s, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def span(seconds: int) -> str:
    """A length of time in its two largest units."""
    if seconds < 60:
        return f"{seconds} s"
    units = (("day", 86_400), ("h", 3600), ("min", 60))
    parts: list[str] = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            plural = "s" if name == "day" and count > 1 else ""
            parts.append(f"{count} {name}{plural}")
    return " ".join(parts[:2])


def gwei(wei: int) -> str:
    """A gas price in gwei, three significant digits."""
    return f"{wei / 10**9:.3g}"


def short_hash(tx_hash: str) -> str:
    """First and last digits of a hash."""
    return tx_hash if len(tx_hash) <= 14 else f"{tx_hash[:8]}…{tx_hash[-4:]}"


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
