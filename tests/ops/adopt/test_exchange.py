"""The exchange and the way back, call by call: each leaves what works."""

import contextlib
import io
import warnings
import zipfile
from dataclasses import replace
from itertools import pairwise

import boto3
import pytest

from ha_bridge_ops.adopt.exchange import (
    exchange,
    prove,
    restore,
    steps,
    with_settings,
)
from ha_bridge_ops.aws.version import Live, Version
from ha_bridge_ops.errors import CommandError, RefusedError
from tests.ops.adopt.world import (
    Aws,
    Fault,
    Old,
    Trouble,
    code_now,
    haaska,
    script,
    unzipped,
    who_answers,
    zipped,
)


def changed(aws: Aws, package: bytes) -> tuple[Version, Version]:
    """Return what is there, and what it shall become."""
    old = aws.live().read()
    variables = {"BASE_URL": "https://home.example.org"}
    return old, Version(package, with_settings(old.settings, variables))


def attempt(aws: Aws, package: bytes, fault: Fault | None = None) -> list[str]:
    """Exchange it, with faults from the first change on; return what was told."""
    live = aws.live()
    old = live.read()
    variables = {"BASE_URL": "https://home.example.org"}
    new = Version(package, with_settings(old.settings, variables))
    aws.calls.clear()
    aws.seen.clear()
    if fault is not None:
        aws.fault = fault
    told: list[str] = []
    exchange(live, old, new, lambda: prove(live, ""), told.append)
    return told


def calls_of_an_exchange() -> int:
    """Return how many calls it takes if all goes well."""
    return 5 * 2 + 2 * 2


@pytest.mark.parametrize("kind", ["refused", "lost", "killed"])
@pytest.mark.parametrize("number", range(1, calls_of_an_exchange() + 1))
def test_a_call_that_fails_leaves_the_old(
    aws: Aws, package: bytes, number: int, kind: str
) -> None:
    """Whichever it is: refused, done but its answer lost, or Ctrl-C in its middle."""
    aws.put(haaska())
    old = aws.live().read()
    trouble = Trouble(
        "ServiceException", is_done=kind != "refused", is_kill=kind == "killed"
    )
    why = KeyboardInterrupt if kind == "killed" else RefusedError
    with pytest.raises(why):
        attempt(aws, package, lambda n, _: trouble if n == number else None)
    aws.fault = lambda _n, _name: None
    assert aws.live().read() == old
    assert "half" not in aws.seen


def test_that_is_how_many_calls_there_are(aws: Aws, package: bytes) -> None:
    """Else the test above would leave some out."""
    aws.put(haaska())
    attempt(aws, package)
    assert len(aws.calls) == calls_of_an_exchange()
    assert set(aws.seen) == {"old", "new"}
    assert who_answers() == "new"


def test_a_new_code_that_does_not_reach_home_is_taken_away(
    aws: Aws, package: bytes
) -> None:
    """It says why, and what finds out more."""
    aws.put(script())
    old = aws.live().read()
    aws.broken = True
    with pytest.raises(RefusedError, match="does not reach Home Assistant"):
        attempt(aws, package)
    assert aws.live().read() == old
    assert "half" not in aws.seen


def test_somebody_else_who_changes_it_is_noticed(aws: Aws, package: bytes) -> None:
    """By the revision: his change is not overwritten by ours."""
    aws.put(haaska())

    def meddle(_number: int, name: str) -> None:
        if name == "update_function_configuration":
            aws.fault = lambda _n, _name: None
            boto3.client(
                "lambda", region_name="eu-west-1"
            ).update_function_configuration(FunctionName="home", Timeout=77)

    with pytest.raises((RefusedError, CommandError), match="Someone else"):
        attempt(aws, package, meddle)


def test_the_way_back_is_tried_again(aws: Aws, package: bytes) -> None:
    """AWS has bad minutes; three failures in a row are no reason to leave a half."""
    aws.put(haaska())
    old = aws.live().read()
    bad = range(5, 9)
    with pytest.raises(RefusedError):
        attempt(
            aws, package, lambda n, _: Trouble("ServiceException") if n in bad else None
        )
    aws.fault = lambda _n, _name: None
    assert aws.live().read() == old


@pytest.mark.parametrize("number", range(1, calls_of_an_exchange() + 1))
def test_aws_that_never_comes_back_leaves_what_works(
    aws: Aws, package: bytes, number: int
) -> None:
    """From some call on all are refused: no half; and the way back is there later."""
    aws.put(haaska())
    old = aws.live().read()
    trouble = Trouble("ServiceException")
    with pytest.raises((RefusedError, CommandError)):
        attempt(aws, package, lambda n, _: trouble if n >= number else None)
    aws.fault = lambda _n, _name: None
    assert "half" not in aws.seen
    if (now := aws.live().read()) != old:
        restore(aws.live(), now, old, package, lambda _what: None)
    assert aws.live().read() == old


