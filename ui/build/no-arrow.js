/** Stands for a package whose functions are not called here: results of queries are read as CSV. */
export const RecordBatchReader = undefined;
export const Table = undefined;
export const Type = {};
export const tableToIPC = undefined;
