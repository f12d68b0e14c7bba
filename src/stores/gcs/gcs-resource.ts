/** An object's resource, as Google Cloud Storage describes it in JSON. */
import type { StoredObject } from "../bucket/bucket-client.ts";
import { BucketFailure } from "../bucket/bucket-failure.ts";
import { parseCrc32c } from "../bucket/crc32c.ts";

/** Custom metadata that holds the mark of the write. */
export const markName = "leat-write";

/** What of it is used. @see https://cloud.google.com/storage/docs/json_api/v1/objects#resource */
export type GcsResource = Readonly<{
  name?: string;
  generation?: string | number;
  size?: string | number;
  timeCreated?: string;
  crc32c?: string;
  metadata?: Readonly<Record<string, unknown>>;
}>;

export function toStored({ generation, crc32c, metadata }: GcsResource): StoredObject {
  if (generation === undefined) throw new BucketFailure("transient", "an answer names no generation");
  const mark = metadata?.[markName];
  return {
    version: String(generation),
    mark: typeof mark === "string" ? mark : undefined,
    crc32c: parseCrc32c(crc32c),
  };
}