def adopted(aws: Aws, package: bytes) -> tuple[Live, Version, Version]:
    """Return a function, what it was, and what it is now."""
    old, new = changed(aws, package)
    live = aws.live()
    live.put_code(new.code)
    live.put_settings(new.settings)
    now = live.read()
    aws.calls.clear()
    aws.seen.clear()
    return live, old, now


def calls_of_an_undo() -> int:
    """Return how many calls it takes if all goes well."""
    return 5 + 5 * 2


@pytest.mark.parametrize("kind", ["refused", "lost", "for good"])
@pytest.mark.parametrize("number", range(1, calls_of_an_undo() + 1))
def test_a_call_that_fails_in_an_undo_leaves_what_works(
    aws: Aws, package: bytes, number: int, kind: str
) -> None:
    """It is tried again; and if it ends, another undo finishes it."""
    aws.put(haaska())
    live, old, now = adopted(aws, package)
    trouble = Trouble("ServiceException", is_done=kind == "lost")
    is_for_good = kind == "for good"
    is_hit = int.__ge__ if is_for_good else int.__eq__
    aws.fault = lambda n, _: trouble if is_hit(n, number) else None
    with pytest.raises(CommandError) if is_for_good else contextlib.nullcontext():
        restore(live, now, old, package, lambda _what: None)
    aws.fault = lambda _n, _name: None
    assert "half" not in aws.seen
    if is_for_good:
        restore(aws.live(), aws.live().read(), old, package, lambda _what: None)
    assert aws.live().read() == old


def test_that_is_how_many_calls_an_undo_takes(aws: Aws, package: bytes) -> None:
    """Else the test above would leave some out."""
    aws.put(haaska())
    live, old, now = adopted(aws, package)
    restore(live, now, old, package, lambda _what: None)
    assert len(aws.calls) == calls_of_an_undo()


@pytest.mark.parametrize("reached", range(1, 6))
def test_undo_finds_back_from_every_step(
    aws: Aws, package: bytes, reached: int
) -> None:
    """A machine that went off in the middle is no reason to lose anything."""
    aws.put(script())
    old, new = changed(aws, package)
    live = aws.live()
    live.read()

    for before, after in pairwise(steps(old, new)[: reached + 1]):
        if after.code != before.code:
            live.put_code(after.code)
        if after.settings != before.settings:
            live.put_settings(after.settings)
    aws.seen.clear()
    now = live.read()
    restore(live, now, old, package, lambda _what: None)
    assert aws.live().read() == old
    assert "half" not in aws.seen


def test_a_file_that_is_there_twice_is_no_trouble(aws: Aws, package: bytes) -> None:
    """As a zip may have it; the last one counts."""
    with warnings.catch_warnings(action="ignore"):
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            for name, text in (*unzipped(haaska()), ("haaska.py", "")):
                archive.writestr(name, text)
            for name, text in unzipped(haaska()):
                archive.writestr(name, text)
    aws.put(Old(code.getvalue(), "haaska.event_handler", {}))
    live, old, now = adopted(aws, package)
    restore(live, now, old, package, lambda _what: None)
    assert code_now() == code.getvalue()


def told(field: int, value: bytes) -> bytes:
    """Return a zip whose directory tells something else of its one file.

    Args:
        field: Where, in the file's entry of the directory.
        value: What.
    """
    code = bytearray(zipped({"lambda_function.py": "x" * 100}))
    at = code.index(b"PK\1\2") + field
    code[at : at + len(value)] = value
    return bytes(code)


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"PK\3\4 cut",
        told(8, b"\1\0"),
        told(10, b"\x63\0"),
        told(16, b"\0\0\0\0"),
        told(24, (300_000_000).to_bytes(4, "little")),
    ],
    ids=["nothing", "cut", "encrypted", "method", "checksum", "300 MB"],
)
def test_code_that_cannot_be_unpacked_changes_nothing(
    aws: Aws, package: bytes, code: bytes
) -> None:
    """As what was saved of it has it, where somebody has edited that file."""
    aws.put(script())
    live, old, now = adopted(aws, package)
    with pytest.raises(CommandError, match="not a zip that can be read"):
        restore(live, now, replace(old, code=code), package, lambda _what: None)
    assert aws.live().read() == now
