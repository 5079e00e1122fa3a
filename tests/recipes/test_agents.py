"""Deep agents and MCP tools, as the guide writes them."""

from __future__ import annotations

from langchain_asi_one.testing import LocalASIOne
from tests.recipes.conftest import Project


def test_a_deep_agent_hands_a_task_to_its_expert(project: Project, server: LocalASIOne) -> None:
    lines = project.run("python", "deep.py").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["human", "ai", "tool", "ai"]
    assert "The tools answered: 21.5" in lines[2]
    # The agent asks, its expert asks and measures, the agent ends: two conversations.
    sessions = [request.session_id for request in server.requests]
    assert sessions[0] == sessions[3] != sessions[1] == sessions[2]


def test_a_tool_of_an_mcp_server_is_called(project: Project, server: LocalASIOne) -> None:
    assert "The tools answered: 21.5" in project.run("python", "weather_agent.py")
    described = server.requests[0].body["tools"][0]["function"]
    assert described["name"] == "get_temperature"
    assert described["description"] == "Measure the temperature of a city, in degrees Celsius."
