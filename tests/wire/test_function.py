"""The function's own module, imported in a process of its own, as Lambda does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.directives import event
from tests.fakes.behaviours import answer_directive, silence
from tests.fakes.server import Server
from tests.fakes.tls import Authority

ROOT = Path(__file__).parents[2]


def run(code: str, **environ: str) -> Any:
    """Run code in a new Python, and return what it prints, read as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_importing_it_opens_the_connection_of_the_first_directive(
    authority: Authority,
) -> None:
    """Before there is a directive; and the directive uses that connection."""
    code = f"""
import json, time
import lambda_function
time.sleep(1)
event = json.loads({json.dumps(event("unlock"))!r})
answer = lambda_function.lambda_handler(event, None)
print(json.dumps(answer["event"]["header"]["name"]))
"""
    with Server((answer_directive,), tls=authority.server("127.0.0.1")) as server:
        assert run(code, BASE_URL=server.url) == "Response"
    assert [one.connection for one in server.requests] == [1]
    assert server.connections == 1


@pytest.mark.slow
def test_importing_it_connects_without_a_directive(authority: Authority) -> None:
    """The handshake goes on during the import, not only with the first directive."""
    with Server((answer_directive,), tls=authority.server("127.0.0.1")) as server:
        code = "import lambda_function, time; time.sleep(1); print('[]')"
        assert run(code, BASE_URL=server.url) == []
        assert server.connections == 1
        assert server.requests == []


@pytest.mark.slow
def test_what_the_import_took_is_taken_off_the_first_budget() -> None:
    """Alexa has waited for it too: seven seconds in all, and not seven more."""
    code = f"""
import importlib.abc, json, sys, time
begun = time.monotonic()
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "urllib3":
            time.sleep(2.5)
sys.meta_path.insert(0, Slow())
import lambda_function
event = json.loads({json.dumps(event("unlock"))!r})
imported = time.monotonic()
lambda_function.lambda_handler(event, None)
print([imported - begun, time.monotonic() - imported])
"""
    with Server((silence,)) as server:
        import_s, answer_s = run(code, BASE_URL=server.url)
    assert 6.0 < import_s + answer_s < 8.0
    assert answer_s < 5.5


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({"BASE_URL": "home"}, "BASE_URL"),
        ({"BASE_URL": "https://x", "DEBUG": "x"}, "DEBUG"),
    ],
    ids=["BASE_URL", "DEBUG"],
)
def test_a_misconfigured_function_keeps_no_event(
    environ: dict[str, str], what: str
) -> None:
    """Nor the token in it: each directive is forgotten once it is answered."""
    code = f"""
import gc, json, lambda_function, weakref
class Event(dict): pass
given, answers = [], []
for _ in range(50):
    event = Event(json.loads({json.dumps(event("turn_on"))!r}))
    given.append(weakref.ref(event))
    answers.append(lambda_function.lambda_handler(event, None))
del event
gc.collect()
alive = sum(one() is not None for one in given)
print(json.dumps([alive, answers[-1]["event"]["payload"]["message"]]))
"""
    alive, message = run(code, **environ)
    assert what in message
    assert alive == 0
