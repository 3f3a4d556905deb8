"""What the tests of the science share: a cache and a folder of corpora of their own, words, and the users' corpora."""

import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch
from brief_judging import shorten
from corpus_server import serving
from small_worker import SMALL_UNITS
from tiny import PLAN

from model import locations
from model.networks import architecture
from model.runs.store import RunRecord
from model.sweeps import runner
from model.sweeps.plans import protocol_of

ROOT = Path(__file__).resolve().parents[2]
_CHOSEN = os.environ.get("MODINV_DATA")  # before the fixture below hides it


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "processes: looks at other processes, in which Qt can be imported; .ci/run passes it only once"
    )


@pytest.fixture(scope="session")
def _own_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def _apart_from_the_user(_own_cache, tmp_path_factory):
    """Nobody's cache and nobody's corpora decide how a test ends. The window's tests, which come after, need them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locations, "cache", lambda: _own_cache)
        patch.setenv("MODINV_DATA", str(tmp_path_factory.mktemp("no-data")))
        patch.delenv("MODINV_TAKES", raising=False)
        yield


@pytest.fixture(scope="session")
def corpora_folder():
    """The folder with the real MNIST and FSDD: MODINV_DATA, or shared/data beside the checkout."""
    for folder in (*([Path(_CHOSEN)] if _CHOSEN else []), ROOT.parent / "shared" / "data"):
        if (folder / "fsdd" / "recordings.zip").is_file():
            return folder
    pytest.skip("The Free Spoken Digit Dataset is neither in MODINV_DATA nor in shared/data beside the checkout.")


@pytest.fixture(scope="session")
def word():
    """A function that returns a clip of a shipped voice, by its key, as ``(samples, rate)``."""
    archive = ROOT / "assets" / "voices" / "voices.zip"

    def clip(key="kokoro_af_bella/plain/seven.opus"):
        with zipfile.ZipFile(archive) as voices:
            return soundfile.read(io.BytesIO(voices.read(key)), dtype="float32")

    return clip


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Work this small only waits for other threads, the more the busier the machine is."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def judged_once():
    """The models of a sweep are resampled once instead of five times: how figures spread is not looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "protocol_of", lambda config: replace(protocol_of(config), resamplings=1))
        yield


@pytest.fixture
def record(store):
    """The folder of a run that has not begun."""
    return RunRecord(store.new_folder(PLAN))


@pytest.fixture
def server():
    """A server on this machine that sends a small corpus."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def small_encoders():
    """Encoders with a tenth of the weights, for tests that train or write models; none of another size can be read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(architecture, "HIDDEN_UNITS", SMALL_UNITS)
        yield


@pytest.fixture(scope="module")
def brief_judging():
    """Judging a model takes a moment, for tests that look at what becomes of the figures, not at what they are."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch.setattr)
        yield
