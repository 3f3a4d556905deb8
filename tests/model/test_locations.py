"""Where things lie."""

from pathlib import Path

import pytest

from model import locations

ROOT = Path(__file__).resolve().parents[2]


def test_bundled_files_are_found_whatever_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locations.assets() == ROOT / "assets"
    assert (locations.assets() / "voices" / "voices.zip").is_file()
    assert locations.shipped_model() == ROOT / "assets" / "model.safetensors"
    assert locations.shipped_gallery() == ROOT / "assets" / "gallery.safetensors"


def test_an_installed_package_has_its_assets_beside_it(tmp_path, monkeypatch):
    (tmp_path / "modinv_assets").mkdir()
    monkeypatch.setattr(locations, "__file__", str(tmp_path / "model" / "locations.py"))
    assert locations.assets() == tmp_path / "modinv_assets"


def test_the_environment_chooses_the_folder_of_corpora(tmp_path, monkeypatch):
    monkeypatch.setenv("MODINV_DATA", str(tmp_path))
    assert locations.data() == tmp_path
    monkeypatch.setenv("MODINV_DATA", "~/corpora")
    assert locations.data() == Path.home() / "corpora"


@pytest.mark.parametrize("chosen", [None, ""])
def test_else_the_system_has_a_place_for_them(monkeypatch, chosen):
    if chosen is None:
        monkeypatch.delenv("MODINV_DATA")
    else:
        monkeypatch.setenv("MODINV_DATA", chosen)
    assert locations.data().is_absolute()
    assert "modinv" in locations.data().parts


def test_the_tests_have_a_cache_of_their_own(tmp_path):
    assert tmp_path.parent in locations.cache().parents
