/** Copies a text, and says that it did. */
import { Check, Copy } from "lucide-react";
import { type ReactElement, useEffect, useState } from "react";
import { Button, type ButtonLook } from "./button.tsx";
import { tellFailure } from "./toast.tsx";

/** How long it says so, ms. */
const saidMs = 1500;

export type CopyButtonProps = Readonly<{
  text: string | (() => string | Promise<string>);
  /** What is copied, such as `run id`. */
  what: string;
  /** Shown beside the picture. */
  name?: string;
  look?: ButtonLook;
}>;

export function CopyButton({ text, what, name, look = "quiet" }: CopyButtonProps): ReactElement {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), saidMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
      setCopied(true);
    } catch (error) {
      tellFailure(`The ${what} could not be copied`, error);
    }
  };
  return (
    <Button
      look={look}
      className={name === undefined ? "px-1.5" : ""}
      aria-label={name === undefined ? `Copy ${what}` : undefined}
      onClick={() => void copy()}
    >
      {isCopied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
      {name}
      <span role="status" className="sr-only">
        {isCopied ? `Copied ${what}` : ""}
      </span>
    </Button>
  );
}
