"""Mail of the local Agentverse: pages, owners, signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.testing.agentverse.conftest import Somebody

Json = dict[str, Any]


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
        *(
            good[:-1] + ("p" if good.endswith("q") else "q"),
            good.replace("attr", "atts"),
            good.replace("Agent", "Bearer"),
        ),
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
