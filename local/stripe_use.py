"""What each function can ask of Stripe, found in its code: `python -m local.stripe_use`.

From the function's module every name that it uses is followed through the use cases. A command's handler is followed
where the command is made or named, because whichever function commits it carries it out, unless it is left to the
sweep, which names the handlers themselves. It is what a function can ask at the most: a restricted key with these
rights lacks none (docs/going-live.md). What it asks of connected accounts is told apart, because a key's Connect
permissions are a list of their own; what it has expanded in an answer is asked too.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from marketplace.domain.commands import LEFT_TO_THE_SWEEP, CommandKind
from marketplace.operations import Operation

PROJECT: Final = Path(__file__).parents[1]  # not from the local cloud, which makes its keys by what is found here
SERVICES: Final = PROJECT / "shared" / "marketplace" / "services"
FUNCTIONS: Final = PROJECT / "functions"
COMMANDS: Final = SERVICES / "commands.py"  # what does the evening out
PREFIX: Final = "marketplace.services"
# What is expanded in an answer is read, and needs the right to read it.
EXPANSIONS: Final[Mapping[str, Operation]] = {
    "application_fee": Operation.LIST_APPLICATION_FEE_REFUNDS,
    "charge": Operation.READ_CHARGE,
    "latest_charge": Operation.READ_CHARGE,
    "latest_invoice": Operation.READ_INVOICE,
    "payment_intent": Operation.READ_PAYMENT_INTENT,
    "transfer_reversal": Operation.LIST_REVERSALS,
}
# A share that a commit touches is evened out after it: so whoever does something with shares may be the one.
SHARES: Final = "marketplace.domain.shares"
RECORD: Final = "Share"  # who only plans them, or says which to read, touches none


class Asked(NamedTuple):
    """What is asked of Stripe, and whether of a connected account."""

    operation: Operation
    of_account: bool


class Name(NamedTuple):
    """Something that a module of the use cases defines."""

    module: str
    name: str


EVENS_OUT: Final = Name(str(SERVICES / "shares.py"), "even_out")


class Module(NamedTuple):
    """What a module defines, where its other names come from, and the handlers that it registers."""

    defined: Mapping[str, ast.AST]
    imported: Mapping[str, Name]
    handlers: Mapping[str, str]  # by kind of command
    of_shares: frozenset[str]  # names of the domain's module of shares
    of_accounts: frozenset[ast.AST]  # where an operation is named that is asked of a connected account


def operations_of(path: Path) -> frozenset[Operation]:
    """What a function's module can ask of Stripe."""
    return frozenset(each.operation for each in asked_by(path))


def asked_by(path: Path) -> frozenset[Asked]:
    """The same, with whom it is asked of."""
    names, kinds, found = set[Name](), set[str](), set[Asked]()
    own = _module(path)
    waiting: list[tuple[str, ast.AST]] = [(str(path), node) for node in own.defined.values()]
    while waiting:
        place, node = waiting.pop()
        module = _module(Path(place))
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                if part.value.id == "Operation":
                    found.add(Asked(Operation[part.attr], part in module.of_accounts))
                elif part.value.id == "CommandKind" and part.attr not in kinds:
                    kinds.add(part.attr)
                    waiting += _handlers(part.attr, names)
            elif isinstance(part, ast.Dict):
                found |= {Asked(each, of_account=False) for each in expanded(_paths(part, module))}
            waiting += _followed(part, place, module, names)
    return frozenset(found)


def expanded(paths: Iterable[str]) -> frozenset[Operation]:
    """What reads the objects that are expanded on these paths."""
    return frozenset(EXPANSIONS[name] for path in paths for name in path.split(".") if name in EXPANSIONS)


