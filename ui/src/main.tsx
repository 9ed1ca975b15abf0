/** Starts the page: finds its way to the core and shows the window. */
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BackendContext, newQueryClient } from "./api/client";
import type { Backend } from "./backend/backend";
import { bridgeBackend } from "./backend/bridge";
import { isTauri, tauriBackend } from "./backend/tauri";
import { CommandsProvider } from "./commands/active";
import { Frame } from "./screens/frame/frame";
import { NoticeProvider } from "./screens/frame/notice";
import { currentTheme, showTheme } from "./screens/frame/theme";
import "./styles/base.css";

function findBackend(): Backend | null {
  if (isTauri()) return tauriBackend();
  return window.conclaveRpc === undefined ? null : bridgeBackend(window.conclaveRpc);
}

showTheme(currentTheme());
const root = document.getElementById("root");
const backend = findBackend();
if (root !== null) {
  createRoot(root).render(
    backend === null ? (
      <p>This page is part of the Conclave window and does nothing outside it.</p>
    ) : (
      <StrictMode>
        <BackendContext value={backend}>
          <QueryClientProvider client={newQueryClient()}>
            <CommandsProvider>
              <NoticeProvider>
                <Frame />
              </NoticeProvider>
            </CommandsProvider>
          </QueryClientProvider>
        </BackendContext>
      </StrictMode>
    ),
  );
}
