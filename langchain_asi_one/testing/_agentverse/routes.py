"""The paths of Agentverse, and what each does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import compile_path
from uagents_core.envelope import Envelope
from uagents_core.identity import parse_identifier
from uagents_core.protocol import ProtocolSpecification
from uagents_core.registration import (
    AgentRegistrationAttestation,
    AgentRegistrationAttestationBatch,
    AgentStatusUpdate,
    IdentityProof,
    RegistrationRequest,
)

from langchain_asi_one.testing._agentverse.almanac import MAILBOX_PATH, PROXY_PATH
from langchain_asi_one.testing._agentverse.proofs import (
    RefusedError,
    check_challenge,
    check_envelope,
    check_signature,
)

if TYPE_CHECKING:
    import re

    from langchain_asi_one.testing._agentverse.state import State

SUBMIT_PATH = "/submit"
"""Of the server's own agents, as in uAgents."""

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True)
class Incoming:
    """A request to one of the paths.

    Args:
        raw: The body.
        params: The parts of the path that vary.
        query: The query of the URL.
        has_key: Whether it carries the account's key.
        agent: The address that its token proves, ``None`` without a token.
    """

    raw: bytes
    params: Mapping[str, str]
    query: Mapping[str, str]
    has_key: bool
    agent: str | None

    def read(self, model: type[_M]) -> _M:
        """Return the body as a model.

        Raises:
            ValidationError: It does not fit.
        """
        return model.model_validate_json(self.raw)

    def check_key(self) -> None:
        """Check that the account is asking.

        Raises:
            RefusedError: It is not.
        """
        if not self.has_key:
            raise RefusedError(401, "Invalid or missing API key")

    def check_owner(self, address: str) -> None:
        """Check that the account or the agent itself is asking.

        Raises:
            RefusedError: Neither is.
        """
        if not self.has_key and self.agent != address:
            raise RefusedError(401, "Invalid or expired token")


class _Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    protocol_digest: list[str] = []
    agent_type: list[str] = []


class _Search(BaseModel):
    model_config = ConfigDict(extra="forbid")

    search_text: str = ""
    filters: _Filters = _Filters()
    limit: int = Field(30, ge=1, le=50)
    offset: int = Field(0, ge=0)
    sort: Literal["relevancy"] = "relevancy"
    direction: Literal["asc", "desc"] = "desc"
    exact_match: Literal[False] = False
    semantic_search: bool = False
    search_id: str | None = None
    source: str | None = None


class _Page(BaseModel):
    limit: int = Field(100, ge=1, le=100)
    offset: int = Field(0, ge=0)


class _Manifest(BaseModel):
    version: str
    metadata: dict[str, str]
    models: list[dict[str, Any]]
    interactions: list[dict[str, Any]]


def _resolve(state: State, incoming: Incoming) -> Any:
    record = state.almanac.resolve(incoming.params["identifier"])
    if record is None:
        raise RefusedError(404, "Agent not found")
    return record


def _find_handle(state: State, incoming: Incoming) -> Any:
    address = state.almanac.find_address(incoming.params["handle"])
    if address is None:
        raise RefusedError(404, "Handle not found")
    return {"agent_address": address}


def _record(state: State, incoming: Incoming) -> Any:
    _record_attested(state, incoming.read(AgentRegistrationAttestation))
    return {}


def _record_batch(state: State, incoming: Incoming) -> Any:
    for attestation in incoming.read(AgentRegistrationAttestationBatch).attestations:
        _record_attested(state, attestation)
    return {}


def _record_attested(state: State, attestation: AgentRegistrationAttestation) -> None:
    check_signature(attestation)
    _, _, address = parse_identifier(attestation.agent_identifier)
    state.almanac.record(
        address, attestation.endpoints, attestation.protocols, attestation.metadata, state.now()
    )


def _set_status(state: State, incoming: Incoming) -> Any:
    update = incoming.read(AgentStatusUpdate)
    check_signature(update)
    _, _, address = parse_identifier(update.agent_identifier)
    if address != incoming.params["address"]:
        raise RefusedError(400, "The path names another agent")
    state.almanac.set_status(address, is_active=update.is_active)
    return {}


def _publish_manifest(_: State, incoming: Incoming) -> Any:
    manifest = incoming.read(_Manifest)
    try:
        digest = ProtocolSpecification.compute_digest(manifest.model_dump())
    except (KeyError, TypeError):
        raise RefusedError(422, "A model or an interaction has no digest") from None
    if digest != manifest.metadata.get("digest"):
        raise RefusedError(400, "The digest is not that of the manifest")
    return {}


def _give_challenge(state: State, incoming: Incoming) -> Any:
    incoming.check_key()
    return {"challenge": state.give_challenge(incoming.params["address"])}


