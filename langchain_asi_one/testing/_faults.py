"""All faults of the stand-in: importing the modules that define them registers them."""

from langchain_asi_one.testing import _broken_answers, _refusals
from langchain_asi_one.testing._fault_names import FAULTS, named_fault, options_from_text

__all__ = ["FAULTS", "named_fault", "options_from_text"]

_DEFINED_IN = (_refusals, _broken_answers)
