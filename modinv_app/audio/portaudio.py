"""PortAudio through the sounddevice package, which is imported only when an instance is made."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from typing import Any, Literal

from modinv_app.audio.backend import AudioDevice, AudioUnavailable, Fill, OnBlock, RateRefused

_log = logging.getLogger(__name__)

Kind = Literal["input", "output"]

_NAMES: dict[Kind, str] = {"input": "microphone", "output": "loudspeaker"}

NO_MICROPHONE = "No microphone found. You can drop or open a sound file instead."
NO_LOUDSPEAKER = "No loudspeaker found. Connect one and look for devices again; everything else works without it."

# In seconds, or as the device suggests. A callback in Python waits for the interpreter lock: with the latency that
# devices call low (9 ms with PulseAudio) the sound stutters, and 80 ms after a click still feel immediate.
_LATENCY: dict[Kind, float | str] = {"input": "high", "output": 0.08}

_INVALID_SAMPLE_RATE = -9997  # paInvalidSampleRate
# Windows lists each device once for each interface; this one is current, and shares devices.
_WINDOWS_HOST = "Windows WASAPI"
# Plugins that ALSA lists beside real devices.
_ALSA_PLUGINS = (
    "surround",
    "front",
    "rear",
    "center_lfe",
    "side",
    "iec958",
    "spdif",
    "dmix",
    "dsnoop",
    "hdmi",
)
_ALSA_CONVERTERS = {
    "sysdefault",
    "samplerate",
    "speexrate",
    "lavrate",
    "upmix",
    "vdownmix",
    "speex",
    "null",
    "jack",
}


class PortAudio:
    """The real sound system (see `modinv_app.audio.backend.Backend`).

    Raises
    ------
    AudioUnavailable
        If the PortAudio library is not installed.
    """

    def __init__(self) -> None:
        try:
            self._sd: Any = importlib.import_module("sounddevice")
        except (OSError, ImportError) as error:
            raise AudioUnavailable(what_to_install()) from error
        self._streams: set[_PortAudioStream] = set()

    def input_devices(self) -> tuple[AudioDevice, ...]:
        return tuple(self._devices("input"))

    def output_devices(self) -> tuple[AudioDevice, ...]:
        return tuple(self._devices("output"))

    @property
    def idle(self) -> bool:
        return not self._streams

    def refresh(self) -> None:
        for stream in tuple(self._streams):
            stream.close()
        # PortAudio looks for devices only when it is initialised, and sounddevice has no public function for that.
        try:
            if self._sd._initialized:
                self._sd._terminate()
            self._sd._initialize()
        except self._sd.PortAudioError as error:
            raise AudioUnavailable(f"The sound system of this machine does not answer ({error}).") from error

    def open_input(
        self, device: str | None, rate: int | None, on_block: OnBlock, on_lost: Callable[[], None]
    ) -> _PortAudioStream:
        def callback(recorded: Any, _frames: int, _time: Any, _status: Any) -> None:
            on_block(recorded.copy())

        return self._open("input", device, rate, callback, on_lost)

    def open_output(
        self, device: str | None, rate: int | None, fill: Fill, on_lost: Callable[[], None]
    ) -> _PortAudioStream:
        def callback(to_play: Any, frames: int, _time: Any, _status: Any) -> None:
            to_play[:] = fill(frames)[:, None]

        return self._open("output", device, rate, callback, on_lost)

    def _open(
        self,
        kind: Kind,
        device: str | None,
        rate: int | None,
        callback: Callable[..., None],
        on_lost: Callable[[], None],
    ) -> _PortAudioStream:
        index, info = self._find(kind, device)
        stream = _PortAudioStream(self._streams, on_lost)
        open_stream = self._sd.InputStream if kind == "input" else self._sd.OutputStream
        try:
            stream.start(
                open_stream(
                    device=index,
                    samplerate=rate,
                    channels=min(2, info[f"max_{kind}_channels"]),
                    dtype="float32",
                    latency=_LATENCY[kind],
                    callback=callback,
                    finished_callback=stream.ended,
                )
            )
        except self._sd.PortAudioError as error:
            # Without its name, which may be that of a person.
            _log.warning("%s device (%s) at %s Hz: %s", kind, "chosen" if device else "default", rate, error)
            code = error.args[1] if len(error.args) > 1 else None
            if code == _INVALID_SAMPLE_RATE:
                raise RateRefused(_no_rate(kind, info["name"])) from error
            raise AudioUnavailable(_cannot_open(kind, info["name"], error)) from error
        return stream

    def _find(self, kind: Kind, device: str | None) -> tuple[int, dict[str, Any]]:
        """The index and description of a device; None is the system's default."""
        missing = NO_MICROPHONE if kind == "input" else NO_LOUDSPEAKER
        host = self._host()
        if device is None:
            index = host[f"default_{kind}_device"] if host else -1
        else:
            names = [(i, self._sd.query_devices(i)) for i in (host["devices"] if host else ())]
            found = [i for i, info in names if info["name"] == device and info[f"max_{kind}_channels"] > 0]
            missing = f"“{device}” is not connected. Connect it, or choose another device."
            index = found[0] if found else -1
        if index < 0:
            raise AudioUnavailable(missing)
        return index, self._sd.query_devices(index)

    def _devices(self, kind: Kind) -> list[AudioDevice]:
        host = self._host()
        if host is None:
            return []
        found: dict[str, AudioDevice] = {}
        for index in host["devices"]:
            info = self._sd.query_devices(index)
            name = info["name"]
            if info[f"max_{kind}_channels"] == 0 or (host["name"] == "ALSA" and _is_plugin(name)):
                continue
            default = index == host[f"default_{kind}_device"]
            rate = round(info["default_samplerate"])
            found.setdefault(name, AudioDevice(name, host["name"], default, rate))
        return list(found.values())

    def _host(self) -> dict[str, Any] | None:
        """The sound interface whose devices are offered."""
        hosts = self._sd.query_hostapis()
        preferred = [host for host in hosts if host["name"] == _WINDOWS_HOST and host["devices"]]
        # Else the first that has a device, which is PortAudio's default.
        return next(iter(preferred), None) or next((host for host in hosts if host["devices"]), None)


