"""The whole function as one file, and as one CloudFormation template with it inside.

The modules of the core stand one after the other, in the order in which importing them
runs them; what only a failure or an event of our own loads stands at the end.  Their
comments stay, imports of each other go, and a name that two modules have is told apart.
"""

import ast
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from ha_bridge import __version__
from ha_bridge_ops.local.build import SOURCES

#: Takes the place of urllib3: a runtime of AWS may have an old one.
_URLLIB3: Final = Path(__file__).with_name("runtime_urllib3.py")

_HEAD: Final = f'''\
"""ha-bridge {__version__}: Amazon Alexa and a self-hosted Home Assistant, in one file.

For the code editor of the AWS Lambda console: replace everything in it with this, and
press Deploy.  Runtime Python 3.13, memory 256 MB, timeout 9 s; the variable BASE_URL is
the address of Home Assistant.

Written by `ha-bridge package lambda_function.py` from the modules of the project, whose
zip starts sooner.  Change those, not this.  Apache License 2.0.
"""
'''


_BETWEEN_IMPORTS: Final = re.compile(
    r"(?<=\n)((?:import|from) [^\n]+\n)\n+(?=(?:import|from) )"
)

#: What our own linter is told is no news to others.
_NOQA: Final = re.compile(r"  # noqa: [A-Z0-9, ]+(?: - [^\n]*)?$", re.MULTILINE)


@dataclass
class _Module:
    """A module of the core, and the names that it will have in the one file."""

    name: str
    source: str
    names: dict[str, str] = field(default_factory=dict)
    """What it calls something, and what that is called in the file."""
    cuts: list[tuple[int, int]] = field(default_factory=list)
    """Lines that go, as numbers from 1, both included."""

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def defined(self) -> set[str]:
        """The names of its own."""
        return {
            name
            for statement in self.tree.body
            if not isinstance(statement, (ast.Import, ast.ImportFrom))
            for name in _bound(statement)
        }


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Give the names that a statement of a module binds."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def lambda_function() -> str:
    """Return the function as one file."""
    return _Joiner("lambda_function").whole()


def token_function() -> str:
    """Return the token endpoint as one file."""
    return _Joiner("token_function").whole()


