"""The rules of the house that one module's syntax tree can show. Each rule yields what it refuses."""

import ast
import io
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

MODULE_LINES = 600
FUNCTION_CODE_LINES = 60
CLASS_LINES = 300

NAMES_WITHOUT_SUBJECT = {"base", "common", "handler", "helper", "helpers", "manager", "misc", "util", "utils"}
MODULES_THAT_RUN_CODE = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
CALLS_THAT_RUN_CODE = {"eval", "exec", "yaml.full_load", "yaml.load", "yaml.unsafe_load"}
HOOKS_WITH_KEYWORDS = {"__init_subclass__", "__pydantic_init_subclass__"}
RANDOM_WITHOUT_GLOBAL_STATE = {
    "random": {"Random", "SystemRandom"},
    "numpy.random": {
        "BitGenerator", "Generator", "MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64", "SeedSequence",
        "bit_generator", "default_rng",
    },
}  # fmt: skip

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Finding(NamedTuple):
    """One breach of a rule."""

    line: int
    name: str  # of the function, class, module or call concerned
    message: str


@dataclass(frozen=True)
class Source:
    """One module: where it lies below the package (`core/schema.py`) and what it says."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def definitions(self) -> list[tuple[str, ast.AST, FunctionNode | ast.ClassDef]]:
        """Every function and class as (qualified name, its parent, itself)."""
        return list(_definitions(self.tree, self.tree, ""))

    @cached_property
    def functions(self) -> list[tuple[str, ast.AST, FunctionNode]]:
        return [
            (name, parent, node) for name, parent, node in self.definitions if isinstance(node, FunctionNode)
        ]

    @cached_property
    def code_lines(self) -> set[int]:
        """Numbers of the lines that hold code: no blank line, no comment, no docstring."""
        layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
        layout.add(tokenize.ENDMARKER)
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        lines = {
            line
            for token in tokens
            if token.type not in layout
            for line in range(token.start[0], token.end[0] + 1)
        }
        return lines - self._docstring_lines

    @cached_property
    def _docstring_lines(self) -> set[int]:
        strings = (
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )
        return {line for node in strings for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}

    @cached_property
    def bindings(self) -> dict[str, str]:
        """What imported names stand for: `{"np": "numpy", "load": "yaml.load"}`."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.split(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return found

    def resolve(self, node: ast.AST) -> str:
        """The full dotted name of what was imported or built in; empty where the module made it itself."""
        match node:
            case ast.Name(id=name):
                return self.bindings.get(name, name)
            case ast.Attribute(value=ast.Name(id=name)) if name not in self.bindings:
                return ""
            case ast.Attribute(value=value, attr=attribute):
                prefix = self.resolve(value)
                return f"{prefix}.{attribute}" if prefix else ""
            case _:
                return ""

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and (name := self.resolve(node.func)):
                yield name, node


def _definitions(
    node: ast.AST, scope: ast.AST, prefix: str
) -> Iterator[tuple[str, ast.AST, FunctionNode | ast.ClassDef]]:
    """Definitions below a node; a branch or a loop around one changes neither its name nor its parent."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode | ast.ClassDef):
            yield f"{prefix}{child.name}", scope, child
            yield from _definitions(child, child, f"{prefix}{child.name}.")
        else:
            yield from _definitions(child, scope, prefix)


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Every import below a node as (line, full name of the module, or of the thing taken from it)."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            yield from ((child.lineno, f"{module}.{alias.name}") for alias in child.names)


def module_length(source: Source) -> Iterator[Finding]:
    lines = source.text.count("\n")
    if lines > MODULE_LINES:
        yield Finding(1, source.path, f"{lines} lines; {MODULE_LINES} allowed, fewer than 300 wanted")


def function_length(source: Source) -> Iterator[Finding]:
    for name, _, node in source.functions:
        lines = len(source.code_lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
        if lines > FUNCTION_CODE_LINES:
            yield Finding(
                node.lineno, name, f"{lines} code lines; {FUNCTION_CODE_LINES} allowed, fewer than 25 wanted"
            )


def class_length(source: Source) -> Iterator[Finding]:
    for name, _, node in source.definitions:
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if isinstance(node, ast.ClassDef) and lines > CLASS_LINES:
            yield Finding(node.lineno, name, f"{lines} lines; {CLASS_LINES} allowed")


def hidden_import(source: Source) -> Iterator[Finding]:
    """An import inside a function, or one made from a string: no import contract sees these."""
    seen: set[tuple[int, str]] = set()
    for name, _, node in source.functions:
        for line, module in _imports(node):
            if (line, module) not in seen:
                seen.add((line, module))
                yield Finding(line, name, f"imports {module} inside a function")
    for called, call in source.calls():
        if called in {"__import__", "importlib.import_module"}:
            yield Finding(call.lineno, called, "imports a module by its name in a string")


def front_door(source: Source) -> Iterator[Finding]:
    """Modules take a thing from where it lives; the names of the package itself are for its users."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            taken = {alias.name for alias in node.names if alias.name == "understudy"}
        elif isinstance(node, ast.ImportFrom) and node.module == "understudy":
            taken = {alias.name for alias in node.names} - {"__version__"}
        else:
            continue
        for name in sorted(taken):
            yield Finding(
                node.lineno, name, "comes from the front door; import it from the module it lives in"
            )


