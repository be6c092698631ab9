"""The generator against its published vectors, the normals against their distribution."""

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from keeper.quant.compiled import kernel
from keeper.quant.montecarlo import random
from keeper.quant.montecarlo.random import LANES, draw_normals, draw_units


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_words_are_the_published_ones(counter: list[int], key: list[int], words: list[int]) -> None:
    """Known answers of the Random123 distribution (philox4x32, 10 rounds)."""
    assert list(random.words(np.array(counter), np.array(key))) == words


def normals(blocks: int, step: int = 0, stream: int = 0, mirror: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    work, out = np.empty(2 * LANES), np.empty((2, blocks * LANES))
    for block in range(blocks):
        draw_normals(work, 0, 1, 12345, block * LANES, step, stream, mirror)
        out[:, block * LANES : (block + 1) * LANES] = work.reshape(2, LANES)
    return out


def test_normals_are_normal_and_independent() -> None:
    drawn = normals(800)
    for one in (drawn[0], drawn[1], normals(800, step=1)[0], normals(800, stream=1)[0]):
        assert stats.kstest(one, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(drawn)[0, 1]) < 4 / math.sqrt(drawn.shape[1])
    assert abs(np.corrcoef(drawn**2)[0, 1]) < 4 / math.sqrt(drawn.shape[1])


def test_steps_and_streams_differ() -> None:
    first = normals(1)
    assert not np.any(first == normals(1, step=1))
    assert not np.any(first == normals(1, stream=1))


def test_mirrored_paths_are_the_even_ones_turned() -> None:
    mirrored = normals(2, mirror=1)
    np.testing.assert_array_equal(mirrored[:, 1::2], -mirrored[:, ::2])
    np.testing.assert_array_equal(mirrored[:, ::2], normals(1))
    work = np.empty(2 * LANES)
    draw_units(work, 0, 1, 5, 0, 0, 0, 1)
    np.testing.assert_array_equal(work[1::2], 1.0 - work[::2])
    assert 0 < work.min() < work.max() < 1


@kernel
def _turns(u: np.ndarray, out: np.ndarray) -> None:  # type: ignore[type-arg]
    for i in range(u.size):
        out[0, i], out[1, i] = random.turn(u[i])


def test_turns_are_sine_and_cosine() -> None:
    u = np.concatenate([np.linspace(0, 1, 40_001), [2.0**-53, 1 - 2.0**-53, 0.125, 0.375]])
    out = np.empty((2, u.size))
    _turns(u, out)
    # Reduced exactly, so that the comparison does not round 2 pi u.
    quarter = np.round(4 * u)
    angle = (u - quarter / 4) * 2 * math.pi
    exact = np.exp(1j * angle) * (1j) ** quarter
    np.testing.assert_allclose(out[0], exact.imag, rtol=0, atol=4e-16)
    np.testing.assert_allclose(out[1], exact.real, rtol=0, atol=4e-16)
