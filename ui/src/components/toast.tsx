/** What has just been done, or could not be: a word that goes away, said to those who do not see it. */
import { Toast as Base } from "@base-ui/react/toast";
import { X } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { toProblem } from "../client/problem.ts";
import { buttonClass } from "./button.tsx";

const manager = Base.createToastManager();

/** Failures stay until they are put away, ms; the rest goes by itself. */
const shownMs = 6000;

/** Says that something is done. */
export function tellDone(title: string, description?: string): void {
  manager.add({ title, timeout: shownMs, ...(description !== undefined && { description }) });
}

/** Says that something could not be done, and what to do. */
export function tellFailure(title: string, error: unknown): void {
  const { message, hint } = toProblem(error);
  const description = hint === undefined ? message : `${message} ${hint}`;
  manager.add({ title, description, timeout: 0, type: "failed", priority: "high" });
}

export function ToastProvider({ children }: Readonly<{ children: ReactNode }>): ReactElement {
  return (
    <Base.Provider toastManager={manager}>
      {children}
      <Base.Portal>
        <Base.Viewport className="fixed right-4 bottom-4 z-60 flex w-80 max-w-[calc(100vw-32px)] flex-col gap-2">
          <ToastList />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}

function ToastList(): ReactNode {
  const { toasts } = Base.useToastManager();
  return toasts.map((toast) => (
    <Base.Root key={toast.id} toast={toast} className="card flex items-start gap-2 p-3 shadow-lg">
      <span aria-hidden="true" className={toast.type === "failed" ? "text-failed" : "text-succeeded"}>
        {toast.type === "failed" ? "✕" : "✓"}
      </span>
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <Base.Title className="font-semibold" />
        <Base.Description className="text-muted" />
      </div>
      <Base.Close aria-label="Put away" className={buttonClass("quiet", "px-1.5")}>
        <X aria-hidden="true" />
      </Base.Close>
    </Base.Root>
  ));
}
