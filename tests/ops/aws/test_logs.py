"""The log of a function is read page by page, each line as a record."""

from typing import Any

import pytest

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.logs import MAX_PAGES, MAX_REQUESTS, Line, Log
from ha_bridge_ops.aws.session import AwsError, Session


class Pages:
    """CloudWatch, with these pages."""

    def __init__(self, *pages: list[str] | None, code: str = "") -> None:
        self._pages = pages
        self._code = code
        self.requests: list[dict[str, Any]] = []

    def filter_log_events(self, **request: Any) -> Any:
        self.requests.append(request)
        if self._code:
            raise Refusal(self._code)
        number = int(request.get("nextToken", 0))
        page = self._pages[number % len(self._pages)] or []
        answer = {"events": [{"message": one, "timestamp": 1_000} for one in page]}
        is_last = number + 1 == len(self._pages)
        return answer if is_last else {**answer, "nextToken": str(number + 1)}

    def log(self) -> Log:
        """Return the log of a function that writes here, from 60 s after the epoch."""
        function = Function(
            session=Session(lambda _service, _region: self, "eu-west-1"),
            arn="arn:aws:lambda:eu-west-1:123456789012:function:ha-bridge",
            name="ha-bridge",
            timeout_s=9,
            memory_mb=256,
            runtime="python3.13",
            role="role",
            log_group="/aws/lambda/ha-bridge",
        )
        return Log(function, 60)


class Refusal(Exception):  # noqa: N818 - as botocore's ClientError
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


def test_every_page_is_read() -> None:
    """Empty pages are no end: CloudWatch gives them while it searches."""
    pages = Pages(["a", "b"], None, ["c"])
    log = pages.log()
    assert [line.text for line in log] == ["a", "b", "c"]
    assert log.is_whole
    assert pages.requests[0] == {
        "logGroupName": "/aws/lambda/ha-bridge",
        "startTime": 60_000,
    }
    assert [one.get("nextToken") for one in pages.requests] == [None, "1", "2"]


def test_a_long_log_is_read_in_part() -> None:
    """After five pages with lines it ends, and says that it did."""
    pages = Pages(*[["x"]] * (MAX_PAGES + 1))
    log = pages.log()
    assert len(list(log)) == MAX_PAGES
    assert not log.is_whole


def test_a_search_that_finds_nothing_ends() -> None:
    """CloudWatch may give empty pages for ever."""
    pages = Pages(*[None] * (MAX_REQUESTS + 1))
    log = pages.log()
    assert list(log) == []
    assert not log.is_whole
    assert len(pages.requests) == MAX_REQUESTS


def test_a_group_that_is_not_there_is_an_empty_log() -> None:
    """Lambda makes it with the first call; until then there are no lines."""
    log = Pages([], code="ResourceNotFoundException").log()
    assert list(log) == []
    assert log.is_whole


def test_a_refusal_is_raised() -> None:
    """With AWS's own code."""
    with pytest.raises(AwsError) as raised:
        list(Pages([], code="AccessDeniedException").log())
    assert raised.value.code == "AccessDeniedException"


@pytest.mark.parametrize(
    ("text", "record", "directive"),
    [
        ('{"directive": {"name": "TurnOn"}}', True, True),
        ('{"directive": "TurnOn"}', True, False),
        ('{"type": "platform.report"}', True, False),
        ("[1, 2]", False, False),
        ("[" * 100_000, False, False),
        ("START RequestId: 1", False, False),
        ("", False, False),
    ],
    ids=["directive", "odd", "platform", "list", "deep", "plain", "empty"],
)
def test_a_line_is_a_record_if_it_is_json(
    text: str, *, record: bool, directive: bool
) -> None:
    """Whatever stands in the log, reading it fails in no way."""
    line = Line(text)
    assert (line.record is not None) is record
    assert (line.directive is not None) is directive
