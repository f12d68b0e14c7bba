import { describe, expect, test } from "vitest";
import { LeatError } from "../errors/leat-error.ts";
import { parseStoreLocation } from "./store-location.ts";

const parse = (url: string, what: "landing" | "bucket" = "landing") =>
  parseStoreLocation(url, what, "LEAT_LANDING", "/project");

const refusal = (url: string, what: "landing" | "bucket" = "landing"): LeatError => {
  try {
    parse(url, what);
  } catch (error) {
    if (error instanceof LeatError) return error;
    throw error;
  }
  throw new Error(`${url} was taken`);
};

describe("parseStoreLocation", () => {
  test("a folder is a path on this machine, as before", () => {
    expect(parse("file:.leat/landing")).toEqual({
      engine: "file",
      path: "/project/.leat/landing",
      url: "file:/project/.leat/landing",
    });
    expect(refusal("ftp://host/x")).toMatchObject({ code: "CONFIG_INVALID" });
  });

  test.each([
    ["gs://acme-data", "", "gs://acme-data"],
    ["gs://acme-data/", "", "gs://acme-data"],
    ["gs://acme-data/a/b", "a/b/", "gs://acme-data/a/b"],
    ["GS://acme-data/a/b/", "a/b/", "gs://acme-data/a/b"],
  ])("%s has the prefix %j", (url, prefix, told) => {
    expect(parse(url)).toEqual({ engine: "gs", bucket: "acme-data", prefix, endpoint: undefined, url: told });
  });

  test("options say where to ask, and are not told", () => {
    expect(parse("gs://b-1/x?endpoint=http://127.0.0.1:4443/")).toEqual({
      engine: "gs",
      bucket: "b-1",
      prefix: "x/",
      endpoint: "http://127.0.0.1:4443",
      url: "gs://b-1/x",
    });
    expect(parse("s3://b-1?endpoint=https%3A%2F%2Fminio%3A9000&region=eu-west-2")).toEqual({
      engine: "s3",
      bucket: "b-1",
      prefix: "",
      endpoint: "https://minio:9000",
      region: "eu-west-2",
      isPathStyle: true,
      url: "s3://b-1",
    });
    expect(parse("s3://b-1/x?pathStyle=true")).toMatchObject({ isPathStyle: true, region: undefined });
    expect(parse("s3://b-1/x")).toMatchObject({ isPathStyle: false });
  });

  test.each([
    ["gs:bucket", /names no bucket/],
    ["gs:///prefix", /names no bucket/],
    ["gs://Bucket/x", /"Bucket", which cannot exist/],
    ["s3://a_b/x", /"a_b", which cannot exist/],
    ["s3://data--euw2-az1--x-s3/x", /directory bucket/],
    ["gs://bucket/a//b", /an empty name/],
    ["gs://bucket/../b", /an empty name, \. or \.\./],
    ["gs://bucket/a*", /stands for others/],
    [`gs://bucket/${"x".repeat(401)}`, /more than 400 bytes/],
    ["gs://bucket/x?region=eu", /unknown option "region" \(known: endpoint\)/],
    ["s3://bucket/x?endpoint=minio:9000", /an endpoint that is not/],
    ["s3://bucket/x?endpoint=http://u:hunter2@minio", /an endpoint that is not/],
    ["s3://bucket/x?pathStyle=yes&region=", /pathStyle that is not true or false; has an empty region/],
  ])("%s is refused in words", (url, words) => {
    const { code, message } = refusal(url);
    expect(code).toBe("CONFIG_INVALID");
    expect(message).toMatch(words);
    expect(message).toMatch(/^LEAT_LANDING: the landing's address at (gs|s3):\/\/ /);
    expect(message).not.toContain("hunter2");
  });

  test("keys in an address are refused and not repeated", () => {
    expect(refusal("s3://AKIA123:hunter2@bucket/x").message).toMatch(
      /credentials are taken from the environment/,
    );
    expect(refusal("s3://AKIA123:hunter2@bucket/x").message).not.toMatch(/hunter2|AKIA/);
  });

  test("a bucket that is only read may have a prefix of any letters", () => {
    expect(parse("gs://bucket/a*[1]", "bucket")).toMatchObject({ prefix: "a*[1]/" });
  });
});
