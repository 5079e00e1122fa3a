"""Proofs of an identity, and whose a handle and an account are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from uagents_core.identity import Identity

if TYPE_CHECKING:
    from tests.integration.testing.agentverse.conftest import Somebody

Json = dict[str, Any]


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
