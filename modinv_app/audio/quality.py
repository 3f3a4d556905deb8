"""Checks of recordings, with advice for the user."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from modinv_app.audio.backend import Samples
from modinv_app.audio.recorder import SILENCE, levels

TOO_SHORT = 0.2
"""Seconds below which the button was clicked, not held."""
TOO_QUIET = -50.0
"""Peak in dBFS below which nobody has spoken."""
LOUD_ROOM, SOME_NOISE = -38.0, -50.0
"""Root mean square in dBFS of a room without speech, above which it is hard, or harder, to hear a word."""
ABOVE_NOISE = 15.0
"""Decibels by which the peak of a word exceeds the noise at least."""
_FULL_SCALE = 0.999
_CLIPPED_RUN = 3  # consecutive samples at full scale that count as clipped


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a recording, and whether it can be used nevertheless."""

    message: str
    usable: bool


def background(room: Samples) -> tuple[float, str]:
    """The noise of a room, ``(n,)`` samples without speech.

    Returns
    -------
    tuple
        Its level in dBFS, the median of twenty parts, which a door that slams does not change; and advice for the user,
        empty if it is quiet.
    """
    noise = float(np.median([levels(part)[0] for part in np.array_split(room, 20) if len(part)]))
    if noise > LOUD_ROOM:
        return noise, "It is loud here. Speak close to the microphone, or find a quieter place."
    return noise, "There is some noise here: speak close to the microphone." if noise > SOME_NOISE else ""


def problem_with(
    samples: Samples, held: float, platform: str = sys.platform, *, noise: float = SILENCE
) -> Problem | None:
    """What is wrong with a recording ``(n,)`` that lasted ``held`` seconds; None if it is fine.

    ``noise`` is the level of the room in dBFS, see `background`.
    """
    if held < TOO_SHORT:
        return Problem("Too short. Hold the button while you speak.", usable=False)
    if not samples.any():
        return Problem(all_zeros(platform), usable=False)
    if levels(samples)[1] < TOO_QUIET:
        return Problem("Too quiet. Speak louder, or come closer to the microphone.", usable=False)
    if levels(samples)[1] < noise + ABOVE_NOISE:
        return Problem("Hardly louder than the room. Come closer to the microphone.", usable=False)
    if is_clipped(samples):
        return Problem("Too loud: the recording is clipped. Move back from the microphone a little.", usable=True)
    return None


def is_clipped(samples: Samples) -> bool:
    """Whether ``(n,)`` samples stay at full scale."""
    full = np.abs(samples) >= _FULL_SCALE
    runs = np.convolve(full, np.ones(_CLIPPED_RUN), "valid") if len(full) >= _CLIPPED_RUN else full[:0]
    return bool((runs >= _CLIPPED_RUN).any())


def all_zeros(platform: str = sys.platform) -> str:
    """Advice for a microphone that delivers only zeros: it is muted, or access is denied."""
    if platform == "darwin":
        place = "allow it in System Settings › Privacy & Security › Microphone, then start the program again"
    elif platform == "win32":
        place = "allow it in Settings › Privacy & security › Microphone (“Let desktop apps access…”)"
    else:
        place = "check that it is not muted, and that the right one is chosen below"
    return f"The microphone delivers only silence: {place}."
