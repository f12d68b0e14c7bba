/** Who is asking: the address that a request comes from, behind the proxies that were declared and no others. */
import { BlockList, isIP } from "node:net";
import { LeatError } from "../../errors/leat-error.ts";

/** Proxies that may say for whom they ask. */
export type TrustedProxies = Readonly<{ isEmpty: boolean; has: (address: string) => boolean }>;

/** Most entries of X-Forwarded-For that are looked at: no chain of proxies is this long. */
const hopsMax = 16;

/** Names of networks that people declare as a whole. */
const namedNetworks: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};

/**
 * Reads addresses and networks: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`, `loopback`, `private`.
 *
 * @throws LeatError `USAGE` naming the one that is none.
 */
export function parseProxies(declared: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const text of declared.flatMap((name) => namedNetworks[name] ?? [name])) {
    const [address = "", bits] = text.split("/");
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : Number(bits);
    if (family === 0 || bits === "" || !Number.isInteger(prefix) || prefix < 0 || prefix > most)
      throw new LeatError("USAGE", {
        message: `"${text}" is no proxy: it must be an address, a network such as 10.0.0.0/8, \`loopback\` or \`private\`.`,
      });
    list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  return {
    isEmpty: declared.length === 0,
    has: (address) => {
      const family = isIP(address);
      return family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
    },
  };
}

/**
 * The address of the client.
 *
 * Each proxy adds the address it was asked from at the end of X-Forwarded-For. So the header is read from its end, for
 * as long as whoever added the next entry is trusted; what stands before may have been written by the client.
 *
 * @param remote - the other end of the connection; `undefined` when it has gone already.
 */
export function clientAddress(
  remote: string | undefined,
  forwarded: string | readonly string[] | undefined,
  proxies: TrustedProxies,
): string {
  let address = plainAddress(remote ?? "");
  if (forwarded === undefined || proxies.isEmpty || !proxies.has(address)) return address;
  const entries = (typeof forwarded === "string" ? forwarded : forwarded.join(","))
    .split(",")
    .slice(-hopsMax);
  for (const entry of entries.reverse()) {
    const next = plainAddress(entry.trim());
    if (isIP(next) === 0) return address;
    address = next;
    if (!proxies.has(address)) return address;
  }
  return address;
}

/** Without port, brackets and the form that IPv4 has on an IPv6 socket. */
function plainAddress(text: string): string {
  if (!text.includes(":")) return text;
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  return bare.startsWith("::ffff:") && bare.includes(".") ? bare.slice("::ffff:".length) : bare;
}

/** Whether it is this machine's own. */
export const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.");

/**
 * What an address is counted as: one of IPv6 as its /64, which is what a single customer is given; there are too many
 * addresses in it to count each.
 */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%", 1)[0]!.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: missing }, () => "0"), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
