"""Response fields of ASI:One's own that a message keeps.

A new field is one name here.
"""

LIST_FIELDS = ("intermediate_steps", "executable_data")
"""Those that are lists."""
OWN_FIELDS = (*LIST_FIELDS, "plan_state")
"""All but the thought; each has blocks of its name."""
