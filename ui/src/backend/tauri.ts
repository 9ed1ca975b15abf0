/** The way to the core inside the window. The only file that imports Tauri. */
import { Channel, invoke, isTauri } from "@tauri-apps/api/core";
import { getCurrentWebview } from "@tauri-apps/api/webview";
import { type Backend, toApiError } from "./backend";
import type { Event } from "./generated";

export { isTauri };

export function tauriBackend(): Backend {
  return {
    async call(cmd, payload) {
      try {
        return await invoke("rpc", { cmd, payload });
      } catch (error) {
        throw toApiError(error);
      }
    },

    subscribe(listener) {
      let live = true;
      const channel = new Channel<Event>((event) => {
        if (live) listener(event);
      });
      void invoke("subscribe", { channel });
      return () => {
        live = false;
      };
    },

    onFilesDropped(listener) {
      const stop = getCurrentWebview().onDragDropEvent(({ payload }) => {
        if (payload.type === "drop") listener({ kind: "drop", paths: payload.paths });
        else if (payload.type === "enter") listener({ kind: "over" });
        else if (payload.type === "leave") listener({ kind: "leave" });
      });
      return () => void stop.then((unlisten) => unlisten());
    },
  };
}
