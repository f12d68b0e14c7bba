/** `npm test`: types, lint and every test. The last line is `N passed, N failed`; more arguments go to vitest. */
import { printCounts, runCommand, runStaticChecks, runTests } from "./steps.ts";

const staticFailures = await runStaticChecks();
await runCommand("node", ["scripts/install-chromium.ts"]); // It tells loudly when there is none; then tests fail.
const counts = await runTests(process.argv.slice(2));
const failed = counts.failed + staticFailures;
console.log(printCounts({ ...counts, failed }));
process.exitCode = failed === 0 ? 0 : 1;
