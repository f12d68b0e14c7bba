/** `bigquery://project/dataset?location=EU`: where a warehouse is, and how it may be used. */
import { LeatError } from "../../errors/leat-error.ts";

/** A checked address. */
export type BigQueryAddress = Readonly<{
  project: string;
  /** Holds landing tables and leat's own; the views of a source stand in a dataset of its name. */
  dataset: string;
  /** Always sent: a job without one is looked for in the United States. */
  location: string;
  /** Put before the names of the sources' datasets, so that two warehouses of one project keep apart. */
  viewsPrefix: string;
  /** `gs://bucket/prefix` for copies of parts that cannot be read where they lie. */
  stagingBucket: string | undefined;
  /** Most bytes that one job may be billed for. */
  maximumBytesBilled: bigint;
  /** Another server, for tests; default Google's. */
  endpoint: string | undefined;
}>;

/** 100 GiB, some $0.61: far above what loads of a tick take, far below a scan that somebody would notice on the bill. */
const maximumBytesBilledDefault = 100n * 1024n ** 3n;

const example = "bigquery://my-project/warehouse?location=EU";
const parameters = ["location", "viewsPrefix", "stagingBucket", "maximumBytesBilled", "endpoint"];

/**
 * Reads the address.
 *
 * @throws LeatError `CONFIG_INVALID` naming the part that is wrong.
 */
export function parseAddress(url: string): BigQueryAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const match =
    /^bigquery:\/\/([a-z][a-z0-9-]{0,61}[a-z0-9]|[a-z0-9.-]+:[a-z][a-z0-9-]*)\/([A-Za-z0-9_]{1,1024})(?:\?|$)/.exec(
      url,
    );
  if (parsed === undefined || match === null) throw invalid(`"${url}" is no project and dataset`);
  const query = parsed.searchParams;
  const stranger = [...query.keys()].find((name) => !parameters.includes(name));
  if (stranger !== undefined)
    throw invalid(`it has the unknown parameter "${stranger}"; known are ${parameters.join(", ")}`);
  const location = query.get("location") ?? "";
  if (!/^[A-Za-z0-9-]{2,40}$/.test(location))
    throw invalid("it says no location, such as EU, US or europe-west2");
  const viewsPrefix = query.get("viewsPrefix") ?? "";
  if (!/^[A-Za-z0-9_]{0,100}$/.test(viewsPrefix))
    throw invalid("viewsPrefix is letters, digits and underscores");
  const stagingBucket = query.get("stagingBucket")?.replace(/\/+$/, "");
  if (stagingBucket !== undefined && !/^gs:\/\/[a-z0-9][a-z0-9._-]+(\/[^?#*[\]]*)?$/.test(stagingBucket))
    throw invalid("stagingBucket is written as gs://bucket or gs://bucket/prefix");
  const bytes = query.get("maximumBytesBilled");
  if (bytes !== null && !/^[1-9][0-9]{6,17}$/.test(bytes))
    throw invalid("maximumBytesBilled is a number of bytes, at least 1000000");
  const endpoint = query.get("endpoint") ?? undefined;
  if (endpoint !== undefined && !/^https?:\/\/[^/?#@]+\/?$/.test(endpoint))
    throw invalid("endpoint is http(s)://host:port");
  return {
    project: match[1]!,
    dataset: match[2]!,
    location,
    viewsPrefix,
    stagingBucket,
    maximumBytesBilled: bytes === null ? maximumBytesBilledDefault : BigInt(bytes),
    endpoint,
  };
}

function invalid(what: string): LeatError {
  return new LeatError("CONFIG_INVALID", {
    message: `The address of the BigQuery warehouse is wrong: ${what}.`,
    hint: `Write it as ${example}.`,
  });
}
