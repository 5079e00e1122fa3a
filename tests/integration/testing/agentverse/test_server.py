"""The Almanac, identities, mailboxes, the proxy and the search; and what is refused there."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uagents_core.contrib.protocols.chat import chat_protocol_spec
from uagents_core.identity import Identity
from uagents_core.registration import AgentRegistrationAttestation, AgentStatusUpdate
from uagents_core.types import AgentEndpoint

from langchain_asi_one.testing import _reception, fault, raw
from langchain_asi_one.testing._agentverse import almanac, mailboxes
from tests.support.examples import examples

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.server import LocalAgentverse
    from tests.integration.testing.agentverse.conftest import Somebody

Json = dict[str, Any]


def attest(identity: Identity, **changes: Any) -> Json:
    attestation = AgentRegistrationAttestation(
        agent_identifier=f"agent://{identity.address}",
        protocols=["proto:x"],
        endpoints=[AgentEndpoint(url="http://127.0.0.1:9/submit", weight=1)],
        metadata={},
    )
    attestation.sign(identity)
    return {**json.loads(attestation.model_dump_json()), **changes}


def test_a_registration_by_signature_alone(stranger: Somebody) -> None:
    path = f"/v1/almanac/agents/{stranger.address}"
    assert stranger.client.get(path).status_code == 404
    posted = stranger.client.post("/v1/almanac/agents", json=attest(stranger.identity))
    assert posted.status_code == 200
    record = stranger.client.get(path).json()
    assert (record["status"], record["type"]) == ("active", "custom")
    assert record["endpoints"] == [{"url": "http://127.0.0.1:9/submit", "weight": 1}]
    assert stranger.client.get(f"/v2/almanac/resolve/{stranger.address}").json() == record
    update = AgentStatusUpdate(agent_identifier=stranger.address, is_active=False)
    update.sign(stranger.identity)
    body = json.loads(update.model_dump_json())
    assert stranger.client.post(f"{path}/status", json=body).status_code == 200
    assert stranger.client.get(path).json()["status"] == "offline"
    other = "/v1/almanac/agents/agent1other/status"
    assert stranger.client.post(other, json=body).status_code == 400
    assert stranger.client.post(f"{path}/status", json={**body, "is_active": True}).is_error


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"signature": None}, 400),
        ({"signature": "sig1x"}, 400),
        ({"endpoints": [{"url": "http://127.0.0.1:8/submit", "weight": 1}]}, 400),
        ({"timestamp": 1}, 400),
        ({"agent_identifier": "agent://agent1nobody"}, 400),
        ({"protocols": "x"}, 422),
        ({"endpoints": None}, 422),
    ],
)
def test_a_registration_that_was_changed_is_refused(
    stranger: Somebody, changes: Json, status: int
) -> None:
    body = attest(stranger.identity, **changes)
    assert stranger.client.post("/v1/almanac/agents", json=body).status_code == status
    batch = {"attestations": [attest(Identity.generate()), body]}
    assert stranger.client.post("/v1/almanac/agents/batch", json=batch).status_code == status
    assert stranger.client.get(f"/v1/almanac/agents/{stranger.address}").status_code == 404


def test_a_manifest_has_the_digest_that_it_names(stranger: Somebody) -> None:
    manifest = chat_protocol_spec.manifest()
    for body, status in ((manifest, 200), ({**manifest, "interactions": []}, 400), ({}, 422)):
        posted = stranger.client.post("/v1/almanac/manifests", json=body)
        assert posted.status_code == status


def test_an_identity_is_proven_once_for_each_challenge(stranger: Somebody) -> None:
    assert stranger.register().status_code == 406
    assert stranger.prove(challenge="another").status_code == 400
    signed_otherwise = Identity.generate().sign(b"x")
    assert stranger.prove(challenge_response=signed_otherwise).status_code == 400
    assert stranger.prove(challenge_response="x").status_code == 400
    proven = stranger.prove()
    assert proven.json() == {"address": stranger.address}
    again = json.loads(proven.request.content)
    assert stranger.client.post("/v2/identity", headers=stranger.key, json=again).is_error
    assert stranger.register().status_code == 200


def test_the_account_has_one_key(stranger: Somebody) -> None:
    wrong = {"authorization": "Bearer wrong"}
    for headers in ({}, wrong, stranger.token()):
        path = f"/v2/identity/{stranger.address}/challenge"
        assert stranger.client.get(path, headers=headers).status_code == 401
    assert stranger.register(headers=wrong).status_code == 401
    # An agent may register itself, and nobody else.
    assert stranger.register(headers=stranger.token()).status_code == 200
    other = Identity.generate().address
    assert stranger.register(headers=stranger.token(), address=other).status_code == 401


def test_a_handle_leads_to_its_owner_only(somebody: Somebody, stranger: Somebody) -> None:
    assert somebody.register(handle="mine").status_code == 200
    taken = stranger.register(headers=stranger.token(), handle="mine")
    assert taken.status_code == 409
    found = somebody.client.get("/v1/almanac/handles/mine").json()
    assert found == {"agent_address": somebody.address}
    resolved = somebody.client.get("/v2/almanac/resolve/@mine").json()
    assert (resolved["address"], resolved["type"]) == (somebody.address, "mailbox")
    assert somebody.client.get("/v1/almanac/handles/other").status_code == 404


def test_mail_is_listed_in_pages_and_deleted(somebody: Somebody) -> None:
    path = f"/v2/agents/{somebody.address}/mailbox"
    for number in range(3):
        envelope = somebody.seal(somebody.address, str(number))
        posted = somebody.client.post("/v2/agents/mailbox/submit", json=envelope)
        assert posted.status_code == 200
    token = somebody.token()
    whole = somebody.client.get(path, headers=token).json()
    pages = [
        somebody.client.get(path, headers=token, params={"limit": 2, "offset": offset}).json()
        for offset in (0, 2, 4)
    ]
    assert [*pages[0], *pages[1]] == whole
    assert [len(page) for page in pages] == [2, 1, 0]
    assert somebody.client.get(path, headers=somebody.key).json() == whole  # the account may too
    for limit in (0, 101, "x"):
        refused = somebody.client.get(path, headers=token, params={"limit": limit})
        assert refused.status_code == 422
    first = f"{path}/{whole[0]['uuid']}"
    assert somebody.client.delete(first, headers=token).status_code == 200
    assert somebody.client.delete(first, headers=token).status_code == 404
    assert somebody.server.mail(somebody.address) == whole[1:]


def test_a_mailbox_is_its_owners(somebody: Somebody, stranger: Somebody) -> None:
    path = f"/v2/agents/{somebody.address}/mailbox"
    good = somebody.token()["authorization"]
    wrong = (
        *(stranger.token()["authorization"], "Bearer wrong", "", "Agent", "Agent a:b:c"),
        *(good[:-1] + "q", good.replace("attr", "atts"), good.replace("Agent", "Bearer")),
        *(somebody.token(start=-500)["authorization"], somebody.token(start=500)["authorization"]),
    )
    for authorization in wrong:
        refused = stranger.client.get(path, headers={"authorization": authorization})
        assert refused.status_code == 401, authorization
    assert somebody.client.get(path, headers={"authorization": good}).status_code == 200
    # A stranger has no mailbox, with a right token neither.
    none = f"/v2/agents/{stranger.address}/mailbox"
    assert stranger.client.get(none, headers=stranger.token()).status_code == 404
    letter = stranger.seal(stranger.address)
    assert stranger.client.post("/v2/agents/mailbox/submit", json=letter).status_code == 404


def test_only_signed_mail_is_taken(somebody: Somebody, stranger: Somebody) -> None:
    forged = stranger.seal(somebody.address, sender=somebody.address)
    unsigned = stranger.seal(somebody.address, signature=None)
    for envelope, status in ((forged, 400), (unsigned, 400), ({}, 422), ([], 422)):
        posted = stranger.client.post("/v2/agents/mailbox/submit", json=envelope)
        assert posted.status_code == status
    # A user of ASI:One has no key: who reads the mail must look.
    by_user = stranger.seal(somebody.address, sender="user1qqqq", signature=None)
    assert stranger.client.post("/v2/agents/mailbox/submit", json=by_user).status_code == 200
    assert len(somebody.server.mail(somebody.address)) == 1


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


def test_a_reply_can_be_queued_for_a_path(somebody: Somebody) -> None:
    path = f"/v2/agents/{somebody.address}/mailbox"
    server = somebody.server
    server.enqueue(fault("http_429", retry_after=3), raw(b"{}", status=503), to="GET */mailbox*")
    server.enqueue(raw(b"tea"), to="*/v1/almanac/*")
    statuses = [somebody.client.get(path, headers=somebody.token()).status_code for _ in range(3)]
    assert statuses == [429, 503, 200]
    assert somebody.client.get(f"/v1/almanac/agents/{somebody.address}").content == b"tea"
    assert somebody.client.get(f"/v1/almanac/agents/{somebody.address}").status_code == 200


def test_its_clock_can_be_wrong(somebody: Somebody) -> None:
    path = f"/v2/agents/{somebody.address}/mailbox"
    somebody.server.clock_skew = 3600
    try:
        refused = somebody.client.get(path, headers=somebody.token())
    finally:
        somebody.server.clock_skew = 0
    assert refused.status_code == 401
    shown = time.strptime(refused.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
    assert shown > time.gmtime(time.time() + 3000)
    assert somebody.client.get(path, headers=somebody.token()).status_code == 200


def test_what_was_received_is_kept_without_secrets(somebody: Somebody) -> None:
    somebody.client.get(f"/v2/agents/{somebody.address}", headers=somebody.token())
    kept = somebody.server.requests
    assert [one.authorized for one in kept] == [True] * 4
    assert {one.headers["authorization"] for one in kept} == {"Bearer ***", "***"}
    assert somebody.server.api_key not in str(kept)


def test_loopback_names_only_are_served(stranger: Somebody) -> None:
    refused = stranger.client.get("/v1/almanac/handles/x", headers={"host": "evil.example"})
    assert refused.status_code == 421
    assert stranger.server.requests == []


def test_what_it_takes_has_bounds(
    somebody: Somebody, stranger: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send() -> int:
        letter = somebody.seal(somebody.address, "x" * 1000)
        return somebody.client.post("/v2/agents/mailbox/submit", json=letter).status_code

    assert send() == 200
    with monkeypatch.context() as limited:
        limited.setattr(mailboxes, "_MOST_BYTES", 3000)
        assert send() == 429
    with monkeypatch.context() as limited:
        limited.setattr(mailboxes, "MOST_MAIL", 1)
        assert send() == 429
    with monkeypatch.context() as limited:
        limited.setattr(almanac, "_MOST_AGENTS", 1)
        posted = stranger.client.post("/v1/almanac/agents", json=attest(stranger.identity))
        assert posted.status_code == 429
    with monkeypatch.context() as limited:
        limited.setattr(_reception, "LONGEST_BODY", 1000)
        assert send() == 413
    endpoints = [{"url": "http://127.0.0.1:9/", "weight": 1}] * 11
    assert somebody.register(endpoints=endpoints).status_code == 422
    assert send() == 200


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
