"""What the network sees beyond the edge of a line: noise, as it has learned, the same for every line.

With anything else there letters are seen in it, such as an opening quote at the beginning of a line. The noise is
Tesseract's (`TRand`, `Convolve::Forward`), so a line reads here as it does there.
"""

from __future__ import annotations

import numpy as np

from ocr_worker.engines.ocr.lines.weights import Floats, Network

_FACTOR, _STEP, _SEED = 6364136223846793005, 1442695040888963407, 0x10000001
_ALL = (1 << 64) - 1
_MOST = (1 << 31) - 1


class Edges:
    """Makes patches of 3 × 3 pixels for each pixel at the edge of a line."""

    def __init__(self, network: Network, longest_px: int) -> None:
        noise = _noise(network.seed * _SEED & _ALL, 2 * (3 * longest_px + 4) + 6 * network.height)
        self._across = network.pool[0]
        self._noise = whole(noise, 127) if network.is_whole else noise

    def patches(self, line: Floats) -> Floats:
        """(9, pixels): those of the first row and the last one, then those at the left and at the right between them.

        Each is told column by column, as the network's weights are.
        """
        height, width = line.shape
        padded = np.zeros((height + 2, width + 2), np.float32)
        padded[1:-1, 1:-1] = line
        sides = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).swapaxes(2, 3)
        first, last = sides[0].copy(), sides[-1].copy()
        left, right = sides[1:-1, 0].copy(), sides[1:-1, -1].copy()
        across, down = 3 * width + 4, 6 * (height - 2)
        _fill(first, 0, self._noise[:across])
        between = self._noise[across : across + down].reshape(height - 2, 2, 3)
        left[:, 0], right[:, 2] = between[:, 0], between[:, 1]
        _fill(last, 2, self._noise[across + down : 2 * across + down])
        if left_over := width % self._across:
            # The last columns are not pooled: in their place others that are, which changes nothing.
            right = sides[1:-1, -1 - left_over]
        patches: Floats = np.ascontiguousarray(np.concatenate([first, last, left, right]).reshape(-1, 9).T)
        return patches


def whole(values: Floats, steps: int) -> Floats:
    """As a layer of whole numbers takes in what is from -1 to 1."""
    numbers: Floats = np.clip(np.rint(values * np.float32(steps)), -127, 127)
    numbers *= np.float32(1 / 127)
    return numbers


def _fill(patches: Floats, row: int, noise: Floats) -> None:
    """What lies outside of the patches along an edge, of which this row does: from left to right."""
    patches[0, 0], patches[0, 1:, row] = noise[:3], noise[3:5]
    patches[1:-1, :, row] = noise[5:-5].reshape(-1, 3)
    patches[-1, :2, row], patches[-1, 2] = noise[-5:-3], noise[-3:]


def _noise(seed: int, count: int) -> Floats:
    """From -1 to 1, of a linear congruential generator, whose first number is left out."""
    states = np.array([(seed * _FACTOR + _STEP) & _ALL], np.uint64)
    factor, step = _FACTOR, _STEP
    while len(states) <= count:
        # As far on again as there are numbers already.
        states = np.concatenate([states, states * np.uint64(factor) + np.uint64(step)])
        factor, step = factor * factor & _ALL, (factor * step + step) & _ALL
    drawn = (states[1 : count + 1] >> np.uint64(33)).astype(np.float64)
    noise: Floats = (2 * drawn / _MOST - 1).astype(np.float32)
    return noise
