// Runs a thread of the example graph on a LangGraph server with LangChain's JavaScript SDK: asks,
// pauses at the review, approves, reads the state. Prints what it was given as one JSON object.
//
// node langgraph_server.mjs URL THREAD_ID QUESTION
import { Client } from "@langchain/langgraph-sdk";

const [apiUrl, threadId, question] = process.argv.slice(2);
const client = new Client({ apiUrl, apiKey: null });

await client.threads.create({ threadId });
const paused = await client.runs.wait(threadId, "asi_one", {
  input: { messages: [{ type: "human", content: question, id: "question" }] },
});
const [interrupt] = paused.__interrupt__;
const before = await client.threads.getState(threadId);

const decisions = interrupt.value.action_requests.map(() => ({ type: "approve" }));
const finished = await client.runs.wait(threadId, "asi_one", {
  command: { resume: { [interrupt.id]: { decisions } } },
});
const after = await client.threads.getState(threadId);

console.log(JSON.stringify({ interrupt, next: before.next, finished, values: after.values }));
