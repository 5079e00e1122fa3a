"""Response fields of ASI:One's own that a message keeps.

A new field is one name here.
"""

LIST_FIELDS = ("intermediate_steps", "executable_data")
"""Those that are lists."""
VALUE_FIELDS = ("plan_state",)
"""Those of which the last value counts."""
OWN_FIELDS = (*LIST_FIELDS, *VALUE_FIELDS)
"""All but the thought; each has blocks of its name, and a place in cards and in `--json`."""
