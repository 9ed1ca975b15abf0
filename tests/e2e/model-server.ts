/** A server of models on loopback, for tests: it speaks as Ollama and as OpenAI do, or fails as it is told to. */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Mood = "well" | "failing";

/** One entry of Ollama's list. */
function listed(name: string): object {
  return { name, model: name, size: 1, details: { family: "qwen2", quantization_level: "Q4_K_M" } };
}

/** One piece of an answer as it is streamed. */
function said(text: string): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
}

/** Ends an answer that is streamed. */
function end(response: ServerResponse): void {
  response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`);
  response.end("data: [DONE]\n\n");
}

/** A question as it came: to which model, and its whole body. */
export type Question = { model: string; body: string };

export class ModelServer {
  /** What it does from now on. */
  mood: Mood = "well";
  /** Paths that it was asked for. */
  readonly asked: string[] = [];
  /** What every question is answered with at once; while it is undefined, answers begin and go on by `say`. */
  answer: string | undefined = "{}";
  /** What a question is answered with at once, in place of `answer`, where this gives anything. */
  answerTo: (question: Question) => string | undefined = () => undefined;
  /** Answers to questions that have begun and are not at their end. */
  readonly #speaking: ServerResponse[] = [];
  readonly #server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (piece: string) => (body += piece));
    request.on("end", () => this.#answer(request, body, response));
  });

  /** Listens at a free port; `origin` is where. */
  static async start(): Promise<ModelServer> {
    const server = new ModelServer();
    await new Promise<void>((listening) => server.#server.listen(0, "127.0.0.1", listening));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  /** How many answers have begun and are not at their end. */
  get speaking(): number {
    return this.#speaking.length;
  }

  /** Says `text` in every answer that has begun. */
  say(text: string): void {
    for (const response of this.#speaking) response.write(said(text));
  }

  /** Says `text` in every answer that has begun, and ends it. */
  finish(text: string): void {
    this.say(text);
    for (const response of this.#speaking.splice(0)) end(response);
  }

  #answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const path = request.url ?? "";
    this.asked.push(path);
    const say = (status: number, reply: object) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(reply));
    };
    if (this.mood === "failing") return say(500, { error: { message: "the weights are gone" } });
    switch (path) {
      case "/api/version":
        return say(200, { version: "0.12.3" });
      case "/api/tags":
        return say(200, { models: [listed("small:1b"), listed("large:14b")] });
      case "/api/show":
        return say(200, {
          details: { family: "qwen2", quantization_level: "Q4_K_M" },
          capabilities: ["completion"],
          model_info: { "general.architecture": "qwen2", "qwen2.context_length": 32768 },
        });
      case "/v1/chat/completions": {
        const answer = this.answerTo({ model: JSON.parse(body).model, body }) ?? this.answer;
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.flushHeaders();
        if (answer === undefined) {
          this.#speaking.push(response);
          return;
        }
        response.write(said(answer));
        end(response);
        return;
      }
      case "/v1/models":
        return say(200, { object: "list", data: [{ id: "small:1b" }, { id: "large:14b" }] });
    }
    return say(404, { error: "not found" });
  }
}
