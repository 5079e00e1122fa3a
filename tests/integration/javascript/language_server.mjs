// Asks Pyright's language server, as an editor does: language_server.mjs FILE CALL.
// Prints what it finds in the file. Then it types the call below it, and prints what is completed
// before its last character and shown over its first argument's name.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [file, call] = process.argv.slice(2);
const program = createRequire(import.meta.url).resolve("pyright/langserver.index.js");
const server = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const text = readFileSync(file, "utf8");
const document = { uri: pathToFileURL(file).href };
const position = (character) => ({ line: text.split("\n").length - 1, character });

let publish;
const published = new Promise((resolve) => (publish = resolve));
const waiting = new Map();
let received = Buffer.alloc(0);

function send(message) {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
  server.stdin.write(body);
}

function request(method, params) {
  const id = waiting.size + 1;
  send({ id, method, params });
  return new Promise((resolve) => waiting.set(id, resolve));
}

server.stdout.on("data", (data) => {
  received = Buffer.concat([received, data]);
  for (;;) {
    const end = received.indexOf("\r\n\r\n");
    const length = Number(/Content-Length: (\d+)/.exec(received.subarray(0, end))?.[1]);
    if (end < 0 || received.length < end + 4 + length) return;
    const message = JSON.parse(received.subarray(end + 4, end + 4 + length));
    received = received.subarray(end + 4 + length);
    if (message.method === undefined) waiting.get(message.id)(message.result ?? message.error);
    else if (message.id !== undefined) send({ id: message.id, result: null });
    else if (message.method === "textDocument/publishDiagnostics") publish(message.params);
  }
});

const folder = pathToFileURL(dirname(file)).href;
const markdown = { contentFormat: ["markdown"] };
await request("initialize", {
  processId: process.pid,
  capabilities: { textDocument: { hover: markdown } },
  workspaceFolders: [{ uri: folder, name: "program" }],
});
send({ method: "initialized", params: {} });
send({
  method: "textDocument/didOpen",
  params: { textDocument: { ...document, languageId: "python", version: 1, text } },
});
const { diagnostics } = await published;
send({
  method: "textDocument/didChange",
  params: { textDocument: { ...document, version: 2 }, contentChanges: [{ text: text + call }] },
});
const completed = await request("textDocument/completion", {
  textDocument: document,
  position: position(call.length - 1),
});
const shown = await request("textDocument/hover", {
  textDocument: document,
  position: position(call.indexOf("(") + 1),
});
const found = diagnostics.map((one) => [one.range.start.line + 1, one.message]);
const names = completed.items.map((item) => item.label).filter((label) => label.endsWith("="));
console.log(JSON.stringify({ found, names, shown: shown.contents.value }));
server.kill();
