/** `docs/reference/errors.md`, from the catalogue of codes. */
import { codes } from "../../src/errors/codes.ts";
import { escapeCell, generatedNote } from "./markdown.ts";

/** The page: every code with its meaning, what to do, and whether trying again may help. */
export function writeErrorsPage(): string {
  const rows = Object.entries(codes).map(
    ([code, { meaning, hint, retryable }]) =>
      `| \`${code}\` | ${escapeCell(meaning)} | ${escapeCell(hint)} | ${retryable ? "yes" : "no"} |`,
  );
  return [
    "# Errors",
    "",
    generatedNote("src/errors/codes.ts"),
    "",
    "Whatever the world may do wrong is a `LeatError` with one of these codes. Match on `code`: it is stable, and a retired code is never used again. `message` says what happened to which source, stream and tenant, `hint` what to do next (often more exactly than this table can), `details` holds the same as plain data. None of them holds a secret. *Retry* says whether the same call may succeed later without anybody changing anything.",
    "",
    "| code | meaning | what to do | retry |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
