"""Fields that a stream's chunks hold in slices, merged in linear time."""

from __future__ import annotations

import json
from typing import Any


class MergedText:
    """A string that comes in slices."""

    def __init__(self, text: str) -> None:
        self._slices = [text]

    def add(self, text: str) -> None:
        """Append a slice."""
        self._slices.append(text)

    @property
    def value(self) -> str:
        """The whole string."""
        return "".join(self._slices)


class MergedList:
    """A list that is repeated, grows, or comes in slices.

    Items beyond `most` are only counted.
    """

    def __init__(self, most: int | None = None) -> None:
        self.value: list[Any] = []
        """The items, each once."""
        self.dropped = 0
        """How many items were not kept."""
        self._keys: set[str] = set()
        self._most = most

    def add(self, items: list[Any]) -> None:
        """Add the items that are new in a further chunk."""
        if not items or items == self.value:
            return
        known = len(self.value)
        new = items
        if known:
            repeated = not self.dropped and items[:known] == self.value
            new = items[known:] if repeated else [i for i in items if _key(i) not in self._keys]
        self._keys.update(map(_key, new))
        kept = new if self._most is None else new[: max(self._most - known, 0)]
        self.dropped += len(new) - len(kept)
        self.value += kept


class MergedObject:
    """An object whose lists grow and whose other fields are replaced.

    With `concatenate` each chunk holds further items of a list, even if they are equal.
    """

    def __init__(self, *, concatenate: bool) -> None:
        self._fields: dict[str, Any] = {}
        self._concatenate = concatenate

    def add(self, fields: dict[str, Any]) -> None:
        """Merge the field's value in a further chunk."""
        for name, value in fields.items():
            held = self._fields.get(name)
            if value is None and held is not None:
                continue
            if self._concatenate and isinstance(value, list):
                if not isinstance(held, list):
                    self._fields[name] = held = []
                held += value
            else:
                self._fields[name] = merge(held, value, concatenate=self._concatenate)

    @property
    def value(self) -> dict[str, Any]:
        """The merged object."""
        return {name: unwrap(value) for name, value in self._fields.items()}


def merge(held: Any, value: Any, *, concatenate: bool = False) -> Any:
    """Merge a field with its value in the next chunk.

    `unwrap` gives the value of the result. `held` is what an earlier `merge` returned, or `None`.
    Strings and numbers replace it. `concatenate` is as for `MergedObject`.

    Example:
        >>> held = merge(merge(None, {"a": [1]}), {"a": [1, 2], "b": 3})
        >>> unwrap(held)
        {'a': [1, 2], 'b': 3}
    """
    merged: MergedList | MergedObject
    if isinstance(value, list):
        merged = held if isinstance(held, MergedList) else MergedList()
        merged.add(value)
    elif isinstance(value, dict):
        new = MergedObject(concatenate=concatenate)
        merged = held if isinstance(held, MergedObject) else new
        merged.add(value)
    else:
        return value
    return merged


def unwrap(held: Any) -> Any:
    """Return a merged field's value; return any other value as it is."""
    return held.value if isinstance(held, MergedList | MergedObject | MergedText) else held


def _key(item: Any) -> str:
    return json.dumps(item, sort_keys=True)
