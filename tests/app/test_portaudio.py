"""What is made of the sound library's answers, with a stand-in for the library."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from modinv_app.audio.backend import AudioUnavailable, RateRefused, open_at_some_rate
from modinv_app.audio.portaudio import PortAudio, what_to_install


class PortAudioError(Exception):
    """As sounddevice's: message, code."""


class FakeSoundDevice(SimpleNamespace):
    """Interfaces with their devices: name, channels in, channels out."""

    PortAudioError = PortAudioError

    def __init__(self, hosts: list[tuple[str, list[tuple[str, int, int]]]]) -> None:
        super().__init__(_initialized=1, error=None)
        self._list = [device for _, devices in hosts for device in devices]
        self._hosts, first = [], 0
        for name, devices in hosts:
            indices = list(range(first, first + len(devices)))
            first += len(devices)
            default = indices[0] if indices else -1
            self._hosts.append(
                {
                    "name": name,
                    "devices": indices,
                    "default_input_device": default,
                    "default_output_device": default,
                }
            )

    def query_hostapis(self) -> list[dict]:
        return self._hosts

    def query_devices(self, index: int) -> dict:
        name, inputs, outputs = self._list[index]
        return {
            "name": name,
            "max_input_channels": inputs,
            "max_output_channels": outputs,
            "default_samplerate": 44100.0,
        }

    def _open(self, **options):
        if self.error is not None:
            raise self.error
        self.opened = options
        done = lambda **_: options["finished_callback"]()  # noqa: E731
        rate = options["samplerate"] or 44100.0
        return SimpleNamespace(start=lambda: None, abort=done, close=lambda **_: None, samplerate=rate, latency=0.01)

    InputStream = OutputStream = property(lambda self: self._open)


@pytest.fixture
def install(monkeypatch):
    def install(*hosts) -> tuple[PortAudio, FakeSoundDevice]:
        library = FakeSoundDevice(list(hosts))
        monkeypatch.setitem(sys.modules, "sounddevice", library)
        return PortAudio(), library

    return install


LINUX = ("ALSA", [("default", 32, 32), ("HDA Intel", 2, 2), ("surround51", 0, 6), ("Speaker", 0, 2)])
WINDOWS = [("MME", [("Mic (cut off at thirty-one cha", 2, 0)]), ("Windows WASAPI", [("Mic (whole name)", 4, 0)])]


def nothing(*_args) -> None:
    pass


def test_a_person_is_offered_devices_not_plumbing(install):
    backend, _ = install(LINUX)
    assert [device.name for device in backend.input_devices()] == ["default", "HDA Intel"]
    assert [device.name for device in backend.output_devices()] == ["default", "HDA Intel", "Speaker"]
    assert [device.default for device in backend.output_devices()] == [True, False, False]
    assert backend.input_devices()[0].rate == 44_100


def test_windows_lists_each_device_once(install):
    backend, _ = install(*WINDOWS)
    assert [device.name for device in backend.input_devices()] == ["Mic (whole name)"]


def test_what_is_recorded_belongs_to_the_listener(install):
    backend, library = install(LINUX)
    heard = []
    backend.open_input("HDA Intel", None, heard.append, nothing)
    assert (library.opened["device"], library.opened["channels"]) == (1, 2)
    reused = np.ones((4, 2), np.float32)
    library.opened["callback"](reused, 4, None, None)
    reused[:] = 0  # as the library does with the next block
    assert heard[0].all()


def test_mono_goes_to_every_channel(install):
    backend, library = install(LINUX)
    backend.open_output(None, None, lambda n: np.arange(n, dtype=np.float32), nothing)
    out = np.zeros((3, 2), np.float32)
    library.opened["callback"](out, 3, None, None)
    np.testing.assert_array_equal(out, [[0, 0], [1, 1], [2, 2]])


def test_a_device_that_cannot_be_opened_is_named(install):
    backend, library = install(LINUX)
    library.error = PortAudioError("Error opening InputStream: Device unavailable", -9985)
    with pytest.raises(AudioUnavailable, match=r"“HDA Intel”.*Device unavailable") as raised:
        backend.open_input("HDA Intel", None, nothing, nothing)
    assert raised.type is AudioUnavailable
    assert backend.idle


def test_the_reason_is_that_of_the_system_if_it_gives_one(install):
    backend, library = install(LINUX)
    library.error = PortAudioError(
        "Error opening InputStream: Unanticipated host error", -9999, (2, -5, "Input/output error")
    )
    with pytest.raises(AudioUnavailable, match=r"(Input/output error).*unplugged"):
        backend.open_input(None, None, nothing, nothing)


def test_a_device_that_refuses_all_rates_says_what_to_change(install):
    backend, library = install(LINUX)
    library.error = PortAudioError("Error opening InputStream: Invalid sample rate", -9997)
    with pytest.raises(RateRefused, match=r"microphone “HDA Intel” accepts none of the usual sampling rates.*another"):
        open_at_some_rate(lambda rate: backend.open_input("HDA Intel", rate, nothing, nothing))


def test_no_name_of_a_device_is_logged(install, caplog):
    backend, library = install(("ALSA", [("Anna’s earphones", 2, 2)]))
    library.error = PortAudioError("Error opening InputStream: Device unavailable", -9985)
    with pytest.raises(AudioUnavailable):
        backend.open_input("Anna’s earphones", None, nothing, nothing)
    assert "input device" in caplog.text
    assert "Anna" not in caplog.text


def test_missing_devices_are_told_apart(install):
    backend, _ = install(("ALSA", []))
    with pytest.raises(AudioUnavailable, match="No microphone found"):
        backend.open_input(None, None, nothing, nothing)
    backend, _ = install(LINUX)
    with pytest.raises(AudioUnavailable, match="“Headset” is not connected"):
        backend.open_input("Headset", None, nothing, nothing)


def test_only_an_end_that_nobody_asked_for_is_a_loss(install):
    backend, library = install(LINUX)
    lost = []
    stream = backend.open_input(None, None, nothing, lambda: lost.append(True))
    library.opened["finished_callback"]()
    assert lost == [True]
    stream = backend.open_input(None, None, nothing, lambda: lost.append(True))
    stream.close()
    stream.close()
    assert lost == [True]


def test_refreshing_closes_what_is_open(install):
    backend, library = install(LINUX)
    library._terminate = library._initialize = nothing
    stream = backend.open_input(None, None, nothing, nothing)
    assert not backend.idle
    backend.refresh()
    assert stream.closed
    assert backend.idle


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(AudioUnavailable, match="PortAudio"):
        PortAudio()
    assert "sudo apt-get install libportaudio2" in what_to_install("linux")
    assert "pip install" in what_to_install("darwin")
