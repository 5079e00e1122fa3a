"""What `bind` and its like return for `ChatASIOne`: their follow-up keeps what is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding
from typing_extensions import override

from langchain_asi_one.follow_up import FollowUpRunnable, with_follow_up

if TYPE_CHECKING:
    # LangChain's own subclass, which only adds types.
    from langchain_core.language_models.chat_models import _ChatModelBinding as _Binding
else:
    _Binding = RunnableBinding[LanguageModelInput, AIMessage]


class FollowUpBinding(_Binding):
    """What `bind`, `bind_tools` and `with_config` of `ChatASIOne` return.

    A plain `RunnableBinding` would hand `with_follow_up` on to the model, and what was bound would
    be lost without a word.
    """

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        return RunnableBinding.lc_id()

    def with_follow_up(self, **arguments: Any) -> FollowUpRunnable:
        """Do as `ChatASIOne.with_follow_up`, with what is bound; the same arguments."""
        return with_follow_up(self, **arguments)


def keep_follow_up(binding: Runnable[LanguageModelInput, AIMessage]) -> FollowUpBinding:
    """Make a binding of `ChatASIOne` one whose `with_follow_up` keeps what is bound.

    Args:
        binding: The `RunnableBinding` that LangChain made.

    Returns:
        The same as `FollowUpBinding`.
    """
    fields = {name: getattr(binding, name) for name in RunnableBinding.model_fields}
    return FollowUpBinding(**fields)
