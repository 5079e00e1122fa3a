"""From the JSON objects of an answer to LangChain messages: no I/O."""
