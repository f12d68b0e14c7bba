/** A second process at a local store, for the tests that need one to race with, to kill, or to refuse. */
import { isLeatError } from "../../src/errors/leat-error.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";

const [task, folder = "", name = ""] = process.argv.slice(2);
const store = openFsStore(folder);

if (task === "race") {
  const won: number[] = [];
  for (let round = 0; round < 100; round++) {
    if ((await store.create(`log/race/${round}.json`, Buffer.from(name))) === "created") won.push(round);
  }
  console.log(JSON.stringify(won));
} else if (task === "write") {
  const writer = await store.openWriter("landing/part-1.ndjson");
  for (let chunk = 0; ; chunk++) {
    await writer.write(Buffer.alloc(100_000, "x"));
    if (chunk === 3) console.log("writing");
  }
} else if (task === "refuse") {
  // Root may write anywhere: become nobody first.
  if (process.getuid?.() === 0) process.setuid?.(65_534);
  const failures = [];
  for (const write of [
    () => store.create("a/1", Buffer.from("x")),
    () => store.put("a/1", Buffer.from("x")),
    () => store.openWriter("a/1"),
  ]) {
    const error = await write().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    failures.push(isLeatError(error) ? [error.code, error.retryable] : String(error));
  }
  console.log(JSON.stringify(failures));
}
