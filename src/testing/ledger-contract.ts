/**
 * What every ledger must keep: rules F1 to F15 as far as they are its own, as tests. Knows no test runner: hand it the
 * `test` of vitest, `node:test` or any other that takes a name and a function.
 */
import { ledgerClockContract } from "./ledger-clock-contract.ts";
import { ledgerEndContract } from "./ledger-end-contract.ts";
import { ledgerHistoryContract } from "./ledger-history-contract.ts";
import { ledgerRunContract } from "./ledger-run-contract.ts";
import { ledgerSummaryContract } from "./ledger-summary-contract.ts";
import { ledgerTaskContract } from "./ledger-task-contract.ts";
import { type LedgerUnderTest, ledgerTests } from "./ledger-under-test.ts";
import type { DefineTest } from "./object-store-contract.ts";

/**
 * Defines the contract's tests for one ledger.
 *
 * @param open - opens a new, empty ledger for each test, on a clock that the test moves.
 */
export function ledgerContract(test: DefineTest, open: () => Promise<LedgerUnderTest>): void {
  const check = ledgerTests(test, open);
  ledgerRunContract(check);
  ledgerEndContract(check);
  ledgerTaskContract(check);
  ledgerHistoryContract(check);
  ledgerClockContract(check);
  ledgerSummaryContract(check);
}
