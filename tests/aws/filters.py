"""CloudWatch's filter patterns for JSON, as far as the template uses them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Mapping
from typing import Any

_TERM = re.compile(r'\$\.([\w.]+) = (?:"([\w.* ]+)"|(\*))')


def value_at(line: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path such as `$.directive.name`, or None."""
    found: Any = line
    for key in path.removeprefix("$.").split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Return whether a log line matches a pattern.

    Text in quotes is compared with text, a `*` in it being any; a bare `*` is any
    number.
    """
    assert pattern.startswith("{ ")
    assert pattern.endswith(" }")
    assert not ("&&" in pattern and "||" in pattern)
    together = any if "||" in pattern else all
    terms = re.split(r"&&|\|\|", pattern[2:-2])
    return together(_term_matches(term.strip("() "), line) for term in terms)


def _term_matches(term: str, line: Mapping[str, Any]) -> bool:
    parsed = _TERM.fullmatch(term)
    assert parsed, term
    path, text, any_number = parsed.groups()
    found = value_at(line, path)
    if any_number:
        return isinstance(found, (int, float)) and not isinstance(found, bool)
    like = ".*".join(map(re.escape, text.split("*")))
    return isinstance(found, str) and bool(re.fullmatch(like, found, re.DOTALL))
