"""CloudWatch's filter patterns for JSON, as far as the template uses them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Mapping
from typing import Any

_TERM = re.compile(r'\$\.([\w.]+) = (?:"([\w*]+)"|(\*))')


def value_at(line: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path such as `$.directive.name`, or None."""
    found: Any = line
    for key in path.removeprefix("$.").split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Return whether a log line matches a pattern.

    Text in quotes is compared with text, `"*"` being any; a bare `*` is any number.
    """
    assert pattern.startswith("{ ")
    assert pattern.endswith(" }")
    terms = [part.strip("() ") for part in pattern[2:-2].split("&&")]
    return all(_term_matches(term, line) for term in terms)


def _term_matches(term: str, line: Mapping[str, Any]) -> bool:
    parsed = _TERM.fullmatch(term)
    assert parsed, term
    path, text, any_number = parsed.groups()
    found = value_at(line, path)
    if any_number:
        return isinstance(found, (int, float)) and not isinstance(found, bool)
    return isinstance(found, str) and text in ("*", found)
