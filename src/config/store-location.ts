/** Where objects live: a folder of this machine, or a bucket. */
import { LeatError } from "../errors/leat-error.ts";
import { parseLocation } from "./location.ts";

/** A checked location of an object store. `url` is what may be told: without options. */
export type StoreLocation = Readonly<
  | { engine: "file"; path: string; url: string }
  | { engine: "gs"; bucket: string; prefix: string; endpoint: string | undefined; url: string }
  | {
      engine: "s3";
      bucket: string;
      prefix: string;
      endpoint: string | undefined;
      region: string | undefined;
      isPathStyle: boolean;
      url: string;
    }
>;

/** @see https://cloud.google.com/storage/docs/buckets#naming */
const gcsBucket = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const s3Bucket = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Names of objects have 1,024 bytes; a key of the landing needs half of them at most. */
const prefixBytesMax = 400;

const optionNames = { gs: ["endpoint"], s3: ["endpoint", "region", "pathStyle"] } as const;

/**
 * Reads the URL of the landing, or of a bucket that a source reads: `file:PATH`, `gs://bucket/prefix`,
 * `s3://bucket/prefix?region=eu-west-2`.
 *
 * @param from - who said so, for the message.
 * @throws LeatError `CONFIG_INVALID` with every fault; options are not repeated.
 */
export function parseStoreLocation(
  url: string,
  what: "landing" | "bucket",
  from: string,
  folder: string,
): StoreLocation {
  const match = /^(gs|s3):\/\/([^/?#]*)(?:\/([^?]*))?(?:\?(.*))?$/i.exec(url);
  const scheme = /^(gs|s3):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const { path, url: told } = parseLocation(url, what, from, folder);
    return { engine: "file", path, url: told };
  }
  const engine = scheme === "gs" ? "gs" : "s3";
  const [, , bucket = "", path = "", query = ""] = match ?? [];
  const options = new URLSearchParams(query);
  const faults = [
    ...bucketFaults(engine, bucket),
    ...prefixFaults(path, what),
    ...optionFaults(engine, options),
  ];
  if (faults.length > 0) {
    throw new LeatError("CONFIG_INVALID", {
      message: `${from}: the ${what}'s address at ${engine}:// ${faults.join("; ")}.`,
      hint: `Write it as ${engine === "gs" ? "gs://bucket/prefix" : "s3://bucket/prefix?region=eu-west-2"}.`,
    });
  }
  const folders = path.split("/").filter((name) => name !== "");
  const prefix = folders.map((name) => `${name}/`).join("");
  const endpoint = options.get("endpoint")?.replace(/\/$/, "");
  const told = [`${engine}://${bucket}`, ...folders].join("/");
  if (engine === "gs") return { engine, bucket, prefix, endpoint, url: told };
  const style = options.get("pathStyle");
  return {
    engine,
    bucket,
    prefix,
    endpoint,
    region: options.get("region") ?? undefined,
    // Names of buckets below a host need a certificate and a name server that know them.
    isPathStyle: style === null ? endpoint !== undefined : style === "true",
    url: told,
  };
}

function bucketFaults(engine: "gs" | "s3", bucket: string): readonly string[] {
  if (bucket === "") return ["names no bucket"];
  if (bucket.includes("@")) return ["holds a user or password; credentials are taken from the environment"];
  if (bucket.endsWith("--x-s3")) return ["names a directory bucket, whose listings have no order"];
  return (engine === "gs" ? gcsBucket : s3Bucket).test(bucket)
    ? []
    : [`names the bucket "${bucket}", which cannot exist`];
}

function prefixFaults(path: string, what: "landing" | "bucket"): readonly string[] {
  const names = path.replace(/\/$/, "").split("/");
  const faults: string[] = [];
  if (path !== "" && names.some((name) => name === "" || name === "." || name === "..")) {
    faults.push("has an empty name, . or .. in its prefix");
  }
  if (Buffer.byteLength(path) > prefixBytesMax)
    faults.push(`has a prefix of more than ${prefixBytesMax} bytes`);
  // Loads name files by addresses in which these stand for others.
  const forbidden = what === "landing" ? /[\p{Cc}*?#[\]]/u : /[\p{Cc}#]/u;
  if (forbidden.test(path))
    faults.push("has a character in its prefix that stands for others in addresses (*?[]#)");
  return faults;
}

function optionFaults(engine: "gs" | "s3", options: URLSearchParams): readonly string[] {
  const known: readonly string[] = optionNames[engine];
  const faults = [...new Set(options.keys())]
    .filter((name) => !known.includes(name))
    .map((name) => `has the unknown option "${name}" (known: ${known.join(", ")})`);
  const endpoint = options.get("endpoint");
  if (endpoint !== null && !isOrigin(endpoint)) {
    faults.push("has an endpoint that is not http(s)://host:port without more");
  }
  const style = options.get("pathStyle");
  if (style !== null && style !== "true" && style !== "false")
    faults.push("has a pathStyle that is not true or false");
  if (options.get("region") === "") faults.push("has an empty region");
  return faults;
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  const isWeb = protocol === "http:" || protocol === "https:";
  return isWeb && username === "" && password === "" && pathname === "/" && search === "" && hash === "";
}
