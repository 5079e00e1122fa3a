"""Whether an answer is still to come, and what to ask next: no I/O."""
