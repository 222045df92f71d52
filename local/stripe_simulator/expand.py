"""``expand``: ids in an answer replaced by what they stand for, on dotted paths, also through lists."""

from collections.abc import Callable, Mapping, Sequence

from .errors import InvalidParameterError, UnsupportedError
from .shelves import Collection
from .state import State, public
from .values import Json, Object

MAXIMUM_DEPTH = 4  # https://docs.stripe.com/expand


def expand(state: State, answer: Object, paths: Sequence[str], shows: Callable[[str], None]) -> Object:
    """The answer with each path expanded; the stored objects stay as they are.

    ``shows`` is told of each kind of object that is put in, and may refuse it by what it raises.

    Raises:
        InvalidParameterError: a path leads to nothing that can be expanded, or too deep.
    """
    for path in paths:
        names = path.split(".")
        if len([name for name in names if name != "data"]) > MAXIMUM_DEPTH:
            raise InvalidParameterError(
                f"You cannot expand more than {MAXIMUM_DEPTH} levels of a property. Property: {path}", param="expand"
            )
        answer = _Walk(state, path, shows).into(answer, names, None, "")
    return answer


class _Walk:
    def __init__(self, state: State, path: str, shows: Callable[[str], None]) -> None:
        self._state = state
        self._path = path
        self._shows = shows

    def into(self, value: Json, names: Sequence[str], owner: tuple[Collection, Object] | None, prefix: str) -> Json:
        """``value`` with what ``names`` lead to expanded; ``prefix`` is the way here from ``owner``, an API object."""
        if not names or value is None:
            return value
        if isinstance(value, list):
            return [self.into(item, names, owner, prefix) for item in value]
        if not isinstance(value, Mapping):
            raise self._refusal()
        collection = self._state.collection_of(value["object"]) if "object" in value else None
        if collection:
            owner, prefix = (collection, value), ""
        name, rest = names[0], names[1:]
        dotted = prefix + name
        if owner and dotted in owner[0].expands:
            expanded = self._expansion(owner, dotted, value.get(name))
            self._show(owner[0], expanded)
        elif isinstance(value.get(name), Mapping | list):
            expanded = value[name]
        elif name in value and value[name] is None and rest:
            return value
        else:
            raise self._refusal()
        return {**value, name: self.into(expanded, rest, owner, dotted + ".")}

    def _expansion(self, owner: tuple[Collection, Object], dotted: str, value: Json) -> Json:
        collection, item = owner
        target = collection.expands[dotted]
        if isinstance(value, Mapping):  # expanded before, by a path that begins alike
            return value
        if not isinstance(target, str):
            found = target(self._state, self._state.find(collection, item.get("id", "")) or item)
            return public(found) if isinstance(found, Mapping) else found
        if self._state.collection_of(target) is None:
            raise UnsupportedError(f"the expansion of {self._path}")
        if isinstance(value, list):
            return [public(self._state.find(target, each) or {"id": each}) for each in value]
        found = self._state.find(target, value) if value else None
        return public(found) if found else value

    def _show(self, owner: Collection, expanded: Json) -> None:
        """Tell of what was expanded; who may list balance transactions may see their sources."""
        for each in expanded if isinstance(expanded, list) else [expanded]:
            kind = each.get("object") if isinstance(each, Mapping) else None
            if kind and self._state.collection_of(kind) and owner.name != "balance_transaction":
                self._shows(kind)

    def _refusal(self) -> InvalidParameterError:
        return InvalidParameterError(f"This property cannot be expanded ({self._path}).", param="expand")
