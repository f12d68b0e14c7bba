/** `leat/testing`: fakes of every port, and the contracts that adapters keep. */
export { type DispatcherUnderTest, dispatcherContract } from "./dispatcher-contract.ts";
export { createFakeClock, type FakeClock } from "./fake-clock.ts";
export { ledgerContract } from "./ledger-contract.ts";
export type { LedgerUnderTest } from "./ledger-under-test.ts";
export {
  createMemoryStore,
  type Interpose,
  type MemoryObjects,
  type MemoryStoreOptions,
  memoryPathPrefix,
  type StoreOperation,
} from "./memory-store.ts";
export {
  createMemoryWarehouse,
  type InterposeWarehouse,
  type MemoryRow,
  type MemoryTables,
  type MemoryWarehouse,
  type MemoryWarehouseOptions,
  newMemoryTables,
  type WarehouseOperation,
} from "./memory-warehouse.ts";
export { type DefineTest, objectStoreContract, type StoreUnderTest } from "./object-store-contract.ts";
export { createScriptedPartner, type PartnerRecord, type ScriptedPartner } from "./scripted-partner.ts";
export {
  openScriptedReader,
  type PartnerApi,
  type ReaderGate,
  type ScriptedReaderOptions,
} from "./scripted-reader.ts";
export { createSeededRandom, type SeededRandom } from "./seeded-random.ts";
export { createStoreFaults, isStoreWrite, type StoreFaultRates, storeFault } from "./store-faults.ts";
export { type QueueUnderTest, taskQueueContract } from "./task-queue-contract.ts";
export { warehouseContract } from "./warehouse-contract.ts";
export { makeStreamSpec, type WarehouseUnderTest } from "./warehouse-under-test.ts";
