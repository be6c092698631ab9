"""Lines of one wire, without a network."""

from keeper.chain.wire import Wire


class _Line:
    """Remembers whether it was ended; `during` happens in the middle of a request."""

    def __init__(self, during: object = None) -> None:
        self.closed = 0
        self.during = during

    def ask(self, body: bytes, timeout_s: float) -> bytes:
        del timeout_s
        if callable(self.during):
            self.during()
        return body

    def close(self) -> None:
        self.closed += 1


def test_a_line_is_kept_for_the_next_request() -> None:
    made: list[_Line] = []

    def make() -> _Line:
        made.append(_Line())
        return made[-1]

    wire = Wire(make)
    for _ in range(3):
        assert wire.ask(b"x", 1.0, bytes) == b"x"
    assert len(made) == 1
    assert made[0].closed == 0


def test_a_line_whose_request_outlives_the_wire_is_ended_with_it() -> None:
    """A connection made after the others were cut would otherwise stay open for ever."""
    line = _Line()
    wire = Wire(lambda: line)

    def closes() -> None:
        wire.close()
        line.closed = 0  # it connects again after the cut

    line.during = closes
    assert wire.ask(b"x", 1.0, bytes) == b"x"
    assert line.closed == 1
