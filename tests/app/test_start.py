"""How the application starts: the script ``run`` on machines of many kinds, and a start without a screen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model import doctor
from modinv_app import __main__ as start

ROOT = Path(__file__).resolve().parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux may lack a screen or its libraries")


class Machine:
    """A machine with an environment that is made already, whose commands only write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        shutil.copy(ROOT / "run", folder)
        (folder / "pyproject.toml").write_text("[project]")
        for tool in ("sh", "dirname", "cat", "env", "ls", "tail", "sed"):
            self.command(tool, f'exec {shutil.which(tool)} "$@"', logged=False)
        self.command("uname", "echo Linux ${1:+x86_64}", logged=False)
        self.command("nvidia-smi")
        self.command("id", "echo 0", logged=False)
        self.command("apt-get")
        self.command("python", 'case "$*" in *missing*) echo libegl1 libxcb-cursor0;; esac', ".venv/bin")

    def command(self, name: str, body: str = "", place: str = "bin", logged: bool = True) -> None:
        path = self.folder / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        note = f'echo "{name} $*" >>"{self.log}"\n' if logged else ""
        path.write_text(f"#!{shutil.which('sh')}\n{note}{body}\n")
        path.chmod(0o755)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        return subprocess.run(
            [self.folder / "run", *arguments],
            env={"PATH": str(self.folder / "bin")},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def called(self, part: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if part in line]


@pytest.fixture
def machine(tmp_path):
    if sys.platform == "win32":
        pytest.skip("a script for POSIX shells")
    return Machine(tmp_path)


def test_it_installs_and_opens_the_window_with_the_given_options(machine):
    assert machine.run("--self-check", "--json").returncode == 0
    assert len(machine.called("--editable .")) == 1
    assert machine.called("modinv_app") == ["python -P -m modinv_app --self-check --json"]
    assert not machine.called("pytest")


def test_it_installs_anew_only_where_the_project_has_changed(machine):
    machine.run()
    machine.run()
    assert not machine.called("pip install")
    (machine.folder / "pyproject.toml").write_text("[project] # another")
    machine.run()
    assert machine.called("--editable .")


def test_without_a_gpu_pytorch_is_the_small_one(machine):
    machine.command("uv")
    machine.run()
    assert not machine.called("--torch-backend")
    (machine.folder / "bin/nvidia-smi").unlink()
    result = machine.run()
    assert "processors only" in result.stdout
    (command,) = machine.called("--torch-backend cpu")
    assert command.startswith("uv pip install")
    (machine.folder / ".venv/lib/python3/site-packages/torch").mkdir(parents=True)
    machine.run()
    assert not machine.called("--torch-backend")


def test_where_the_small_pytorch_cannot_be_had_the_usual_one_is_installed(machine):
    (machine.folder / "bin/nvidia-smi").unlink()
    machine.command("uv", "echo '  cause: no such host' >&2; exit 2")
    result = machine.run()
    assert "did not work (no such host)" in result.stdout
    assert machine.called("python -m pip install --quiet --editable .")
    assert result.returncode == 0


def test_uv_is_installed_for_it(machine):
    (machine.folder / "bin/nvidia-smi").unlink()
    machine.command("uv", place=".venv/bin")
    machine.run()
    assert machine.called("pip install --quiet uv")
    assert machine.called("uv pip install")


def test_an_installation_that_failed_is_tried_again(machine):
    machine.command("python", 'case "$*" in *editable*) exit 1;; esac', ".venv/bin")
    assert machine.run().returncode != 0
    assert not machine.called("modinv_app")
    machine.command("python", "", ".venv/bin")
    assert machine.run().returncode == 0
    assert machine.called("--editable .")


def test_the_tests_get_their_packages_and_options(machine):
    result = machine.run("test", "-k", "draw")
    assert result.returncode == 0
    assert machine.called("--group dev")
    (command,) = machine.called("pytest")
    assert command.startswith("python -m pytest --numprocesses")
    assert command.endswith("-k draw")
    assert not machine.called("-m modinv_app")
    assert "xvfb" in machine.called("apt-get install")[1]


def test_missing_system_libraries_are_named_and_installed(machine):
    result = machine.run()
    assert "libegl1 libxcb-cursor0" in result.stdout
    assert machine.called("apt-get install")[0].endswith("libegl1 libxcb-cursor0")


def test_users_install_system_libraries_through_sudo(machine):
    machine.command("id", "echo 1000", logged=False)
    machine.command("sudo", 'exec "$@"')
    machine.run()
    assert machine.called("sudo env")
    assert machine.called("apt-get install")[0].endswith("libegl1 libxcb-cursor0")


def test_where_nothing_can_be_installed_the_command_is_told_and_it_goes_on(machine):
    machine.command("id", "echo 1000", logged=False)  # and there is no sudo
    result = machine.run()
    assert "apt-get install -y libegl1 libxcb-cursor0" in result.stderr
    assert machine.called("modinv_app")
    assert result.returncode == 0


def test_an_old_python_is_refused_with_what_to_install(machine):
    shutil.rmtree(machine.folder / ".venv")
    machine.command("python3", "exit 1")
    result = machine.run()
    assert result.returncode == 1
    assert "Python 3.11 or later" in result.stderr
    assert not (machine.folder / ".venv").exists()


@linux
def test_without_a_screen_the_window_says_so():
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    result = subprocess.run(
        [sys.executable, "-m", "modinv_app"],
        env={name: value for name, value in os.environ.items() if name not in hidden},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in result.stderr
    assert len(result.stderr.splitlines()) == 2


@linux
@pytest.mark.parametrize(("platform", "told"), [("xcb", True), ("offscreen", False)])
def test_libraries_are_missed_only_where_they_are_needed(monkeypatch, platform, told):
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    monkeypatch.setattr(doctor, "_loads", lambda library: library != "libxcb-cursor.so.0")
    obstacle = start._missing_requirement() or ""
    assert ("apt-get install -y libxcb-cursor0" in obstacle) is told