class _Joiner:
    """Puts the modules together."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._modules: dict[str, _Module] = {}
        self._parts: list[str] = []
        self._imported: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        self._late: list[str] = []
        self._asked: dict[str, set[str]] = {}

    def whole(self) -> str:
        text = (SOURCES / f"{self._entry}.py").read_text("utf-8")
        self._write(_Module(self._entry, text))
        while self._late:
            self._inline(self._late.pop(0))
        joined = _NOQA.sub("", "".join([_HEAD, *self._parts]))
        joined = _BETWEEN_IMPORTS.sub(r"\1", re.sub(r"\n{4,}", "\n\n\n", joined))
        # CloudFormation keeps ASCII only.
        plain = joined.encode("ascii", "backslashreplace").decode()
        return plain.rstrip() + "\n"

    def _inline(self, name: str) -> _Module:
        """Write a module, unless it stands there already."""
        if name not in self._modules:
            path = SOURCES / "ha_bridge" / f"{name}.py"
            text = (_URLLIB3 if name == "urllib3" else path).read_text("utf-8")
            self._modules[name] = module = _Module(name, text)
            self._write(module)
        return self._modules[name]

    def _write(self, module: _Module) -> None:
        """Write a module, after those that it imports."""
        self._name(module)
        pieces: list[tuple[int, int]] = []
        start = 1
        for statement in module.tree.body:
            end = statement.end_lineno or statement.lineno
            if self._is_ours(statement):
                pieces.append((start, statement.lineno - 1))
                self._flush(module, pieces)
                self._take(module, statement)
                start = end + 1
            elif isinstance(statement, (ast.Import, ast.ImportFrom)):
                pieces.append((start, statement.lineno - 1))
                start = end + 1
                if text := self._imports(module, statement):
                    self._flush(module, pieces)
                    self._parts.append(f"{text}\n")
        self._find_late(module)
        pieces.append((start, len(module.source.splitlines())))
        self._flush(module, pieces)

    def _name(self, module: _Module) -> None:
        """Choose names for what it defines: those that are taken get its own before."""
        for name in sorted(module.defined):
            final = name
            if name in self._asked.get(module.name, ()):
                final = f"{module.name}_{name}"
            elif name in self._taken or name in self._imported:
                hidden, plain = name.startswith("_"), name.lstrip("_")
                own = module.name.upper() if plain.isupper() else module.name
                final = f"{'_' if hidden else ''}{own}_{plain}"
            self._taken[final] = module.name
            module.names[name] = final

    @staticmethod
    def _is_ours(statement: ast.stmt) -> bool:
        return isinstance(statement, ast.ImportFrom) and (
            str(statement.module).split(".")[0] in ("ha_bridge", "urllib3")
        )

    def _imports(self, module: _Module, statement: ast.Import | ast.ImportFrom) -> str:
        """Return what is still to be imported from elsewhere, as a statement."""
        where = statement.module if isinstance(statement, ast.ImportFrom) else None
        missing = []
        for alias in statement.names:
            name, what = alias.asname or alias.name, f"{where}.{alias.name}"
            final = name
            if self._imported.get(name, what) != what or name in self._taken:
                final = module.names[name] = f"{module.name}_{name}"
            if final not in self._imported:
                asname = final if final != alias.name else None
                missing.append(ast.alias(alias.name, asname))
            self._imported[final] = what
        if not missing:
            return ""
        statement.names = missing
        return ast.unparse(statement)

    def _take(self, module: _Module, statement: ast.stmt) -> None:
        """Write what an import of ours means, and learn its names."""
        if not isinstance(statement, ast.ImportFrom):
            raise TypeError(statement)
        package, _, name = str(statement.module).partition(".")
        name = "urllib3" if package == "urllib3" else name or "__init__"
        given = self._inline(name)
        for alias in statement.names:
            module.names[alias.asname or alias.name] = given.names[alias.name]

    def _find_late(self, module: _Module) -> None:
        """Note what a function of it would import, and cut that out."""
        top = set(module.tree.body)
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.stmt) or node in top or not self._is_ours(node):
                continue
            if not isinstance(node, ast.ImportFrom):
                continue
            module.cuts.append((node.lineno, node.end_lineno or node.lineno))
            _, _, name = str(node.module).partition(".")
            for alias in node.names:
                self._late.append(name or alias.name)
                if not name:  # `from ha_bridge import own_events`
                    module.names[alias.name] = f"{alias.name}_"
                    self._asked[alias.name] = {
                        one.attr
                        for one in ast.walk(module.tree)
                        if isinstance(one, ast.Attribute)
                        and isinstance(one.value, ast.Name)
                        and one.value.id == alias.name
                    }

    def _flush(self, module: _Module, pieces: list[tuple[int, int]]) -> None:
        """Write lines of a module, with the names that they have here."""
        lines = _renamed(module).splitlines()
        cut = {n for first, last in module.cuts for n in range(first, last + 1)}
        doc = module.tree.body[0] if ast.get_docstring(module.tree) else None
        until = doc.end_lineno or 0 if doc else 0
        for first, last in pieces:
            kept = [lines[n - 1] for n in range(first, last + 1) if n not in cut]
            if first == 1 and until:
                self._parts.append(_banner(module))
                kept = [lines[n - 1] for n in range(until + 1, last + 1)]
            text = "\n".join(kept)
            self._parts.append(f"{text}\n")
        pieces.clear()


def _banner(module: _Module) -> str:
    title = (
        f"{module.name}.py"
        if module.name.endswith("_function")
        else f"ha_bridge/{module.name}.py"
    )
    rule = f"# -- {title} ".ljust(88, "-")
    text = ast.get_docstring(module.tree) or ""
    about = textwrap.indent(text, "# ", lambda _line: True)
    return f"\n\n{rule}\n#\n" + re.sub(r" +$", "", about, flags=re.MULTILINE) + "\n\n"


def _renamed(module: _Module) -> str:
    """Return the source with the names that it has in the file."""
    changed = {old: new for old, new in module.names.items() if old != new}
    if not changed:
        return module.source
    lines = [line.encode() for line in module.source.splitlines()]
    places = sorted(_places(module.tree, changed), reverse=True)
    for row, column, old in places:
        line, new = lines[row - 1], changed[old]
        end = column + len(old.encode())
        if line[column:end] != old.encode():
            raise ValueError(f"{module.name}, line {row}: no {old} there.")
        if new.endswith("_"):  # a module: its attribute is a name that begins so
            end += 1
        lines[row - 1] = line[:column] + new.encode() + line[end:]
    return b"\n".join(lines).decode() + "\n"


def _places(
    node: ast.AST, changed: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    """Give where names stand that change: line, byte, name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and child.id in changed:
            yield child.lineno, child.col_offset, child.id
        inner = changed
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            is_top = isinstance(node, ast.Module)
            if is_top and child.name in changed:
                word = "class " if isinstance(child, ast.ClassDef) else "def "
                yield child.lineno, child.col_offset + len(word), child.name
        if isinstance(child, (ast.FunctionDef, ast.Lambda)):
            local = set(_locals(child))
            inner = {old: new for old, new in changed.items() if old not in local}
        yield from _places(child, inner)