def _prove_identity(state: State, incoming: Incoming) -> Any:
    incoming.check_key()
    proof = incoming.read(IdentityProof)
    if state.take_challenge(proof.address) != proof.challenge:
        raise RefusedError(400, "This challenge was not given to this address")
    check_challenge(proof.address, proof.challenge, proof.challenge_response)
    state.own(proof.address)
    return {"address": proof.address}


def _register(state: State, incoming: Incoming) -> Any:
    request = incoming.read(RegistrationRequest)
    incoming.check_owner(request.address)
    if incoming.agent != request.address and not state.owns(request.address):
        raise RefusedError(406, "The account has not proven that this address is its own")
    state.register(request)
    return {"success": True}


def _show_agent(state: State, incoming: Incoming) -> Any:
    address = incoming.params["address"]
    incoming.check_owner(address)
    profile = state.almanac.find_profile(address)
    if profile is None:
        raise RefusedError(404, "Agent not found")
    return profile.model_dump(mode="json")


def _remove_agent(state: State, incoming: Incoming) -> Any:
    address = incoming.params["address"]
    incoming.check_owner(address)
    if state.almanac.find_profile(address) is None:
        raise RefusedError(404, "Agent not found")
    state.almanac.forget(address)
    state.mailboxes.close(address)
    return {"success": True}


def _put_mail(state: State, incoming: Incoming) -> Any:
    envelope = incoming.read(Envelope)
    check_envelope(envelope)
    state.mailboxes.put(envelope, state.now())
    return {}


def _list_mail(state: State, incoming: Incoming) -> Any:
    address = incoming.params["address"]
    incoming.check_owner(address)
    page = _Page.model_validate(incoming.query)
    return state.mailboxes.list(address, page.limit, page.offset)


def _delete_mail(state: State, incoming: Incoming) -> Any:
    address = incoming.params["address"]
    incoming.check_owner(address)
    state.mailboxes.delete(address, incoming.params["uuid"])
    return {}


def _forward(state: State, incoming: Incoming) -> Any:
    envelope = incoming.read(Envelope)
    check_envelope(envelope)
    profile = state.almanac.find_profile(envelope.target)
    if profile is None or not profile.url:
        raise RefusedError(404, "Agent not found")
    state.post(envelope, [profile.url])
    return {}


def _search(state: State, incoming: Incoming) -> Any:
    query = incoming.read(_Search)
    found = state.almanac.search(
        query.search_text, protocols=query.filters.protocol_digest, types=query.filters.agent_type
    )
    shown = found[query.offset : query.offset + query.limit]
    return {
        "agents": shown,
        "offset": query.offset,
        "limit": query.limit,
        "num_hits": len(shown),
        "total": len(found),
        "search_id": query.search_id or str(uuid4()),
    }


def _ask_agent(state: State, incoming: Incoming) -> Any:
    envelope = incoming.read(Envelope)
    check_envelope(envelope)
    if not state.ask(envelope):
        raise RefusedError(400, "unable to route envelope")
    return {}


_Handler = Callable[["State", Incoming], Any]
_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "/v1/almanac/agents/{identifier:path}", _resolve),
    ("GET", "/v2/almanac/resolve/{identifier:path}", _resolve),
    ("GET", "/v1/almanac/handles/{handle}", _find_handle),
    ("POST", "/v1/almanac/agents", _record),
    ("POST", "/v1/almanac/agents/batch", _record_batch),
    ("POST", "/v1/almanac/agents/{address}/status", _set_status),
    ("POST", "/v1/almanac/manifests", _publish_manifest),
    ("GET", "/v2/identity/{address}/challenge", _give_challenge),
    ("POST", "/v2/identity", _prove_identity),
    ("POST", "/v2/agents", _register),
    ("POST", MAILBOX_PATH, _put_mail),
    ("POST", PROXY_PATH, _forward),
    ("GET", "/v2/agents/{address}", _show_agent),
    ("DELETE", "/v2/agents/{address}", _remove_agent),
    ("GET", "/v2/agents/{address}/mailbox", _list_mail),
    ("DELETE", "/v2/agents/{address}/mailbox/{uuid}", _delete_mail),
    ("POST", "/v1/search/agents", _search),
    ("POST", SUBMIT_PATH, _ask_agent),
)
_PATTERNS: tuple[tuple[str, re.Pattern[str], _Handler], ...] = tuple(
    (method, compile_path(path)[0], handler) for method, path, handler in _ROUTES
)


def find_route(method: str, path: str) -> tuple[_Handler, dict[str, str]]:
    """Find what answers a request, and the varying parts of its path.

    Raises:
        RefusedError: There is no such path, or it has another method.
    """
    matches = [(m, h, found) for m, p, h in _PATTERNS if (found := p.fullmatch(path))]
    for known, handler, found in matches:
        if known == method:
            return handler, found.groupdict()
    if matches:
        raise RefusedError(405, f"Method {method} is not allowed")
    raise RefusedError(404, f"Not found: this local Agentverse has no {path}")