def printing(source: Source) -> Iterator[Finding]:
    for name, call in source.calls():
        if name == "print":
            yield Finding(call.lineno, name, "prints; only the command line speaks")


def broad_except(source: Source) -> Iterator[Finding]:
    broad = {"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or source.resolve(kind) in broad for kind in caught):
                yield Finding(
                    node.lineno, _enclosing(source, node), "catches everything; name the exceptions"
                )
    for name, call in source.calls():
        if name == "contextlib.suppress" and any(source.resolve(kind) in broad for kind in call.args):
            yield Finding(call.lineno, _enclosing(source, call), "suppresses everything; name the exceptions")


def _enclosing(source: Source, node: ast.ExceptHandler | ast.Call) -> str:
    """Qualified name of the innermost function around a node; `<module>` outside functions."""
    around = [
        name
        for name, _, function in source.functions
        if function.lineno <= node.lineno <= (function.end_lineno or 0)
    ]
    return around[-1] if around else "<module>"


def open_signature(source: Source) -> Iterator[Finding]:
    for name, parent, node in source.functions:
        is_public = all(not part.startswith("_") or part.startswith("__") for part in name.split("."))
        if (
            node.args.kwarg
            and is_public
            and not isinstance(parent, FunctionNode)
            and node.name not in HOOKS_WITH_KEYWORDS
        ):
            yield Finding(node.lineno, name, f"takes **{node.args.kwarg.arg}; name the arguments")


def name_without_subject(source: Source) -> Iterator[Finding]:
    for part in Path(source.path).with_suffix("").parts:
        if part.strip("_") in NAMES_WITHOUT_SUBJECT:
            yield Finding(1, part, "names no subject; say what the module is about")


def code_from_data(source: Source) -> Iterator[Finding]:
    """Loading data must never run code."""
    for line, module in _imports(source.tree):
        if module.split(".")[0] in MODULES_THAT_RUN_CODE:
            yield Finding(line, module, "can run code that hides in data; save as JSON, npz or safetensors")
    for name, call in source.calls():
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        allows_pickle = "allow_pickle" in given and not _is(given["allow_pickle"], False)
        loads_all = name == "torch.load" and not _is(given.get("weights_only"), True)
        if name in CALLS_THAT_RUN_CODE or allows_pickle or loads_all:
            yield Finding(call.lineno, name, "can run code that hides in data")


def _is(node: ast.AST | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def global_random(source: Source) -> Iterator[Finding]:
    """Every draw comes from a stream that was handed in: no global state, no unseeded stream."""
    names = {(line, name) for line, name in _imports(source.tree) if not name.startswith(".")}
    names |= {
        (node.lineno, source.resolve(node))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
    }
    for line, name in sorted(names):
        for package, allowed in RANDOM_WITHOUT_GLOBAL_STATE.items():
            rest = name.removeprefix(package + ".")
            if rest != name and rest.split(".")[0] not in allowed:
                yield Finding(line, name, "uses the global random state; take a Seed")
        if name in {
            "torch.manual_seed",
            "torch.seed",
            "torch.cuda.manual_seed",
            "torch.cuda.manual_seed_all",
        }:
            yield Finding(line, name, "seeds globally; take a Seed and a torch.Generator")
    for name, call in source.calls():
        if name in {"numpy.random.default_rng", "random.Random"} and not call.args and not call.keywords:
            yield Finding(call.lineno, name, "draws an unseeded stream; take a Seed")


RULES: dict[str, Callable[[Source], Iterator[Finding]]] = {
    "module_length": module_length,
    "function_length": function_length,
    "class_length": class_length,
    "hidden_import": hidden_import,
    "front_door": front_door,
    "printing": printing,
    "broad_except": broad_except,
    "open_signature": open_signature,
    "name_without_subject": name_without_subject,
    "code_from_data": code_from_data,
    "global_random": global_random,
}
