"""What tools/mutants.py changes in a module, and how a change gets into the functions of a running process.

Left as they are: the text of errors and of log lines, annotations, decorators, docstrings, and the fields of classes.
"""

import ast
import copy
import functools
import gc
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/auxseg"
COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
LEFT_OUT = ("annotation", "returns", "decorator_list", "format_spec", "exc", "cause", "msg")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


class NoMutantError(Exception):
    """Python cannot put this change into a running process."""


class Mutant(NamedTuple):
    """One change; `tree` is the file's syntax tree with it."""

    file: str
    digest: str
    line: int
    column: int
    before: str
    after: str
    tree: ast.Module
    place: list[ast.AST]
    """Nodes from the module's statement down to the changed one."""

    @property
    def key(self) -> tuple[str, ...]:
        """What names it in the results."""
        return tuple(map(str, self[:6]))


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in place of a node."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                new = copy.deepcopy(node)
                new.ops[index] = COMPARISONS[type(operator)]()
                yield new
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
        case ast.BoolOp():
            yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        case ast.UnaryOp():
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield from (ast.Constant(node.value + step) for step in (1, -1))
        case ast.Constant(value=str()):
            yield ast.Constant("XX" + node.value)
        case ast.Return(value=ast.AST() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Expr():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute() | ast.Tuple(elts=[ast.Subscript(), *_])]):
            yield ast.Pass()
        case ast.comprehension(ifs=[_, *_]):
            yield ast.comprehension(node.target, node.iter, [], node.is_async)
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare | ast.UnaryOp | ast.BoolOp):
            new = copy.copy(node)
            new.test = ast.UnaryOp(ast.Not(), test)
            yield new


def mutants(file: Path) -> Iterator[Mutant]:
    """Yield every mutant of a file, in the order of its lines."""
    text = file.read_text("utf-8")
    digest, name = hashlib.sha256(text.encode()).hexdigest()[:12], file.relative_to(SOURCE).as_posix()

    def visit(tree: ast.Module, node: ast.AST, place: list[ast.AST]) -> Iterator[Mutant]:
        for field, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or _is_left_out(node, field, child):
                    continue
                for new in replacements(child):
                    _put(node, field, index, ast.fix_missing_locations(ast.copy_location(new, child)))
                    spot = child if hasattr(child, "lineno") else node
                    before, after = (ast.unparse(one)[:150].splitlines()[0] for one in (child, new))
                    yield Mutant(name, digest, spot.lineno, spot.col_offset, before, after, tree, [*place, child])
                    _put(node, field, index, child)
                if not _is_message(child):
                    yield from visit(tree, child, [*place, child])

    tree = ast.parse(text)
    yield from visit(tree, tree, [])


def control(file: Path) -> Mutant:
    """Return a mutant without a change: if a test fails with it, the tests fail because of this tool."""
    tree = ast.parse(file.read_text("utf-8"))
    definitions = [node for node in tree.body if isinstance(node, DEFINITIONS)]
    place = next([one, inner] for one in definitions for inner in ast.walk(one) if isinstance(inner, FUNCTIONS))
    return Mutant(file.relative_to(SOURCE).as_posix(), "", 0, 0, "", "", tree, place)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _is_left_out(parent: ast.AST, field: str, child: ast.AST) -> bool:
    is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
    is_class_field = isinstance(parent, ast.ClassDef) and not isinstance(child, FUNCTIONS)
    return field in LEFT_OUT or is_docstring or is_class_field


def _is_message(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("logging.", "_say", "damaged"))


def lines_of(mutant: Mutant) -> range:
    """Return the lines of the statement that a mutant changes; of a whole function for its arguments."""
    statement = next(node for node in reversed(mutant.place) if isinstance(node, ast.stmt))
    body = getattr(statement, "body", None)
    if body and not isinstance(statement, FUNCTIONS):
        return range(statement.lineno, max(body[0].lineno, statement.lineno + 1))
    return range(statement.lineno + isinstance(statement, FUNCTIONS), statement.end_lineno + 1)


def install(mutant: Mutant, module: ModuleType) -> None:
    """Put a mutant into the modules of this process: into its function, or into the constant that it changes."""
    path = module.__file__ or ""
    for depth, node in enumerate(mutant.place):
        if isinstance(node, FUNCTIONS):  # the outermost one contains the code of inner ones
            names = [one.name for one in mutant.place[: depth + 1] if isinstance(one, DEFINITIONS)]
            break
    else:
        statement = mutant.place[0]
        old, new = dict(vars(module)), dict(vars(module))
        code = compile(ast.Module([_changed(mutant.tree, statement)], []), path, "exec")
        try:
            exec(code, new)  # noqa: S102
        except Exception as error:
            raise ImportError from error
        for name in [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id in old]:
            for other in list(sys.modules.values()):
                if vars(other).get(name, other) is old[name] is not new[name]:
                    setattr(other, name, new[name])
        return
    found = _find(compile(mutant.tree, path, "exec"), ".".join(names))
    for function in functions_of(path):
        if function.__code__.co_qualname == found.co_qualname:
            if function.__code__.co_freevars != found.co_freevars:
                raise NoMutantError  # such as `super()` that is gone
            function.__code__ = found
            _set_defaults(function, node.args, vars(module))


@functools.cache
def functions_of(path: str) -> list[FunctionType]:
    """Return the functions of a file in this process, methods and properties included. It takes a moment."""
    functions = [one for one in gc.get_objects() if type(one) is FunctionType]
    return [one for one in functions if one.__code__.co_filename == path]


def _changed(tree: ast.Module, statement: ast.AST) -> Any:
    return next(one for one in tree.body if one.lineno == statement.lineno)


def _find(code: CodeType, name: str) -> CodeType:
    def walk(outer: CodeType) -> Iterator[CodeType]:
        for inner in outer.co_consts:
            if isinstance(inner, CodeType):
                yield inner
                yield from walk(inner)

    return [one for one in walk(code) if one.co_qualname == name][-1]  # those before are its overloads


def _set_defaults(function: FunctionType, arguments: ast.arguments, namespace: dict[str, Any]) -> None:
    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), "default", "eval"), namespace)  # noqa: S307

    if function.__defaults__:
        function.__defaults__ = tuple(map(value, arguments.defaults))
    if function.__kwdefaults__:
        pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        function.__kwdefaults__ = {argument.arg: value(node) for argument, node in pairs if node}
