/** Starts the console. */
import { CSPProvider } from "@base-ui/react/csp-provider";
import { Tooltip } from "@base-ui/react/tooltip";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startPreferences } from "./app/preferences.ts";
import { queryClient } from "./app/query-client.ts";
import { router } from "./app/router.ts";
import { ToastProvider } from "./components/toast.tsx";
import "./styles/app.css";

startPreferences();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has a place for the console");

createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <Tooltip.Provider delay={400}>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </Tooltip.Provider>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
