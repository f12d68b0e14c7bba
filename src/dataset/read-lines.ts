/** Lines of a stream of bytes, as text. */
import { StringDecoder } from "node:string_decoder";
import { LeatError } from "../errors/leat-error.ts";

/** Longest line, characters: a row of a table that is longer is none. */
const lineLengthMax = 64 * 1024 * 1024;

/** Lines without their ends, empty ones left out. Split at the line feed alone: U+2028 may be part of a value. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))).split(
      "\n",
    );
    rest = lines.pop()!; // A split has at least one piece.
    if (rest.length > lineLengthMax) {
      throw new LeatError("FILE_TOO_LARGE", {
        message: `${name}: a row has more than ${lineLengthMax} characters.`,
        hint: "Look at the file: a quote that is never closed makes one row of all that follow.",
      });
    }
    yield lines.filter((line) => line !== "");
  }
  rest += decoder.end();
  if (rest !== "") yield [rest];
}
