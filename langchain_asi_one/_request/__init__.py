"""From LangChain's input to a request's body and session: no I/O."""
