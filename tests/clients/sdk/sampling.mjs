/**
 * A client of the official TypeScript SDK that offers its model: calls one tool of `conclave mcp` and says what happened.
 *
 * Arguments, standard input and output are those of `sampling.py` beside this folder.
 */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import process from "node:process";
import { text } from "node:stream/consumers";

const [mode, command, ...args] = process.argv.slice(2);
const task = JSON.parse(await text(process.stdin));
const says = [...(task.says ?? [])];
const questions = [];

const client = new Client(
  { name: "orchard", version: "1" },
  { capabilities: task.says === null ? {} : { sampling: {} }, versionNegotiation: { mode } },
);
if (task.says !== null) {
  client.setRequestHandler("sampling/createMessage", ({ params }) => {
    questions.push(params);
    const said = says.shift();
    if ("code" in said) throw Object.assign(new Error(said.message), { code: said.code });
    return said;
  });
}
// The program gets what this one was given, the data folder included.
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
const result = await client
  .callTool({ name: "evaluate_tool_request", arguments: task.arguments })
  .catch((error) => ({ error: error.message }));
const revision = client.getNegotiatedProtocolVersion();
await client.close();
process.stdout.write(`${JSON.stringify({ revision, questions, result })}\n`);
