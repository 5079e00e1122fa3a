"""Copies of pydantic models without validation, which is most of the cost of a small model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

ModelT = TypeVar("ModelT", bound=BaseModel)


class Template(Generic[ModelT]):
    """A model that is copied many times, each time with other field values.

    Pydantic's `model_copy` does the same in twice the time.

    Args:
        model: The model to copy; it must not change.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> Template(AIMessage("Hi", id="a")).copy({"id": "b"})
        AIMessage(content='Hi', additional_kwargs={}, response_metadata={}, id='b', \
tool_calls=[], invalid_tool_calls=[])
    """

    def __init__(self, model: ModelT) -> None:
        self._class = type(model)
        self._state: dict[str, Any] = model.__getstate__()

    def copy(self, fields: dict[str, Any], given: Iterable[str] = ()) -> ModelT:
        """Copy the model without validation, as unpickling does.

        Args:
            fields: Values that differ. They must be what validation would make of them. All other
                values are shared with the template.
            given: Fields that `model_fields_set` names beside those of the template.

        Returns:
            The copy.
        """
        state = self._state.copy()
        state["__dict__"] = state["__dict__"] | fields
        state["__pydantic_fields_set__"] = state["__pydantic_fields_set__"].union(given)
        if state["__pydantic_extra__"] is not None:
            state["__pydantic_extra__"] = state["__pydantic_extra__"].copy()
        copied = self._class.__new__(self._class)
        copied.__setstate__(state)
        return copied
