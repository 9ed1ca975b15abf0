/**
 * The way to the core when a test drives the page in a browser: the test hands every call to `conclave rpc`.
 *
 * The envelope is that of the `rpc` bridge: `{id, cmd, payload}` answered by `{id, ok}` or `{id, error}`.
 */
import { type Backend, type Drop, toApiError } from "./backend";
import type { Event } from "./generated";

declare global {
  interface Window {
    /** Takes a request as JSON and answers with a reply as JSON. */
    conclaveRpc?: (request: string) => Promise<string>;
    /** Called by the test with an event as JSON. */
    conclaveEvent?: (event: string) => void;
    /** Called by the test as if files were dragged onto the window. */
    conclaveDrop?: (drop: Drop) => void;
  }
}

export function bridgeBackend(rpc: (request: string) => Promise<string>): Backend {
  let lastId = 0;
  const listeners = new Set<(event: Event) => void>();
  window.conclaveEvent = (event) => {
    for (const listener of listeners) listener(JSON.parse(event));
  };
  return {
    async call(cmd, payload) {
      lastId += 1;
      const reply = JSON.parse(await rpc(JSON.stringify({ id: lastId, cmd, payload })));
      if ("error" in reply) throw toApiError(reply.error);
      return reply.ok;
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    onFilesDropped(listener) {
      window.conclaveDrop = listener;
      return () => delete window.conclaveDrop;
    },
  };
}
