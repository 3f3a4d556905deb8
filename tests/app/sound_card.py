"""A sound card of air: PulseAudio with a loudspeaker that can be recorded and a microphone that can be spoken into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

RATE = 48_000
PACKAGES = "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
_ALSA = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
# Without a listener in a hurry a null sink hands sound on in blocks of two seconds.
_PROMPTLY = "--latency-msec=10"
# A player is as prompt as the listeners are; what it hands on ahead keeps a busy machine from tearing holes into words.
_WITHOUT_GAPS = "--latency-msec=1000"


def what_is_missing() -> str:
    """Why there can be no sound card here; empty if there can."""
    missing = [tool for tool in ("pulseaudio", "pactl", "paplay", "parec") if not shutil.which(tool)]
    if not any(Path("/usr/lib").glob("**/alsa-lib/libasound_module_pcm_pulse.so")):
        missing.append("ALSA's pulse plugin")
    return f"no {', '.join(missing)} (Debian: apt-get install {PACKAGES})" if missing else ""


class SoundCard:
    """While it is on, it is the only sound card that this process and its children see."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._modules: list[str] = []
        self._directory = Path()
        self._environment: dict[str, str] = {}

    @contextmanager
    def on(self) -> Iterator[SoundCard]:
        """Switch the sound card on, and in the end off with all that it started."""
        before = {name: os.environ.get(name) for name in ("PULSE_SERVER", "ALSA_CONFIG_PATH")}
        with tempfile.TemporaryDirectory(prefix="sound-card-") as directory:
            self._directory = Path(directory)
            (self._directory / "asound.conf").write_text(_ALSA)
            os.environ["PULSE_SERVER"] = f"unix:{directory}/native"
            os.environ["ALSA_CONFIG_PATH"] = f"{directory}/asound.conf"
            try:
                self._start_server()
                self.plug_in()
                _look_for_devices_again()
                yield self
            finally:
                for process in reversed(self._processes):
                    _end(process)
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name)
                    else:
                        os.environ[name] = value

    def plug_in(self) -> None:
        """Connect microphone and loudspeaker."""
        self._load("module-null-sink", "sink_name=speaker", f"rate={RATE}")
        self._load("module-null-sink", "sink_name=mouth", f"rate={RATE}")
        self._load("module-remap-source", "master=mouth.monitor", "source_name=microphone")
        self._pactl("set-default-source", "microphone")
        self._pactl("set-default-sink", "speaker")
        for sink in ("speaker", "mouth"):
            self._start("parec", f"--device={sink}.monitor", _PROMPTLY, stdout=subprocess.DEVNULL)

    def pull_out(self) -> None:
        """Disconnect both; PulseAudio would move a recording to any monitor that is left, so that none may be."""
        while self._modules:
            self._pactl("unload-module", self._modules.pop())

    def speak(self, samples: np.ndarray, rate: int) -> subprocess.Popen[bytes]:
        """Say ``(n,)`` samples in [-1, 1] into the microphone; returns at once, and the process ends with the words."""
        path = self._directory / f"said-{len(self._processes)}.wav"
        soundfile.write(path, samples, rate)
        return self._start("paplay", "--device=mouth", _WITHOUT_GAPS, str(path))

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """What the loudspeaker plays meanwhile."""
        path = self._directory / f"heard-{len(self._processes)}.raw"
        options = ("--raw", "--format=float32le", f"--rate={RATE}", "--channels=1", _PROMPTLY)
        process = self._start("parec", "--device=speaker.monitor", *options, str(path))
        recording = Recording(path)
        _wait(lambda: recording.samples.size > 0, "the loudspeaker cannot be recorded")
        try:
            yield recording
        finally:
            _end(process)

    def _start_server(self) -> None:
        server = self._start(
            "pulseaudio",
            "--daemonize=no",
            "--use-pid-file=no",
            "--exit-idle-time=-1",
            "-n",
            f"--load=module-native-protocol-unix auth-anonymous=1 socket={self._directory}/native",
            env={**os.environ, "HOME": str(self._directory), "XDG_RUNTIME_DIR": str(self._directory)},
            stderr=subprocess.DEVNULL,
        )

        def answers() -> bool:
            assert server.poll() is None, "pulseaudio has ended"
            return subprocess.run(["pactl", "info"], capture_output=True, check=False).returncode == 0

        _wait(answers, "pulseaudio does not answer")

    def _start(self, *command: str, **options: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
        self._processes.append(process)
        return process

    def _load(self, *module: str) -> None:
        self._modules.append(self._pactl("load-module", *module))

    @staticmethod
    def _pactl(*command: str) -> str:
        return subprocess.run(["pactl", *command], capture_output=True, text=True, check=True).stdout.strip()


class Recording:
    """A recording that may still be going on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def samples(self) -> np.ndarray:
        """What was heard so far: ``(n,)`` float32 in [-1, 1] at `RATE`."""
        if not self._path.exists():
            return np.zeros(0, np.float32)
        data = self._path.read_bytes()
        return np.frombuffer(data[: len(data) // 4 * 4], np.float32)


def _look_for_devices_again() -> None:
    """A sound library that an earlier test has loaded knows the devices of its time."""
    if "sounddevice" in sys.modules:
        from modinv_app.audio.portaudio import PortAudio

        PortAudio().refresh()


def _wait(condition, problem: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, problem
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