def _paths(made: ast.Dict, module: Module) -> Iterator[str]:
    """The texts of ``{"expand": [...]}``, and of the constants that it names."""
    for key, value in zip(made.keys, made.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "expand":
            named = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
            for node in [value, *(module.defined[name] for name in named & module.defined.keys())]:
                texts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
                yield from (text for text in texts if isinstance(text, str))


def _followed(part: ast.AST, place: str, module: Module, names: set[Name]) -> Iterator[tuple[str, ast.AST]]:
    """What a name, or a module's attribute, leads to, the first time that it does."""
    target: Name | None = None
    if isinstance(part, ast.Name) and part.id in module.of_shares:
        target = EVENS_OUT
    elif isinstance(part, ast.Name):
        target = Name(place, part.id) if part.id in module.defined else module.imported.get(part.id)
    elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
        source = module.imported.get(part.value.id)
        target = Name(source.module, part.attr) if source is not None and not source.name else None
    if target is None or target in names or not target.name:
        return
    node = _module(Path(target.module)).defined.get(target.name)
    if node is not None:
        names.add(target)
        yield target.module, node


def _handlers(kind: str, names: set[Name]) -> Iterator[tuple[str, ast.AST]]:
    if CommandKind[kind] in LEFT_TO_THE_SWEEP:
        return
    for path in SERVICES.glob("*.py"):
        handler = _module(path).handlers.get(kind)
        name = Name(str(path), handler or "")
        if handler is not None and name not in names:
            names.add(name)
            yield str(path), _module(path).defined[handler]


@cache
def _module(path: Path) -> Module:
    tree = ast.parse(path.read_text())
    defined: dict[str, ast.AST] = {}
    imported: dict[str, Name] = {}
    handlers: dict[str, str] = {}
    of_shares: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.TypeAlias(name=ast.Name(id=name)):
                defined[name] = node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                defined[name] = node
            case ast.ImportFrom(module="marketplace.domain", names=names) if any(
                each.name == "shares" for each in names
            ):
                of_shares.add("shares")
            case ast.ImportFrom(module=str(source)) if source.startswith(PREFIX):
                imported |= _imports(source, node.names)
            case ast.ImportFrom(module=str(source)) if source == SHARES and path != COMMANDS:
                of_shares |= {each.name for each in node.names if each.name != RECORD and not each.name.isupper()}
            case ast.Expr(
                value=ast.Call(func=ast.Name(id="handles"), args=[ast.Attribute(attr=kind), ast.Name(id=handler)])
            ):
                handlers[kind] = handler
    return Module(defined, imported, handlers, frozenset(of_shares), _of_accounts(tree, defined, handlers))


def _of_accounts(tree: ast.Module, defined: Mapping[str, ast.AST], handlers: Mapping[str, str]) -> frozenset[ast.AST]:
    """The operations that are asked with ``account=...``, and those of commands that are recorded with one."""
    found: set[ast.AST] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = {each.arg: each.value for each in call.keywords}
        if "account" in named:
            found.update(call.args)
        kind = named.get("kind")
        if "account" in named and isinstance(kind, ast.Attribute) and kind.attr in handlers:
            found |= _operation_of(defined[handlers[kind.attr]], defined)
    return frozenset(found)


def _operation_of(handler: ast.AST, defined: Mapping[str, ast.AST]) -> set[ast.AST]:
    """Of ``DESCRIBE_PAYMENT: Final = DescribePayment()`` what its class asks."""
    match handler:
        case ast.AnnAssign(value=ast.Call(func=ast.Name(id=name))):
            assigned = (node for node in ast.walk(defined[name]) if isinstance(node, ast.Assign))
            return {
                node.value for node in assigned if isinstance(node.targets[0], ast.Name)
                and node.targets[0].id == "operation"
            }  # fmt: skip
    return set()


def _imports(source: str, names: Sequence[ast.alias]) -> dict[str, Name]:
    """Of a module its names; of the package its modules, which have no name of their own here."""
    if source == PREFIX:
        return {each.asname or each.name: Name(str(SERVICES / f"{each.name}.py"), "") for each in names}
    path = str(SERVICES / f"{source.removeprefix(PREFIX + '.')}.py")
    return {each.asname or each.name: Name(path, each.name) for each in names}


def main() -> None:
    """Print each function with what it can ask."""
    for path in sorted(FUNCTIONS.rglob("*.py")):
        asked = sorted(operations_of(path))
        print(f"{path.relative_to(FUNCTIONS).with_suffix('')}: {', '.join(asked) or 'nothing'}")


if __name__ == "__main__":
    main()
