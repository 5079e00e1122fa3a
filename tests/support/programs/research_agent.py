"""A research agent that hands its work to sub-agents, with the guards of production.

The shape is that of the LangChain example that Fetch.ai publishes for ASI:One (hackflow-agent in
github.com/fetchai/innovation-lab-examples): a parent with sub-agents that have tools of their own,
and limits, retries and a fallback at each level. It is written for any chat model.
"""

from __future__ import annotations

import threading
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    ToolCallLimitMiddleware,
    ToolRetryMiddleware,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool, tool

PAGES_READ: list[str] = []
"""Each page that was asked for, also in vain."""
_READING = threading.Lock()


@tool
def search_events(query: str) -> str:
    """Search pages about an event."""
    return f"page-of-{query}"


@tool
def fetch_page(page: str) -> str:
    """Fetch a page by its name."""
    with _READING:  # sub-agents run in threads
        PAGES_READ.append(page)
        tries = PAGES_READ.count(page)
    if tries == 1:
        msg = "the site did not answer"
        raise TimeoutError(msg)
    return f"{page}: June, Berlin, 3 sponsors"


def build_guards(fallback: BaseChatModel | None, calls: int) -> list[AgentMiddleware[Any, Any]]:
    guards: list[AgentMiddleware[Any, Any]] = [
        ModelRetryMiddleware(max_retries=2, initial_delay=0.01, max_delay=0.05, on_failure="error"),
        ModelCallLimitMiddleware(run_limit=calls),
        ToolCallLimitMiddleware(run_limit=2 * calls),
        ToolRetryMiddleware(
            max_retries=2, tools=["fetch_page"], retry_on=(TimeoutError,), initial_delay=0.01
        ),
    ]
    if fallback is not None:
        guards.insert(1, ModelFallbackMiddleware(fallback))
    return guards


def build_researcher(
    model: BaseChatModel, fallback: BaseChatModel | None, name: str, task: str
) -> BaseTool:
    agent: Any = create_agent(
        model,
        [search_events, fetch_page],
        system_prompt=f"You research one thing only: {task}. You write no ideas.",
        middleware=build_guards(fallback, calls=6),
        name=name,
    )

    @tool(name, description=f"Research {task}.")
    def research(event: str) -> str:
        question = f"search_events and fetch_page for '{event}'"
        state = agent.invoke({"messages": [{"role": "user", "content": question}]})
        return str(state["messages"][-1].text)

    return research


def research(model: BaseChatModel, question: str, fallback: BaseChatModel | None = None) -> Any:
    """Run the whole of it, and return the state at its end."""
    agent: Any = create_agent(
        model,
        [
            build_researcher(model, fallback, "event_finder", "date and place"),
            build_researcher(model, fallback, "sponsor_researcher", "sponsors"),
        ],
        system_prompt="You hand each task to a researcher, and write the brief yourself.",
        middleware=build_guards(fallback, calls=8),
    )
    return agent.invoke({"messages": [{"role": "user", "content": question}]})


def answer_follow_up(
    model: BaseChatModel, brief: str, turns: list[dict[str, str]], question: str
) -> str:
    """Answer about a brief, which is a turn of the user before those of the conversation."""
    messages: list[BaseMessage] = [
        SystemMessage("The brief below is all that is known."),
        HumanMessage(f"The brief:\n{brief}"),
    ]
    for turn in turns:
        kind = HumanMessage if turn["role"] == "user" else AIMessage
        messages.append(kind(content=turn["content"]))
    messages.append(HumanMessage(question))
    return str(model.invoke(messages).content)
