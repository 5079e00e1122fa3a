"""Faults that the stand-in can simulate: functions with ``@register_fault`` in these files."""

from langchain_asi_one.testing._fault_registry import bind_fault, list_faults
from langchain_asi_one.testing._faults import broken_responses, http_errors

__all__ = ["bind_fault", "broken_responses", "http_errors", "list_faults"]
