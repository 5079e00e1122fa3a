"""What the local Agentverse answers and refuses, path by path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.server import LocalAgentverse
    from tests.integration.testing.agentverse.conftest import Somebody

Json = dict[str, Any]


def test_an_agent_is_shown_and_removed(somebody: Somebody) -> None:
    path = f"/v2/agents/{somebody.address}"
    assert somebody.client.get(path).status_code == 401
    assert somebody.client.get(path, headers=somebody.token()).json()["name"] == "Somebody"
    assert somebody.client.delete(path, headers=somebody.key).status_code == 200
    for method in ("GET", "DELETE"):
        assert somebody.client.request(method, path, headers=somebody.key).status_code == 404
    with pytest.raises(KeyError, match="Mailbox not found"):
        somebody.server.mail(somebody.address)


def test_the_proxy_leads_to_the_registered_url(somebody: Somebody, stranger: Somebody) -> None:
    url = f"{somebody.server.url}/v2/agents/mailbox/submit"
    assert somebody.register(url=url).status_code == 200
    letter = stranger.seal(somebody.address)
    assert stranger.client.post("/v2/agents/proxy/submit", json=letter).status_code == 200
    somebody.read_mail(1)
    unknown = stranger.seal(stranger.address)
    assert stranger.client.post("/v2/agents/proxy/submit", json=unknown).status_code == 404


def test_the_search_finds_names(agentverse: LocalAgentverse, stranger: Somebody) -> None:
    address = agentverse.agent(name="Zeppelin rides", handle="zeppelin")

    def search(**body: Any) -> httpx.Response:
        return stranger.client.post("/v1/search/agents", json=body)

    found = search(search_text="a zeppelin", limit=50).json()
    assert address in [agent["address"] for agent in found["agents"]]
    assert search(search_text="zeppelin").json()["total"] == 1
    assert search(filters={"protocol_digest": ["proto:none"]}).json()["agents"] == []
    assert search(filters={"agent_type": ["custom"]}).json()["total"] >= 1
    page = search(limit=1, offset=0).json()
    assert (len(page["agents"]), page["limit"]) == (1, 1)
    for body in ({"limit": 51}, {"text": "x"}, {"filters": {"tags": ["x"]}}):
        assert search(**body).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/v1/unknown", 404), ("PUT", "/v2/agents", 405)],
)
def test_other_requests_are_refused(
    stranger: Somebody, method: str, path: str, status: int
) -> None:
    refused = stranger.client.request(method, path)
    assert refused.status_code == status
    assert refused.json()["detail"]


WORDS = st.sampled_from(
    ["agent1", "user1", "sig1x", "agent://", "", "\ud800", "x" * 70, "mailbox", "@x", "1e400"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, -1, 1.5, 2**70]) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=6,
)
FIELDS = (
    *("address", "agent_identifier", "endpoints", "protocols", "metadata", "signature", "handle"),
    *("timestamp", "challenge", "challenge_response", "name", "url", "sender", "target", "session"),
    *("schema_digest", "payload", "expires", "nonce", "version", "models", "interactions"),
    *("attestations", "search_text", "filters", "limit", "is_active", "agent_type", "profile"),
)
PATHS = (
    *("/v1/almanac/agents", "/v1/almanac/agents/batch", "/v1/almanac/agents/agent1/status"),
    *("/v1/almanac/manifests", "/v2/identity", "/v2/agents", "/v2/agents/mailbox/submit"),
    *("/v2/agents/proxy/submit", "/v1/search/agents", "/submit"),
)


@given(
    body=VALUES | st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=12),
    path=st.sampled_from(PATHS),
)
@examples(200)
def test_no_request_makes_it_fail(shared_agentverse: LocalAgentverse, body: Any, path: str) -> None:
    headers = {"authorization": f"Bearer {shared_agentverse.api_key}"}
    content = json.dumps(body).encode()
    url = f"{shared_agentverse.url}{path}"
    response = httpx.post(url, content=content, headers=headers, trust_env=False)
    assert response.status_code in (200, 400, 404, 406, 409, 422), response.text
