"""Faults that the stand-in can simulate: functions with ``@register_fault`` in these files."""

from langchain_asi_one.testing._faults import broken_responses, http_errors
from langchain_asi_one.testing._faults.registry import bind_fault, faults

__all__ = ["bind_fault", "broken_responses", "faults", "http_errors"]
