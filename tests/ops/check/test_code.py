"""Link `aws.code`: what runs in AWS, beside what was published."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from moto import mock_aws

from ha_bridge import __version__
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.local import build, one_file, published
from ha_bridge_ops.local.published import Known
from tests.ops.check.conftest import Serve
from tests.worlds.cloud import Cloud
from tests.worlds.home import home


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Known, dict[str, bytes]]:
    """What the real build knows, and the files of its zip with byte code."""
    return published.known(), dict(files_of(tmp_path_factory.mktemp("built")))


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    import uv  # noqa: PLC0415 - as the command does

    build.build(folder, uvs=[uv.find_uv_bin()])
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


#: Bytes before the name of the first file of a zip.
_HEAD = 30


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def broken(packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip whose one file cannot be unpacked."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as archive:
        archive.writestr("x", b"x" * 99)
    code = bytearray(content.getvalue())
    start = _HEAD + len("x")
    code[start + 4] = code[start] = 0xFF  # no block of deflate, nor of LZMA, begins so
    return bytes(code)


def bomb() -> bytes:
    """Return a small zip of files that are large together, and names a version."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ha_bridge/__init__.py", b'__version__ = "1.0.0"\n')
        for number in range(31):
            archive.writestr(f"{number}.py", bytes(1_000_000))
    return content.getvalue()


def sha(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


CORE = "ha_bridge/bridge.py"


@pytest.fixture
def cloud(serve: Serve) -> Cloud:
    return Cloud(serve(home()).port)


def look(
    cloud: Cloud, code: bytes, known: Known
) -> tuple[Status, tuple[str, ...], str]:
    """Return what is found of a function with this code."""
    cloud.deploy(Code={"ZipFile": code})
    cloud.code, cloud.known = code, known
    found = cloud.look()["aws.code"]
    return found.status, found.causes, found.saw


def test_the_installed_version_is_known_by_its_hash(
    cloud: Cloud, built: tuple[Known, dict[str, bytes]]
) -> None:
    """A package says that it was published, a checkout that it was built from one."""
    code = zipped({"x.py": b""})
    known = replace(built[0], installed=frozenset({sha(code)}), is_release=True)
    assert look(cloud, code, known)[2] == f"this is the published {__version__}"


def test_another_release_is_known_by_its_checksum(
    cloud: Cloud, built: tuple[Known, dict[str, bytes]]
) -> None:
    """As in the SHA256SUMS of its release."""
    code = zipped({"x.py": b""})
    digest = hashlib.sha256(code).hexdigest()
    lines = f"# a comment\n{digest}  ha-bridge-1.2.0.zip\n{digest[::-1]}  other.py\n"
    known = replace(built[0], releases=published.releases(lines))
    assert look(cloud, code, known)[2] == "this is the published 1.2.0"


def test_a_release_is_recorded_once(tmp_path: Path) -> None:
    """`make release` writes its line, and those of others stay."""
    file = tmp_path / "published.txt"
    file.write_text(f"# What it is.\n{'0' * 64}  ha-bridge-1.0.0.zip\n")
    for code in (b"first try", b"second"):
        published.record(code, file, "1.1.0")
    known = published.releases(file.read_text())
    assert sorted(known.values()) == ["1.0.0", "1.1.0"]
    assert known[sha(b"second")] == "1.1.0"
    assert file.read_text().startswith("# What it is.\n")


def test_a_checkout_is_no_release(
    cloud: Cloud, built: tuple[Known, dict[str, bytes]]
) -> None:
    """Whether it is this one, or another."""
    known, files = built
    assert look(cloud, zipped(files), known)[2].startswith("built from a checkout")


def test_a_source_that_was_edited_is_named(
    cloud: Cloud, built: tuple[Known, dict[str, bytes]]
) -> None:
    """By its byte code, which still has the hash of what it was made of."""
    known, files = built
    if not any(name.endswith(".pyc") for name in files):
        pytest.fail("the build made no byte code: Python 3.13 is missing")
    code = zipped({**files, CORE: files[CORE] + b"# mine\n"})
    status, causes, saw = look(cloud, code, known)
    assert (status, causes) == (Status.WARNING, ("changed",))
    assert saw == f"{__version__}, but not as built: “{CORE}”"


def test_a_release_without_byte_code_is_compared_by_its_sources(
    cloud: Cloud, built: tuple[Known, dict[str, bytes]]
) -> None:
    """Packed by another tool it is still the same; with one letter more it is not."""
    known = replace(built[0], is_release=True, installed=frozenset())
    sources = {n: t for n, t in built[1].items() if not n.endswith(".pyc")}
    assert "packed in another way" in look(cloud, zipped(sources), known)[2]


def test_a_release_that_lacks_a_file_was_changed(
    cloud: Cloud, built: tuple[Known, dict[str, bytes]]
) -> None:
    """Whatever is missing is named."""
    known = replace(built[0], is_release=True, installed=frozenset())
    sources = {
        n: t for n, t in built[1].items() if not n.endswith(".pyc") and n != CORE
    }
    assert look(cloud, zipped(sources), known)[1] == ("changed",)


@pytest.mark.parametrize(
    ("after", "causes"), [("", ()), ("\nprint()\n", ("changed",))], ids=["same", "more"]
)
def test_as_one_file(
    after: str,
    causes: tuple[str, ...],
    cloud: Cloud,
    built: tuple[Known, dict[str, bytes]],
) -> None:
    """AWS makes its zip, and so its text is compared."""
    known = replace(built[0], is_release=True)
    text = one_file.lambda_function() + after
    found = look(cloud, zipped({"index.py": text.encode()}), known)
    assert found[1] == causes
    assert "as one file" in found[2]


@pytest.mark.parametrize(
    "code",
    [
        zipped({"lambda_function.py": b"print()"}),
        zipped({"ha_bridge/__init__.py": b"no version"}),
        zipped({}),
        broken(),
        broken(zipfile.ZIP_LZMA),
        bomb(),
    ],
    ids=["script", "no version", "empty", "broken", "broken LZMA", "bomb"],
)
def test_what_is_not_ours_is_not_compared(
    code: bytes, cloud: Cloud, built: tuple[Known, dict[str, bytes]]
) -> None:
    """It says so, and fails nothing."""
    status, causes, _ = look(cloud, code, built[0])
    assert (status, causes) == (Status.WARNING, ("other",))
