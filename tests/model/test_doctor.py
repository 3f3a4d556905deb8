"""``modinv doctor``: what is missing is found, and the cure is named."""

import json
import sys
import zipfile

import pytest
from typer.testing import CliRunner

from model import doctor, locations
from model.checkpoints import write_atomically
from model.cli.main import app
from model.doctor import Check, examine, healthy


@pytest.fixture
def complete(tmp_path, monkeypatch):
    """An installation with everything there, as small as can be; returns its assets."""
    import gzip

    assets = tmp_path / "assets"
    (assets / "mnist").mkdir(parents=True)
    (assets / "voices").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (assets / "mnist" / f"{name}-ubyte.gz").write_bytes(gzip.compress(b"digits"))
    with zipfile.ZipFile(assets / "voices" / "voices.zip", "w") as archive:
        archive.writestr("one.opus", b"one" * 100)
    for name in ("model.safetensors", "gallery.safetensors"):
        write_atomically(assets / name, {}, {"format": "modinv-1"})
    (tmp_path / "data" / "fsdd").mkdir(parents=True)
    (tmp_path / "data" / "fsdd" / "7_theo_0.wav").touch()
    monkeypatch.setattr(locations, "assets", lambda: assets)
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(doctor, "_loads", lambda _library: True)
    monkeypatch.setattr(doctor, "_packages", lambda: Check("Packages", True, "all installed"))
    monkeypatch.setattr(doctor, "_LIST_SOUND_DEVICES", _sound(1, 1))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    return assets


def _sound(microphones: int, loudspeakers: int) -> str:
    answer = {"portaudio": "V19", "microphones": microphones, "loudspeakers": loudspeakers}
    return f"print('''{json.dumps(answer)}''')"


def checks_by_name() -> dict[str, Check]:
    return {check.name: check for check in examine()}


@pytest.mark.usefixtures("complete")
def test_a_complete_installation_is_healthy():
    checks = checks_by_name()
    assert [check for check in checks.values() if not check.ok] == []
    assert healthy(list(checks.values()))


@pytest.mark.usefixtures("complete")
@pytest.mark.skipif(sys.platform != "linux", reason="the libraries of Linux")
def test_missing_libraries_are_named_with_the_packages_that_hold_them(monkeypatch):
    monkeypatch.setattr(doctor, "_loads", lambda library: library not in ("libxcb-cursor.so.0", "libEGL.so.1"))
    monkeypatch.setattr(doctor.shutil, "which", lambda command: f"/usr/bin/{command}")
    check = checks_by_name()["Libraries of the window"]
    assert not check.ok
    assert check.essential
    assert check.remedy == "sudo apt-get install -y libegl1 libxcb-cursor0"


def test_a_library_is_looked_for_by_loading_it():
    assert not doctor._loads("libno-such-thing.so.7")


@pytest.mark.usefixtures("complete")
def test_without_portaudio_the_rest_is_healthy_and_the_cure_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "_LIST_SOUND_DEVICES", "raise OSError('PortAudio library not found')")
    checks = checks_by_name()
    assert "PortAudio library not found" in checks["Sound"].found
    assert "libportaudio2" in checks["Sound"].remedy
    assert healthy(list(checks.values()))


@pytest.mark.usefixtures("complete")
def test_a_machine_without_a_microphone_is_told_so(monkeypatch):
    monkeypatch.setattr(doctor, "_LIST_SOUND_DEVICES", _sound(0, 2))
    check = checks_by_name()["Sound"]
    assert not check.ok
    assert check.found.startswith("0 inputs, 2 outputs")


@pytest.mark.parametrize(
    ("damaged", "name"),
    [
        ("model.safetensors", "Shipped model and gallery"),
        ("gallery.safetensors", "Shipped model and gallery"),
        ("mnist/t10k-images-idx3-ubyte.gz", "MNIST"),
        ("voices/voices.zip", "Synthetic voices"),
    ],
)
@pytest.mark.parametrize("how", ["truncated", "missing"])
def test_damaged_assets_are_found(complete, damaged, name, how):
    file = complete / damaged
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-6])
    check = checks_by_name()[name]
    assert not check.ok
    assert check.essential
    assert check.remedy


def test_a_clip_changed_inside_the_archive_is_found(complete):
    archive = complete / "voices" / "voices.zip"
    archive.write_bytes(archive.read_bytes().replace(b"oneone", b"twotwo", 1))
    assert "one.opus" in checks_by_name()["Synthetic voices"].found


@pytest.mark.usefixtures("complete")
def test_missing_human_speech_is_a_note(tmp_path):
    checks = list(examine(tmp_path / "nothing"))
    speech = next(check for check in checks if "FSDD" in check.name)
    assert not speech.ok
    assert str(tmp_path / "nothing" / "fsdd") in speech.remedy
    assert healthy(checks)


@pytest.mark.usefixtures("complete")
def test_a_folder_that_cannot_be_written_is_found(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "file" / "cache")
    assert not checks_by_name()["Folder of caches"].ok


@pytest.mark.usefixtures("complete")
def test_a_full_disk_is_found(monkeypatch):
    class Usage:
        free = 10 * 2**20

    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _folder: Usage)
    assert not checks_by_name()["Disk"].ok


def test_packages_that_are_missing_are_named(monkeypatch):
    def version(package: str) -> str:
        if package == "openTSNE":
            raise doctor.importlib.metadata.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _name: ["numpy>=1.26", "openTSNE>=1.0.2"])
    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    check = doctor._packages()
    assert not check.ok
    assert check.found == "missing: openTSNE"


@pytest.mark.usefixtures("complete")
def test_the_command_prints_every_check_and_leaves_with_0():
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    for name in checks_by_name():
        assert name in result.stdout


def test_the_command_leaves_with_1_where_something_essential_is_missing(complete):
    (complete / "model.safetensors").unlink()
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["healthy"] is False
    assert [check["name"] for check in report["checks"] if not check["ok"]] == ["Shipped model and gallery"]
