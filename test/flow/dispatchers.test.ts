/** Both dispatchers keep the same contract, over both ledgers. */
import { test } from "vitest";
import { type DispatcherUnderTest, dispatcherContract } from "../../src/testing/dispatcher-contract.ts";
import { openDispatcher, openLedger, type StandPlace } from "./flow-stand.ts";
import { describePlaces } from "./stand-places.ts";

async function open(place: StandPlace): Promise<DispatcherUnderTest> {
  const ledger = await openLedger(place);
  const opened = [await openDispatcher(place, ledger)];
  return {
    ledger,
    dispatcher: opened[0]!,
    async reopen() {
      const again = await openDispatcher(place, ledger);
      opened.push(again);
      return again;
    },
    async dispose() {
      for (const dispatcher of opened) await dispatcher.close();
      await ledger.close();
    },
  };
}

describePlaces((newPlace) => {
  dispatcherContract(test, async () => open(await newPlace()));
});
