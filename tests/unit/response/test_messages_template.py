"""A copy without validation is what pydantic's own copy is, and shares no state."""

from __future__ import annotations

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_asi_one._response.messages import Template


def test_a_copy_is_that_of_pydantic() -> None:
    chunk = AIMessageChunk.model_validate({"content": "a", "id": "1", "other": [1]})
    for template in (chunk, ChatGenerationChunk(message=chunk)):
        update = {"id": "2"} if template is chunk else {"text": "b"}
        copied = Template(template).copy(update, update.keys())
        wanted = template.model_copy(update=update)
        assert type(copied) is type(wanted)
        assert copied == wanted
        assert vars(copied) == vars(wanted)
        assert copied.model_fields_set == wanted.model_fields_set
        assert (copied.model_extra, copied.__pydantic_private__) == (
            wanted.model_extra,
            wanted.__pydantic_private__,
        )


def test_only_named_fields_count_as_given() -> None:
    copied = Template(AIMessageChunk(content="a")).copy({"name": "x", "id": "2"}, {"name"})
    assert copied.model_dump(exclude_unset=True).keys() >= {"content", "name"}
    assert "id" not in copied.model_dump(exclude_unset=True)


def test_a_change_of_the_copy_leaves_the_template() -> None:
    template = AIMessageChunk.model_validate({"content": "a", "other": 1})
    before = repr(template), {*template.model_fields_set}, dict(template.model_extra or {})
    copied = Template(template).copy({"content": "b"})
    copied.id = "2"
    assert copied.model_extra is not None
    copied.model_extra["other"] = 2
    assert (repr(template), template.model_fields_set, template.model_extra) == before
