"""Which Home Assistant is taken on a machine with these Pythons and no others."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local import home_assistant_lock, releases

ROOT = Path(__file__).parents[2]

#: Prints what is taken, and then what is said of it.
TAKE = """
import sys
from ha_bridge_ops.local import releases
said = []
print(getattr(releases, sys.argv[1])(said.append).version)
print(*said, sep="\\n")
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The command as installed from PyPI: it knows no Pythons of this checkout."""
    folder = tmp_path / "installed"
    for name in ("ha_bridge", "ha_bridge_ops"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def take(
    which: str, installed: Path, tmp_path: Path, *pythons: str, on_debian: bool = False
) -> tuple[str, list[str]]:
    """Return the release that is taken, and what is said of it.

    Args:
        which: The name of the function.
        pythons: Full versions of the Pythons that are on PATH; uv can fetch none.
        on_debian: Whether apt-get is on PATH too.
    """
    programs = tmp_path / "programs"
    programs.mkdir()
    if on_debian:
        (programs / "apt-get").write_text("#!/bin/sh\n")
        (programs / "apt-get").chmod(0o755)
    for version in pythons:
        minor = version.rpartition(".")[0]
        # The one that runs is asked too, so it must look like another.
        program = programs / f"python{minor}"
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", HIDE + TAKE, which],
        env={
            **os.environ,
            "PATH": str(programs),
            "PYENV_ROOT": "/nowhere",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:9",
            "PYTHONPATH": str(installed),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if done.returncode:
        return "", [done.stderr.splitlines()[-1]]
    version, *said = done.stdout.splitlines()
    return version, [line for line in said if line]


#: The Python that runs this is none of the machine's, as far as the test goes.
HIDE = """
import sys
sys.executable = "/nowhere/python"
"""


#: Pythons that are at hand, the newest release that they run, and the oldest.
TAKEN: dict[tuple[str, ...], tuple[str, str]] = {
    ("3.14.2", "3.11.0"): ("2026.11.0", "2024.3.3"),
    ("3.14.10", "3.13.13"): ("2026.11.0", "2025.4.4"),
    ("3.14.1", "3.13.2"): ("2026.2.3", "2025.4.4"),
    ("3.13.10", "3.12.1"): ("2026.2.3", "2025.1.4"),
    ("3.13.1", "3.12.1"): ("2025.4.4", "2025.1.4"),
    ("3.13.0",): ("2025.4.4", "2025.4.4"),
    ("3.12.12", "3.11.2"): ("2025.1.4", "2024.3.3"),
    ("3.11.2",): ("2024.3.3", "2024.3.3"),
}
BEST = {"newest": "2026.11.0", "oldest": "2024.3.3"}


@pytest.mark.parametrize(
    ("which", "pythons", "expected"),
    [
        pytest.param(which, pythons, expected, id=f"{which}-{'+'.join(pythons)}")
        for pythons, found in TAKEN.items()
        for which, expected in zip(BEST, found, strict=True)
    ],
)
def test_the_release_is_that_of_the_pythons(
    which: str, pythons: tuple[str, ...], expected: str, installed: Path, tmp_path: Path
) -> None:
    """By the whole version; if the best cannot be had, one line says so."""
    version, said = take(which, installed, tmp_path, *pythons)
    assert version == expected
    best = BEST[which]
    assert len(said) == (version != best)
    for line in said:
        for words in (best, version, releases.SUPPORTED[best]):
            assert words in line


def test_without_any_python_for_it_the_fix_is_named(
    installed: Path, tmp_path: Path
) -> None:
    """All that would do are named."""
    version, said = take("newest", installed, tmp_path, "3.15.0", "3.14.1")
    assert not version
    for python in ("3.11", "3.12", "3.13", "3.14"):
        assert python in said[0]


@pytest.mark.parametrize("on_debian", [True, False])
def test_a_copy_of_the_project_on_debian_says_what_brings_a_python(
    *, on_debian: bool, installed: Path, tmp_path: Path
) -> None:
    """In the same line, where that can run."""
    (installed / ".ci").mkdir()
    (installed / ".ci/python-from-debian").touch()
    _, [said] = take("newest", installed, tmp_path, "3.13.0", on_debian=on_debian)
    assert (".ci/python-from-debian 3.14" in said) is on_debian


@pytest.mark.parametrize("version", ["2026", "latest", "1.2.3; rm", "--help", ""])
def test_what_is_no_release_is_told_so(version: str) -> None:
    """Before anything is asked of PyPI."""
    with pytest.raises(CommandError, match="is no release of Home Assistant"):
        releases.named(version)


def test_requirements_are_read_from_the_release(tmp_path: Path) -> None:
    """From manifests, over what they depend on; from platforms of demo; from login.

    And from what is set up unasked, with all kinds of entities: else the web interface
    does not load.
    """
    package = tmp_path / "homeassistant"
    manifests = {
        "alexa": '{"dependencies": ["http"]}',
        "http": '{"requirements": ["web==1"], "dependencies": ["alexa"]}',
        "demo": '{"dependencies": ["gone"]}',
        "tts": '{"requirements": ["Sound==2"]}',
        "unused": '{"requirements": ["unused==3"]}',
        "backup": '{"after_dependencies": ["supervisor"]}',
        "supervisor": '{"requirements": ["aiosupervisor==6"]}',
        "infrared": '{"requirements": ["remote==7"]}',
    }
    for name, manifest in manifests.items():
        (package / "components" / name).mkdir(parents=True)
        (package / "components" / name / "manifest.json").write_text(manifest)
    (package / "components/demo/tts.py").touch()
    (package / "auth/mfa_modules").mkdir(parents=True)
    (package / "auth/mfa_modules/totp.py").write_text(
        "import x\n\nREQUIREMENTS = [\"pyotp==4\", 'qr==5']\n\nclass A[T = int]: ...\n"
    )
    (package / "bootstrap.py").write_text(
        'UNUSED = {\n    "unused",\n}\nDEFAULT_INTEGRATIONS = {\n    # "unused",\n'
        '    "backup",  # first\n    *(KINDS - {"unused"}),\n}\n'
    )
    (package / "generated").mkdir()
    (package / "generated/entity_platforms.py").write_text(
        'class EntityPlatforms(StrEnum):\n\n    INFRARED = "infrared"\n'
    )
    assert home_assistant_lock.requirements(tmp_path, "2030.1.0") == [
        *("aiosupervisor==6", "homeassistant==2030.1.0", "pyotp==4", "qr==5"),
        *("remote==7", "Sound==2", "web==1"),
    ]
