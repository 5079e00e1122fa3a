"""All faults of the stand-in: importing the modules that define them registers them."""

from langchain_asi_one.testing._faults import broken_responses, http_errors
from langchain_asi_one.testing._faults.registry import FAULTS, named_fault, options_from_text

__all__ = ["FAULTS", "named_fault", "options_from_text"]

_DEFINED_IN = (http_errors, broken_responses)
