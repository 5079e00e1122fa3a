"""From LangChain's input to the body and session of a request: no I/O."""
