"""Fixtures of the integration tests: a stand-in of one's own, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from langchain_asi_one.testing import LocalASIOne, local_asi_one
from tests.support.patience import FOREVER
from tests.support.postgres import running_postgres


@pytest.fixture
def quiet_server() -> Iterator[LocalASIOne]:
    """A stand-in of the test's own, to count connections: it closes none that is idle."""
    with local_asi_one() as server:
        server._server.config.timeout_keep_alive = FOREVER
        yield server


@pytest.fixture(scope="session")
def _postgres() -> Iterator[str]:
    """PostgreSQL, started when a test first asks for it."""
    with running_postgres() as address:
        yield address


@pytest.fixture
def postgres_database(_postgres: str) -> str:
    """Address of an empty database of a PostgreSQL that this test run has started."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(_postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return _postgres.replace("/postgres?", f"/{name}?")


@pytest.fixture
def place(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """Where the checkpoints of a kind are."""
    if "postgres" in kind:
        return str(request.getfixturevalue("postgres_database"))
    return str(tmp_path / "checkpoints.sqlite")
