"""The desktop bundle: what is in it is what is imported, and its program does what its processes ask for."""

import ast
import configparser
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from model import processes
from model.errors import FOR_TRAINING, describe_failure
from model.processes import environment, python

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
SOURCES = [*(ROOT / "model").rglob("*.py"), *(ROOT / "modinv_app").rglob("*.py")]
TREES = [ast.parse(file.read_text("utf-8")) for file in SOURCES]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def loaded(name):
    specification = importlib.util.spec_from_file_location(f"packaging_{name}", PACKAGING / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


contents = loaded("contents")


def calls(tree, name):
    """All calls of a function of some name, with or without something before a dot."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in found if getattr(call.func, "attr", getattr(call.func, "id", None)) == name]


def left_out(module):
    return any(module == name or module.startswith(f"{name}.") for name in contents.LEFT_OUT)


def test_all_modules_of_ours_are_in_the_bundle():
    """Late imports by name (pages, corpora, systems of this package) can't be found by following imports."""
    named = {name for package in contents.PACKAGES for name in contents.modules(ROOT / package)}
    files = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in SOURCES}
    assert named == files
    assert {"model.jobs.worker", "model.data.piece_workers", "modinv_app.data.page", "model.data.corpora.fsdd"} <= named


def test_what_is_imported_by_name_is_ours_or_listed():
    """A string given to import_module, or kept for it, is a module that PyInstaller does not see."""
    ours = {name for package in contents.PACKAGES for name in contents.modules(ROOT / package)}
    named = set()
    for tree in TREES:
        if not calls(tree, "import_module"):
            continue
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            top = text.partition(".")[0]
            if (
                re.fullmatch(r"\w+(\.\w+)*", text)
                and importlib.util.find_spec(top)
                and top not in sys.stdlib_module_names
            ):
                named.add(text)
    assert {"sounddevice", "modinv_app.map.map_plot"} <= named
    assert named - ours <= set(contents.IMPORTED_BY_NAME)


def test_nothing_that_is_imported_is_left_out_but_for_training():
    imported = set()
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    assert {"scipy.ndimage", "torch"} <= imported
    assert {name.partition(".")[0] for name in imported if left_out(name)} <= FOR_TRAINING


def test_what_training_needs_is_left_out():
    extra = {re.split(r"[^\w-]", one)[0] for one in PROJECT["optional-dependencies"]["train"]}
    assert set(contents.TRAINING) == extra == FOR_TRAINING
    assert all(left_out(name) for name in extra)


def test_dependencies_have_the_version_that_was_tried():
    fixed = (PACKAGING / "constraints.txt").read_text("utf-8").lower()
    names = [re.split(r"[^\w-]", one)[0].lower() for one in PROJECT["dependencies"]]
    assert [name for name in names if f"\n{re.sub('[-_]', '_', name)}==" not in f"\n{fixed.replace('-', '_')}"] == []


def test_files_that_are_read_are_in_the_bundle():
    for name in ("modinv_assets/voice_activity/silero_vad_8khz.onnx", "model/export/report.html", "onnxruntime/LICENSE",
                 "PySide6/Qt/plugins/platforms/libqxcb.so", "PySide6/Qt/plugins/iconengines/libqsvgicon.so",
                 "modinv-1.dist-info/METADATA", "matplotlib/mpl-data/fonts/ttf/DejaVuSans-Bold.ttf"):  # fmt: skip
        assert contents.wanted(name), name
    for name in ("PySide6/Qt/translations/qt_de.qm", "libQt6Network.so.6", "sklearn/tests/data.csv"):
        assert not contents.wanted(name), name
    for asset in (ROOT / "assets").rglob("*"):
        assert contents.wanted(f"modinv_assets/{asset.relative_to(ROOT / 'assets').as_posix()}"), asset


def test_processes_are_started_in_ways_that_the_bundle_knows():
    started = [call for tree in TREES for call in calls(tree, "python")]
    assert {call.args[0].value for call in started} == {"-m", "-c"}


