"""A client of the official Python SDK that offers its model: calls one tool of `conclave mcp` and says what happened.

Arguments: the revision to speak (`legacy` or one such as `2026-07-28`), then the program and its arguments. Standard
input: a JSON object with `arguments` of the tool, and `says`, what its model says to each question in order: a result of
`sampling/createMessage`, an error with `code`, or nothing at all when `says` is null: then no model is offered.
"""

import asyncio
import json
import sys

import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

mode, program, *words = sys.argv[1:]
task = json.load(sys.stdin)
says, questions = list(task["says"] or []), []


async def sample(_, params):
    questions.append(params.model_dump(mode="json", by_alias=True, exclude_none=True))
    said = says.pop(0)
    if "code" in said:
        return types.ErrorData(**said)
    return types.CreateMessageResult.model_validate(said)


async def main():
    server = stdio_client(StdioServerParameters(command=program, args=words))
    callback = None if task["says"] is None else sample
    async with Client(server, mode=mode, sampling_callback=callback) as client:
        try:
            result = await client.call_tool("evaluate_tool_request", task["arguments"])
            said = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        except MCPError as error:
            said = {"error": str(error)}
        revision = client.protocol_version
    print(json.dumps({"revision": revision, "questions": questions, "result": said}))


asyncio.run(main())
