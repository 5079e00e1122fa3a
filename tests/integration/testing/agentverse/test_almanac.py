"""Registrations at the local Almanac, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from uagents_core.contrib.protocols.chat import chat_protocol_spec
from uagents_core.registration import AgentStatusUpdate

if TYPE_CHECKING:
    from tests.integration.testing.agentverse.conftest import Somebody

Json = dict[str, Any]


def test_a_registration_by_signature_alone(stranger: Somebody) -> None:
    path = f"/v1/almanac/agents/{stranger.address}"
    assert stranger.client.get(path).status_code == 404
    posted = stranger.client.post("/v1/almanac/agents", json=stranger.attest())
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
    somebody: Somebody, stranger: Somebody, changes: Json, status: int
) -> None:
    body = stranger.attest(**changes)
    assert stranger.client.post("/v1/almanac/agents", json=body).status_code == status
    batch = {"attestations": [somebody.attest(), body]}
    assert stranger.client.post("/v1/almanac/agents/batch", json=batch).status_code == status
    assert stranger.client.get(f"/v1/almanac/agents/{stranger.address}").status_code == 404


def test_a_manifest_has_the_digest_that_it_names(stranger: Somebody) -> None:
    manifest = chat_protocol_spec.manifest()
    for body, status in ((manifest, 200), ({**manifest, "interactions": []}, 400), ({}, 422)):
        posted = stranger.client.post("/v1/almanac/manifests", json=body)
        assert posted.status_code == status