def test_in_a_bundle_the_program_is_the_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert python("-m", "model.jobs.worker") == (sys.executable, "-m", "model.jobs.worker")
    assert "can't be added to this application" in describe_failure(ModuleNotFoundError("none", name="torch"))
    monkeypatch.delattr(sys, "frozen")
    assert python("-m", "model.jobs.worker") == (sys.executable, "-P", "-m", "model.jobs.worker")
    assert processes.bundled() is False


def program(*arguments, name="modinv-app", text=""):
    """Run the bundle's program, by this interpreter, under a name."""
    code = f"import sys; sys.argv[0] = {name!r}; exec(open({str(PACKAGING / 'start.py')!r}, encoding='utf-8').read())"
    search = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-P", "-c", code, *arguments]
    variables = {**environment(), "PYTHONPATH": search}
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=100, check=False, env=variables)


def test_the_program_is_a_worker_process():
    job = {"id": 1, "do": "export", "what": "nothing"}
    done = program("-m", "model.jobs.worker", text=f"{json.dumps(job)}\n")
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert messages[0]["say"] == "ready", done.stderr
    assert done.returncode == 0


def test_the_program_runs_code():
    assert program("-c", "import sys; print(__name__, sys.argv[1:])", "one").stdout == "__main__ ['one']\n"


def test_the_program_is_the_command_line_if_it_is_called_so():
    assert program("--version", name="/somewhere/modinv").stdout == f"modinv {PROJECT['version']}\n"
    assert "--self-check" in program("--help", name="/somewhere/modinv-app").stdout


def desktop_entry():
    parser = configparser.RawConfigParser()
    parser.optionxform = str
    parser.read_string((PACKAGING / "modinv.desktop").read_text("utf-8"))
    return parser["Desktop Entry"]


def test_the_desktop_entry_is_valid():
    entry = desktop_entry()
    assert entry["Type"] == "Application"
    assert entry["Exec"] == entry["TryExec"] == "modinv-app"
    assert entry["Exec"] in PROJECT["scripts"]
    assert all(entry[key].endswith(";") for key in ("Categories", "Keywords"))
    if validator := shutil.which("desktop-file-validate"):
        assert subprocess.run([validator, PACKAGING / "modinv.desktop"], check=False).returncode == 0


def test_the_description_for_software_centres_fits_the_desktop_entry():
    component = ElementTree.parse(PACKAGING / "modinv.metainfo.xml").getroot()
    entry = desktop_entry()
    assert component.findtext("id") == component.findtext("launchable") == "modinv.desktop"
    assert component.findtext("project_license") == PROJECT["license"]
    assert component.findtext("summary") == entry["Comment"]
    assert component.findtext("icon") == entry["Icon"]
    assert [one.text for one in component.iter("category")] == entry["Categories"].strip(";").split(";")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_it_installs_into_the_menu_and_leaves(tmp_path):
    bundle, home = tmp_path / "a folder & more", tmp_path / "home"
    applications, icons = bundle / "share" / "applications", bundle / "share" / "icons/hicolor/scalable/apps"
    for folder in (applications, icons, bundle / "share" / "metainfo", home):
        folder.mkdir(parents=True)
    shutil.copy(PACKAGING / "modinv.desktop", applications)
    shutil.copy(PACKAGING / "modinv.metainfo.xml", bundle / "share" / "metainfo")
    shutil.copy(ROOT / "assets" / "icon.svg", icons / "modinv.svg")
    shutil.copy(PACKAGING / "install", bundle)
    for name in ("modinv", "modinv-app"):
        (bundle / name).write_text("#!/bin/sh\n")

    alone = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", bundle / "install"], env=alone, check=True, cwd=tmp_path)
    entry = (home / ".local/share/applications/modinv.desktop").read_text("utf-8")
    assert f'\nExec="{bundle}/modinv-app"\n' in entry
    assert (home / ".local/bin/modinv").resolve() == bundle / "modinv"
    assert (home / ".local/share/icons/hicolor/scalable/apps/modinv.svg").is_file()

    subprocess.run(["sh", bundle / "install", "--remove"], env=alone, check=True, cwd=tmp_path)
    assert [file for file in home.rglob("*") if not file.is_dir()] == []