def _locals(function: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
    """Give the names that a function has of its own."""
    arguments = function.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (one.arg for one in every)
    yield from (one.arg for one in (arguments.vararg, arguments.kwarg) if one)
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


_FUNCTION: Final = re.compile(
    r"^  \w+:\n    Type: AWS::Serverless::Function\n.*?(?=^  \w|^  #)",
    re.MULTILINE | re.DOTALL,
)

#: What SAM alone knows.
_METADATA: Final = re.compile(r"^    Metadata:\n(?:      [^\n]*\n)+", re.MULTILINE)

#: The module that a handler is in.
_ENTRY: Final = re.compile(r"Handler: (\w+)\.lambda_handler")

#: An inline function is always the module index.
_HANDLER: Final = "index.lambda_handler"


def cloudformation() -> str:
    """Return template.yaml without SAM, with the function's code in it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
    aws-properties-lambda-function-code.html
    """
    template = plain_template(_inline, _HANDLER)
    return (
        f"# ha-bridge {__version__}, for the CloudFormation console: Create stack, "
        "Upload a\n# template file, fill in BaseUrl and SkillId, tick the box, "
        f"create.\n{template}"
    )


def _inline(entry: str) -> str:
    code = textwrap.indent(_Joiner(entry).whole(), " " * 10)
    return f"      Code:\n        ZipFile: |\n{code}"


def plain_template(code: Callable[[str], str], handler: str | None = None) -> str:
    """Return template.yaml without SAM.

    Args:
        code: Gives the lines of the property Code for an entry, such as
            lambda_function.
        handler: What stands in place of the handlers of template.yaml.
    """

    def plain(found: re.Match[str]) -> str:
        block = found[0].replace("AWS::Serverless::Function", "AWS::Lambda::Function")
        block = _METADATA.sub("", block)
        named = _ENTRY.search(block)
        if named is None:
            raise ValueError("A function of template.yaml has no handler.")
        if handler is not None:
            block = block.replace(named[0], f"Handler: {handler}")
        text = code(named[1])
        return re.sub(
            r"^      CodeUri: .*\n", lambda _: text, block, flags=re.MULTILINE
        )

    template = (SOURCES / "template.yaml").read_text("utf-8")
    template = template.replace("Transform: AWS::Serverless-2016-10-31\n", "")
    template = template.encode("ascii", "backslashreplace").decode()
    return _FUNCTION.sub(plain, template)
