"""JSON schemas as a request sends them.

References are written out. Objects are closed where the schema is strict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_MOST_SCHEMAS: Final = 5_000
"""Most schemas of a schema with its references written out; a larger one keeps them."""
# Keywords whose value is a schema, a list of schemas, or schemas by name; all others hold data.
_ONE: Final = (
    *("items", "additionalProperties", "additionalItems", "contains", "propertyNames", "not"),
    *("if", "then", "else"),
)
_MANY: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_DEFINITIONS: Final = ("$defs", "definitions")
# The first is for people; the second names definitions that are written out.
_DROPPED: Final = ("title", "discriminator")

_Change = Callable[[Any, str], Any]


def resolve_references(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Write out what a schema refers to, and drop titles and discriminators.

    A definition that refers to itself stays one, under `$defs`. There is no reference at the top of
    the new schema.

    Raises:
        ValueError: If it refers to something that it does not hold.
    """
    if all(keyword not in schema for keyword in _DEFINITIONS) and not _list_references(schema):
        return _tidy(schema, "")
    recursive = _find_recursive(schema)
    try:
        return _Resolver(schema, recursive).resolve()
    except _TooLargeError:
        return _Resolver(schema, None).resolve()


def close_objects(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Close each object of a schema and require all its properties.

    `strict` demands it. The result is a new schema. `place` says whose schema it is.

    Raises:
        ValueError: If an object takes members that the schema does not list.
    """
    closed = _change_inner(schema, place, close_objects)
    if schema.get("type") != "object" and "properties" not in schema:
        return closed
    names = [*schema.get("properties", {})]
    if not names and schema.get("additionalProperties") is not False:
        msg = (
            f"strict does not go with {place}: that object takes any members, and closed it could "
            f"only be empty. List its members, or leave strict out."
        )
        raise ValueError(msg)
    return {**closed, "additionalProperties": False, "required": names}


def _change_inner(schema: Mapping[str, Any], place: str, change: _Change) -> dict[str, Any]:
    """Return a schema with each schema directly in it changed."""

    def apply(inner: Any, where: str) -> Any:
        return change(inner, where) if isinstance(inner, Mapping) else inner

    changed = dict(schema)
    for keyword, value in schema.items():
        here = f"{place}.{keyword}"
        if keyword in _NAMED and isinstance(value, Mapping):
            changed[keyword] = {
                name: apply(one, f"{place}.{name}" if keyword == "properties" else f"{here}.{name}")
                for name, one in value.items()
            }
        elif keyword in _MANY and isinstance(value, list):
            changed[keyword] = [apply(one, f"{here}[{n}]") for n, one in enumerate(value)]
        elif keyword in _ONE:
            changed[keyword] = apply(value, here)
    return changed


def _tidy(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    kept = {name: value for name, value in schema.items() if name not in _DROPPED}
    return _change_inner(kept, place, _tidy)


def _list_references(schema: Mapping[str, Any]) -> list[str]:
    found: list[str] = []

    def read(inner: Any, place: str) -> Any:
        if isinstance(pointer := inner.get("$ref"), str):
            found.append(pointer)
        return _change_inner(inner, place, read)

    read(schema, "")
    return found


def _find_recursive(root: Mapping[str, Any]) -> set[str]:
    """Return the references that lead back to themselves."""
    leads = {"": _list_references(root)}
    pending = [*leads[""]]
    while pending:
        if (pointer := pending.pop()) not in leads:
            leads[pointer] = _list_references(find_target(root, pointer))
            pending += leads[pointer]
    recursive = set()
    for start, direct in leads.items():
        seen: set[str] = set()
        pending = [*direct]
        while pending:
            if (pointer := pending.pop()) not in seen:
                seen.add(pointer)
                pending += leads[pointer]
        if start in seen:
            recursive.add(start)
    return recursive


def find_target(root: Mapping[str, Any], pointer: str) -> Mapping[str, Any]:
    """Return the schema that a reference leads to.

    Raises:
        ValueError: If it leads nowhere, or out of the document.
    """
    target: Any = root if pointer.startswith("#") else None
    for part in pointer.removeprefix("#").strip("/").split("/"):
        if part:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, Mapping) else None
    if not isinstance(target, Mapping):
        msg = f"A JSON schema refers to {pointer!r}, which it does not hold."
        raise ValueError(msg)  # noqa: TRY004 - the schema is at fault
    return target


class _TooLargeError(Exception):
    """A schema is too large with its references written out."""


class _Resolver:
    """Writes out the references of one schema but those in `kept`."""

    def __init__(self, root: Mapping[str, Any], kept: set[str] | None) -> None:
        self._root = root
        self._kept = kept
        self._written = 0
        self._names: dict[str, str] = {"#": ""}
        self._definitions: dict[str, Any] = {}

    def resolve(self) -> dict[str, Any]:
        top = {name: value for name, value in self._root.items() if name not in _DEFINITIONS}
        seen: set[str] = set()
        while isinstance(pointer := top.get("$ref"), str) and pointer not in seen:
            # A request's schema is an object, and no reference to one.
            seen.add(pointer)
            beside = {name: value for name, value in top.items() if name != "$ref"}
            top = {**find_target(self._root, pointer), **beside}
        resolved = self._write(top, "")
        return {**resolved, "$defs": self._definitions} if self._definitions else resolved

    def _write(self, schema: Mapping[str, Any], place: str) -> dict[str, Any]:
        self._written += 1
        if self._kept is not None and self._written > _MOST_SCHEMAS:
            raise _TooLargeError
        pointer = schema.get("$ref")
        if not isinstance(pointer, str):
            kept = {name: value for name, value in schema.items() if name not in _DROPPED}
            return _change_inner(kept, place, self._write)
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        if self._kept is None or pointer in self._kept:
            return {"$ref": self._keep(pointer), **self._write(beside, place)}
        return self._write({**find_target(self._root, pointer), **beside}, place)

    def _keep(self, pointer: str) -> str:
        """Put a definition under `$defs`, and return the reference to it."""
        if pointer not in self._names:
            base = pointer.rpartition("/")[2] or "schema"
            name = base
            while name in self._definitions:
                name += "_"
            self._names[pointer] = name
            self._definitions[name] = {}
            self._definitions[name] = self._write(find_target(self._root, pointer), name)
        name = self._names[pointer]
        return f"#/$defs/{name}" if name else "#"
