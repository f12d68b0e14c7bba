/** Owns a reading process that has read a file, prints its number, and stays until it is killed. */
import { ReaderChild } from "../../src/readers/child/reader-child.ts";

const child = new ReaderChild({ memoryBytesMax: 2 ** 31, timeoutMs: 60_000 });
console.log(child.pid);
setInterval(() => {}, 1000);
