"""The operators of mutation: each names the places that it changes, and what it writes there.

A mutant differs from the code in one place. Texts are replaced at the position of their node, so
that comments and layout stay. Strings are never changed: most are names of columns, and a wrong
name fails before any number is wrong.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

COMPARISONS = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
LOGIC = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
SWAPPED_NAMES = dict(
    pair
    for one, other in (
        ("min", "max"),
        ("argmin", "argmax"),
        ("least", "greatest"),
        ("isnull", "notnull"),
        ("asc", "desc"),
        ("semi_join", "anti_join"),
        ("left_join", "inner_join"),
        ("any", "all"),
    )
    for pair in ((one, other), (other, one))
)
REMOVED_CALLS = ("filter", "fill_null", "distinct", "abs")
"""Methods whose call is left out, so that only what it was called on remains."""


@dataclass(frozen=True, order=True)
class Mutant:
    """One place of one file, and what stands there instead."""

    path: str
    line: int
    column: int
    operator: str
    old: str
    new: str
    start: int
    """Offset of `old` in the file's bytes."""
    function: str
    number: int = 1
    """Which of the like changes of the function it is, from the top."""

    @property
    def name(self) -> str:
        """File, function, operator and texts: stays the same when lines move."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.path} {self.function}: {self.operator}: {old} -> {new} #{self.number}"

    def applied(self, source: bytes) -> bytes:
        """The file with this one change."""
        end = self.start + len(self.old.encode())
        assert source[self.start : end].decode() == self.old
        return source[: self.start] + self.new.encode() + source[end:]


def mutants(root: Path, path: Path) -> list[Mutant]:
    """Every mutant of a file, from its top."""
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    plain = sorted(
        Mutant(
            path=path.relative_to(root).as_posix(),
            line=source.count(b"\n", 0, start) + 1,
            column=start - max(s for s in starts if s <= start),
            operator=operator,
            old=source[start:end].decode(),
            new=new,
            start=start,
            function=function,
        )
        for function, node in _nodes(ast.parse(source), "")
        for operator, start, end, new in _changes(node, source, starts)
    )
    counts: Counter[str] = Counter()
    numbered = []
    for mutant in plain:
        if mutant.old != mutant.new:
            counts[mutant.name] += 1
            numbered.append(replace(mutant, number=counts[mutant.name]))
    return numbered


def is_python(source: bytes) -> bool:
    """Return whether a mutated file can be read at all; one that cannot proves nothing."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _nodes(tree: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node that is run, with its function; annotations and declarations are left out."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef):
            for part in (*child.body, *child.args.defaults, *child.args.kw_defaults):
                if part is not None:
                    yield child.name, part
                    yield from _nodes(part, child.name)
        elif isinstance(child, ast.AnnAssign):
            if child.value is not None:
                yield function, child.value
                yield from _nodes(child.value, function)
        elif not isinstance(child, ast.Import | ast.ImportFrom):
            yield function, child
            yield from _nodes(child, function)


def _changes(
    node: ast.AST, source: bytes, starts: list[int]
) -> Iterator[tuple[str, int, int, str]]:
    def span(n: ast.AST) -> tuple[int, int]:
        return starts[n.lineno - 1] + n.col_offset, starts[n.end_lineno - 1] + n.end_col_offset

    def text(n: ast.AST) -> str:
        start, end = span(n)
        return source[start:end].decode()

    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for operator, (left, right) in zip(node.ops, pairwise(operands), strict=True):
            yield from _between("comparison", span(left)[1], span(right)[0], operator, source)
    elif isinstance(node, ast.BinOp):
        yield from _between("arithmetic", span(node.left)[1], span(node.right)[0], node.op, source)
    elif isinstance(node, ast.BoolOp):
        for left, right in pairwise(node.values):
            yield from _between("logic", span(left)[1], span(right)[0], node.op, source)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not | ast.USub):
        yield "negation removed", *span(node), f"({text(node.operand)})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", *span(node), str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "constant", *span(node), f"({text(node)} + 1)"
    elif isinstance(node, ast.If | ast.IfExp):
        yield "condition negated", *span(node.test), f"(not ({text(node.test)}))"
    elif isinstance(node, ast.Call):
        yield from _call_changes(node, span, text)


def _between(
    name: str, start: int, end: int, operator: ast.AST, source: bytes
) -> Iterator[tuple[str, int, int, str]]:
    for table in (COMPARISONS, ARITHMETIC, LOGIC):
        if type(operator) in table:
            old, new = table[type(operator)]
            at = source.find(old.encode(), start, end)
            yield name, at, at + len(old), new


def _call_changes(node: ast.Call, span, text) -> Iterator[tuple[str, int, int, str]]:  # type: ignore[no-untyped-def]
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in SWAPPED_NAMES:
        end = span(function)[1]
        yield "name swapped", end - len(name), end, SWAPPED_NAMES[name]
    if isinstance(function, ast.Attribute) and name in REMOVED_CALLS and not node.keywords:
        yield "call removed", *span(node), f"({text(function.value)})"
    if name == "ifelse" and len(node.args) == 2:
        one, other = node.args
        start, end = span(one)[0], span(other)[1]
        yield "branches swapped", start, end, f"{text(other)}, {text(one)}"
    if name == "cases" and isinstance(function, ast.Attribute):
        for number, branch in enumerate(node.args):
            if isinstance(branch, ast.Tuple) and len(node.args) > 1:
                rest = [text(a) for n, a in enumerate(node.args) if n != number]
                start, end = span(node.args[0])[0], span(node.args[-1])[1]
                yield "branch removed", start, end, ", ".join(rest)