class _PortAudioStream:
    """One open device, registered with its backend until it is closed."""

    def __init__(self, registry: set[_PortAudioStream], on_lost: Callable[[], None]) -> None:
        self._registry = registry
        self._on_lost = on_lost
        self._stream: Any = None
        self.closed = False
        self.rate = 0
        self.latency = 0.0

    def start(self, stream: Any) -> None:
        self._stream = stream
        try:
            stream.start()
        except BaseException:
            self.close()
            raise
        self.rate = round(stream.samplerate)
        self.latency = float(stream.latency)
        self._registry.add(self)

    def ended(self) -> None:
        """Called by PortAudio in its own thread whenever the stream ends; it is lost if it was not closed."""
        if not self.closed:
            self._on_lost()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._registry.discard(self)
        # ignore_errors: an unplugged device can't be stopped, but its stream is released.
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)


def what_to_install(platform: str = sys.platform) -> str:
    """How to install PortAudio, for users who lack it."""
    if platform.startswith("linux"):
        return (
            "No sound: the PortAudio library is missing. Install it (Debian, Ubuntu: "
            "“sudo apt-get install libportaudio2”; Fedora: “sudo dnf install portaudio”). "
            "You can open a sound file meanwhile."
        )
    return (
        "No sound: the PortAudio library is missing. Run “pip install --force-reinstall sounddevice” and "
        "start the program again. You can open a sound file meanwhile."
    )


def _is_plugin(name: str) -> bool:
    return name in _ALSA_CONVERTERS or name.startswith(_ALSA_PLUGINS)


def _no_rate(kind: Kind, name: str) -> str:
    return (
        f"The {_NAMES[kind]} “{name}” accepts none of the usual sampling rates. Choose another device, or "
        "another rate in the sound settings of the system."
    )


def _cannot_open(kind: Kind, name: str, error: Exception) -> str:
    reason = str(error.args[0]).rsplit(": ", 1)[-1] if error.args else "unknown reason"
    if len(error.args) > 2:  # of the system: interface, number, text
        reason = str(error.args[2][2]) or reason
    return (
        f"The {_NAMES[kind]} “{name}” cannot be opened ({reason}). It may be unplugged, or in use by another program: "
        "connect it, close that program, or choose another device."
    )
