"""Options of a Python process in which warnings are errors, as they are in the tests."""

from typing import Final

STRICT: Final = (
    *("-W", "error"),
    # Python 3.14 deprecates what langsmith calls as it is imported.
    *("-W", "ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning"),
)
