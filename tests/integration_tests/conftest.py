"""Fixtures of the integration tests: a real PostgreSQL, started when a test first asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.integration_tests.postgres import running_postgres


@pytest.fixture(scope="session")
def _postgres() -> Iterator[str]:
    with running_postgres() as address:
        yield address


@pytest.fixture
def postgres_database(_postgres: str) -> str:
    """Address of an empty database of a PostgreSQL that this test run has started."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(_postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return _postgres.replace("/postgres?", f"/{name}?")
