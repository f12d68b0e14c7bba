import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFilesState, encodeFilesState, type FileState, type FilesState } from "./files-state.ts";
import { encodeState, freshState } from "./run-state.ts";

const text = fc.string({ unit: "grapheme", maxLength: 30 });
const optional = fc.option(text, { nil: undefined });

const fileState: fc.Arbitrary<FileState> = fc.record({
  id: text,
  name: text,
  address: text,
  fields: fc.dictionary(text, text, { maxKeys: 3 }),
  sha256: text,
  bytes: fc.maxSafeNat(),
  crc32c: text,
  objectKey: text,
  seq: fc.nat(),
  row: fc.nat(),
  version: fc.nat(),
  fetchedAt: text,
  lastModified: optional,
  contentType: optional,
  validators: fc.record({ etag: optional, lastModified: optional }),
  isForgotten: fc.boolean(),
});

const toState = (files: readonly FileState[]): FilesState => ({
  files: new Map(files.map((file) => [file.id, file])),
});

test("a state that is written is read back, in its order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fileState, { maxLength: 20 }), async (files) => {
      const state = toState(files);
      const read = await decodeFilesState(await encodeFilesState(state), "here");
      expect([...read.files]).toEqual([...state.files]);
    }),
    { numRuns: 50 },
  );
});

test("the state of a log that had no files is a fresh one", async () => {
  expect((await decodeFilesState(encodeState(freshState()), "here")).files.size).toBe(0);
});

test("a state of another format, or cut off, says so", async () => {
  const newer = Buffer.from('{"format":2,"files":0}\n');
  await expect(decodeFilesState(newer, "manifest 7")).rejects.toMatchObject({
    code: "MANIFEST_INVALID",
    message: "The state in manifest 7 cannot be read: its format is 2, this leat reads 1.",
  });
  const [file] = fc.sample(fileState, 1);
  const whole = await encodeFilesState(toState([file!]));
  await expect(decodeFilesState(whole.subarray(0, -3), "here")).rejects.toMatchObject({
    code: "MANIFEST_INVALID",
  });
  const lines = Buffer.from('{"format":1,"files":3}\n');
  await expect(decodeFilesState(lines, "here")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
});
