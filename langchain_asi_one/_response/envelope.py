"""What the chunks of a stream say again and again around their deltas: pure, without I/O."""

from __future__ import annotations

from typing import Any

from langchain_asi_one._response.reasoning import THOUGHT_FIELDS

_NUMBERS = (bool, int, float)
# The refusal comes in pieces: what is said again is more of it.
_NEVER = {*THOUGHT_FIELDS, "refusal"}


class Envelope:
    """The fields around the delta of the last chunk that was read whole.

    Of a chunk that says the same again, only the delta needs reading: noting a field twice is
    noting it once.

    Example:
        >>> envelope = Envelope()
        >>> first = {"id": "1", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}
        >>> envelope.learn(first, first["choices"][0])
        >>> envelope.delta({"id": "1", "choices": [{"index": 0, "delta": {"content": "lo"}}]})
        {'content': 'lo'}
        >>> envelope.delta({"id": "2", "choices": [{"index": 0, "delta": {"content": "lo"}}]})
    """

    def __init__(self) -> None:
        self._known = False
        self._chunk: dict[str, Any] = {}
        self._choice: dict[str, Any] = {}
        self._numbers: list[tuple[bool, str, type]] = []

    def learn(self, chunk: dict[str, Any], choice: dict[str, Any]) -> None:
        """Remember a chunk that has been read.

        Args:
            chunk: The chunk.
            choice: The choice in it that counts.
        """
        choices = chunk.get("choices")
        self._chunk = {k: v for k, v in chunk.items() if k not in THOUGHT_FIELDS}
        self._chunk.pop("choices", None)
        self._choice = {k: v for k, v in choice.items() if k != "delta"}
        levels = ((False, self._chunk), (True, self._choice))
        # To Python, 1, 1.0 and True are equal.
        self._numbers = [
            (inner, name, type(value))
            for inner, level in levels
            for name, value in level.items()
            if isinstance(value, _NUMBERS)
        ]
        self._known = (
            isinstance(choices, list)
            and len(choices) == 1
            and choices[0] is choice
            and isinstance(choice.get("delta"), dict)
            and "message" not in choice
            and all(_is_simple(n, v) for _, level in levels for n, v in level.items())
        )

    def delta(self, chunk: dict[str, Any]) -> dict[str, Any] | None:
        """Return the delta of a chunk that says nothing else that is new, but perhaps `thoughts`.

        Args:
            chunk: Any chunk.

        Returns:
            Its delta; `None` for any other chunk.
        """
        if not self._known:
            return None
        choices = chunk.get("choices")
        if not isinstance(choices, list) or len(choices) != 1:
            return None
        choice = choices[0]
        if (
            not isinstance(choice, dict)
            or len(choice) != len(self._choice) + 1
            or not isinstance(delta := choice.get("delta"), dict)
            or not self._choice.items() <= choice.items()
            or not self._chunk.items() <= chunk.items()
        ):
            return None
        for inner, name, kind in self._numbers:
            if type((choice if inner else chunk)[name]) is not kind:
                return None
        if len(chunk) != len(self._chunk) + 1 + len(self.thoughts(chunk)):
            return None
        return delta

    def thoughts(self, chunk: dict[str, Any]) -> list[str]:
        """Name the thought fields of a chunk itself, in which the first era told its reasoning."""
        if len(chunk) == len(self._chunk) + 1:
            return []
        return [name for name in THOUGHT_FIELDS if name in chunk]


def _is_simple(name: str, value: object) -> bool:
    return name not in _NEVER and (
        value is None or isinstance(value, (str, *_NUMBERS)) or value in ([], {})
    )
