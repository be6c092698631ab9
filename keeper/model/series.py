"""An option series by its terms: its id and its collateral exactly as the book has them."""

from dataclasses import dataclass

from eth_utils.crypto import keccak

from keeper.model.units import WAD, Wad

NO_STRIKE = Wad(0)
MILLIONTH = 10**12
"""WAD of a millionth: strikes at option venues are whole ones."""

OptionTerms = tuple[bool, int, int, int]
"""(call, strike WAD, second strike WAD or 0, expiry): what an option is, wherever it is traded."""


def terms_of_instrument(name: str) -> OptionTerms | None:
    """What a name given by `Series.instrument` stands for; None if it is none."""
    expiry, *strikes, side = name.split("-") if name.count("-") in (2, 3) else ("", "")
    numbers = (expiry, *strikes)
    if side not in ("C", "P") or not all(n.isdecimal() and n.isascii() for n in numbers):
        return None
    first, second = (*(int(strike) * MILLIONTH for strike in strikes), 0)[:2]
    return side == "C", first, second, int(expiry)


@dataclass(frozen=True, slots=True)
class Series:
    """Everything that makes a series (IOptionBook.Series)."""

    base: str
    quote: str
    oracle: str
    """The settlement oracle."""
    expiry: int
    """Unix seconds."""
    is_call: bool
    strike_wad: Wad
    """Of the bought option, quote per whole base."""
    second_strike_wad: Wad = NO_STRIKE
    """Of the sold option of a spread, 0 for none; above the first for calls, below for puts."""

    @property
    def well_formed(self) -> bool:
        """True if the book would create it, the time apart."""
        first, second = self.strike_wad, self.second_strike_wad
        ordered = second == 0 or (second > first if self.is_call else second < first)
        fits = max(first, second) < 2**128 and 0 <= self.expiry < 2**40
        return first > 0 and second >= 0 and ordered and fits

    @property
    def instrument(self) -> str:
        """Name at an option venue: expiry, strikes in millionths, call or put."""
        strikes = [str(w // MILLIONTH) for w in (self.strike_wad, self.second_strike_wad) if w]
        return "-".join((str(self.expiry), *strikes, "C" if self.is_call else "P"))

    @property
    def words(self) -> tuple[int, ...]:
        """Its fields as ABI words, in order."""
        addresses = (int(a, 16) for a in (self.base, self.quote, self.oracle))
        return (*addresses, self.expiry, self.is_call, self.strike_wad, self.second_strike_wad)

    @property
    def id(self) -> str:
        """keccak(abi.encode(series)), decimal (OptionBook.idOf)."""
        packed = b"".join(int(word).to_bytes(32, "big") for word in self.words)
        return str(int.from_bytes(keccak(packed), "big"))

    def collateral_up(self, amount: int, base_decimals: int, quote_decimals: int) -> int:
        """The most `amount` base units of it can pay, rounded up: base for calls, quote for puts (OptionPayoff)."""
        share, whole = self._share(base_decimals, quote_decimals)
        return -(-amount * share // whole)

    def covered_down(self, collateral: int, base_decimals: int, quote_decimals: int) -> int:
        """The most base units that `collateral` is enough for."""
        share, whole = self._share(base_decimals, quote_decimals)
        return max(0, collateral) * whole // share

    def _share(self, base_decimals: int, quote_decimals: int) -> tuple[int, int]:
        """Collateral of one base unit, as a fraction."""
        first, second = int(self.strike_wad), int(self.second_strike_wad)
        if not self.is_call:
            return (first - second) * 10**quote_decimals, WAD * 10**base_decimals
        return (second - first, second) if second else (1, 1)
