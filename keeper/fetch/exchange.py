"""One exchange through ccxt: its own rate limit, patience with a network that fails, and clear words for the rest."""

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from keeper.errors import FetchError
from keeper.fetch.pages import Row

T = TypeVar("T")
_ATTEMPTS = 6
_LONGEST_WAIT_S = 60
_MS = 1_000


class Exchange:
    """Reads public market data; needs no account. FetchError for whatever the exchange cannot give."""

    def __init__(self, name: str, client: Any = None, *, wait: Any = None) -> None:
        """`client`: a ccxt exchange, by default made by `name`. `wait`: tenacity's pause between attempts."""
        self.name = name
        self._client = client if client is not None else _client(name)
        self._wait = wait or wait_random_exponential(multiplier=1, max=_LONGEST_WAIT_S)
        self._errors = _library()

    def step_s(self, timeframe: str) -> int:
        """Length of a bar, such as 1h, in seconds."""
        known = list(self._client.timeframes or {})
        if timeframe not in known:
            raise self._no(f"has no bars of {timeframe}", f"it has {', '.join(known)}")
        return int(self._client.parse_timeframe(timeframe))

    def bars(self, symbol: str, timeframe: str) -> Callable[[int, int], list[Row]]:
        """Asks for bars: opening time, open, high, low, close, volume in base."""
        self._market(symbol)

        def ask(since_s: int, limit: int) -> list[Row]:
            given = self._patient(
                lambda: self._client.fetch_ohlcv(symbol, timeframe, since_s * _MS, limit)
            )
            return [(r[0] // _MS, *(self._number(v, symbol) for v in r[1:6])) for r in given]

        return ask

    def funding(self, symbol: str) -> Callable[[int, int], list[Row]]:
        """Asks for funding rates: when each was paid, and the fraction of the notional that longs paid."""
        if not self._client.has.get("fetchFundingRateHistory"):
            raise self._no("gives no history of funding", "ask another exchange")
        if not self._market(symbol).get("swap"):
            swaps = [m["symbol"] for m in self._client.markets.values() if m.get("swap")]
            near = ", ".join(difflib.get_close_matches(symbol, swaps, 3)) or "none like it"
            raise self._no(f"{symbol} is not a perpetual", f"perpetuals: {near}")

        def ask(since_s: int, limit: int) -> list[Row]:
            given = self._patient(
                lambda: self._client.fetch_funding_rate_history(symbol, since_s * _MS, limit)
            )
            # the payment is stamped some milliseconds after the full second by some
            return [(r["timestamp"] // _MS, self._number(_rate(r), symbol)) for r in given]

        return ask

    def chain(self, currency: str) -> list[dict[str, Any]]:
        """Options of a currency now: instrument, strike, expiry (unix ms), type, prices, forward, time (ms)."""
        if not self._client.has.get("fetchOptionChain"):
            raise self._no("gives no chains of options", "ask another exchange (deribit does)")
        self._markets()
        given = self._patient(lambda: self._client.fetch_option_chain(currency))
        rows = []
        for symbol, quote in given.items():
            market = self._client.markets.get(symbol)
            if market is None or not market.get("option"):
                continue
            rows.append(
                {
                    "instrument_name": str(market["id"]),
                    "expiry_ms": int(market["expiry"]),
                    "strike_price": float(market["strike"]),
                    "option_type": "C" if market["optionType"] == "call" else "P",
                    "underlying_price": quote.get("underlyingPrice"),
                    "bid_price": quote.get("bidPrice"),
                    "ask_price": quote.get("askPrice"),
                    "mark_price": quote.get("markPrice"),
                    # deribit's own field is not carried over into ccxt's
                    "creation_timestamp": quote.get("timestamp")
                    or (quote.get("info") or {}).get("creation_timestamp"),
                }
            )
        return rows

    def _market(self, symbol: str) -> dict[str, Any]:
        markets = self._markets()
        if symbol not in markets:
            near = ", ".join(difflib.get_close_matches(symbol, list(markets), 3)) or "none like it"
            raise self._no(f"does not list {symbol}", f"it has {near}")
        found: dict[str, Any] = markets[symbol]
        return found

    def _markets(self) -> dict[str, Any]:
        return self._patient(self._client.load_markets)

    def _patient(self, ask: Callable[[], T]) -> T:
        """Again after failures of the network and when asked to slow down; other errors end at once."""
        retrying = Retrying(
            retry=retry_if_exception_type(self._errors.NetworkError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=self._wait,
            reraise=True,
        )
        try:
            return retrying(ask)
        except self._errors.NetworkError as error:
            problem = f"was not reached in {_ATTEMPTS} attempts: {_short(error)}"
            raise self._no(problem, "check the network; what came so far is kept") from error
        except self._errors.BaseError as error:
            raise self._no(f"refuses: {_short(error)}", "correct what is asked for") from error

    def _number(self, value: Any, symbol: str) -> float:
        if value is None:
            raise self._no(f"gives a row of {symbol} without a value", "ask for another time")
        return float(value)

    def _no(self, problem: str, remedy: str) -> FetchError:
        return FetchError(self.name, problem, remedy)


def _client(name: str) -> Any:
    ccxt = _library()
    if name not in ccxt.exchanges:
        near = ", ".join(difflib.get_close_matches(name, ccxt.exchanges, 3)) or "see ccxt"
        raise FetchError(name, "is not an exchange that ccxt knows", f"near it: {near}")
    return getattr(ccxt, name)({"enableRateLimit": True, "timeout": 20_000})


def _library() -> Any:
    try:
        import ccxt
    except ImportError:
        problem = "needs the package ccxt, which is not installed"
        raise FetchError("data fetch", problem, "install gimbal with its extra `data`") from None
    return ccxt


def _rate(row: dict[str, Any]) -> Any:
    """Deribit's rows are an hour apart, but what ccxt calls their rate is of eight hours."""
    return (row.get("info") or {}).get("interest_1h", row["fundingRate"])


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
