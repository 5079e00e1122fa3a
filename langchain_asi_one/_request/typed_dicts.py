"""Pydantic models of TypedDicts, from which their JSON Schemas are made: pure."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from types import UnionType
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
)

from langchain_core.utils.function_calling import _parse_google_docstring
from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict


def make_model(typed_dict: type) -> type[BaseModel]:
    """Make a Pydantic model of a TypedDict.

    LangChain's converter fails on one that refers to itself, and on `NotRequired`. Pydantic alone
    does not know LangChain's `Annotated[type, default, description]`.

    Raises:
        ValueError: If a description is no text.
    """
    converter = _Converter()
    name = converter.convert(typed_dict).__forward_arg__
    for model in converter.models.values():
        model.model_rebuild(force=True, _types_namespace=converter.models)
    made: type[BaseModel] = converter.models[name]
    return made


class _Converter:
    """Makes the models of TypedDicts that refer to each other by name."""

    def __init__(self) -> None:
        self.models: dict[str, Any] = {}
        self._references: dict[Any, ForwardRef] = {}

    def convert(self, typed_dict: Any) -> ForwardRef:
        """Make a TypedDict's model and those in it; return its reference."""
        if typed_dict not in self._references:
            reference = ForwardRef(f"{typed_dict.__name__}_{len(self._references)}")
            self._references[typed_dict] = reference
            hints = get_type_hints(typed_dict, include_extras=True)
            text = cleandoc(typed_dict.__doc__ or "")
            description, described = _parse_google_docstring(text, [*hints])
            required = typed_dict.__required_keys__
            # By number, as the name of a key may be none of a field.
            fields: dict[str, Any] = {
                f"key{number}": self._convert_field(
                    name, hint, described, is_required=name in required
                )
                for number, (name, hint) in enumerate(hints.items())
            }
            self.models[reference.__forward_arg__] = create_model(
                typed_dict.__name__, __doc__=description, **fields
            )
        return self._references[typed_dict]

    def _convert_field(
        self, name: str, hint: Any, described: Mapping[str, str], *, is_required: bool
    ) -> tuple[Any, Any]:
        options: dict[str, Any] = {"alias": name, "description": described.get(name)}
        while (origin := get_origin(hint)) in (Annotated, Required, NotRequired):
            inner, *metadata = get_args(hint)
            if metadata and isinstance(metadata[0], FieldInfo):
                break  # Pydantic's own
            if origin is not Annotated:
                is_required = origin is Required
            elif metadata:
                options["default"] = metadata[0]
                if len(metadata) > 1:
                    options["description"] = described.get(name) or _check(name, metadata[1])
            hint = inner
        if not is_required and options.get("default", ...) is ...:
            options.pop("default", None)
            options["default_factory"] = dict  # never called; a key that has no default
        return self._replace(hint), Field(**options)

    def _replace(self, hint: Any) -> Any:
        """Return a type with references in place of TypedDicts."""
        if is_typeddict(hint):
            return self.convert(hint)
        origin, inner = get_origin(hint), get_args(hint)
        if not inner or origin is Literal:
            return hint
        if origin is Annotated:
            return Annotated[(self._replace(inner[0]), *inner[1:])]
        replaced = tuple(map(self._replace, inner))
        if origin in (Union, UnionType):
            return Union[replaced]  # noqa: UP007 - of a tuple
        return hint if replaced == inner or origin is None else origin[replaced]


def _check(name: str, description: Any) -> str:
    if isinstance(description, str):
        return description
    msg = (
        f"The description of {name!r}, the third in Annotated, must be a text; got {description!r}."
    )
    raise ValueError(msg)
