/** The partner, simulated: a local HTTP server with a book of plants, its own clock, and faults on request. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerAdmin } from "./admin.ts";
import { openFaults } from "./faults.ts";
import type { Partner, PartnerOptions, TruePlant } from "./partner.ts";
import { openPlantBook } from "./plant-book.ts";
import { answerPlants, identify, type PlantsAnswer, type PlantsRules, refuse } from "./plants-api.ts";
import { openRequestCounts } from "./request-counts.ts";

/** Starts a partner on the loopback interface. The same seed, accounts and start time give the same bytes. */
export async function startPartner(options: PartnerOptions): Promise<Partner> {
  const startedMs = options.nowMs ?? Date.now();
  let offsetMs = startedMs - Date.now();
  const nowMs = () => Date.now() + offsetMs;
  const book = openPlantBook({
    seed: options.seed,
    accounts: options.accounts,
    nowMs: startedMs,
    historyMs: options.historyMs ?? 14 * 86_400_000,
    plantsPerLicense: options.plantsPerLicense ?? 200,
  });
  const rules: PlantsRules = { vendorKey: options.vendorKey, accounts: options.accounts, book };
  const faults = openFaults();
  const counts = openRequestCounts();

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // A TCP server has no other address.

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", url);
    if (options.hasAdmin === true && pathname.startsWith("/_partner/")) {
      send(response, await answerAdmin(partner, request, pathname, searchParams));
      return;
    }
    const { method = "GET" } = request;
    const authorization = request.headers.authorization;
    const caller = identify(rules, { method, path: pathname, params: searchParams, authorization });
    if ("status" in caller) {
      counts.add("", pathname, "requests");
      counts.add("", pathname, "refused");
      send(response, caller);
      return;
    }
    const { endpoint } = caller;
    const { tenant } = caller.account;
    counts.add(tenant, endpoint, "requests");
    const fault = faults.meet({ tenant, endpoint });
    if (fault?.kind === "stall") await Promise.race([faults.released(), once(response, "close")]);
    if (fault?.kind === "delay") await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (response.destroyed) {
      counts.add(tenant, endpoint, "broken");
      return;
    }
    if (fault?.kind === "status") {
      counts.add(tenant, endpoint, "refused");
      const headers = {
        ...(fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter }),
        ...(fault.contentType === undefined ? {} : { "content-type": fault.contentType }),
      };
      const answer = refuse(fault.status, `Something went wrong (${fault.status}).`);
      send(response, { ...answer, body: fault.body ?? answer.body, headers });
      return;
    }
    const answer = answerPlants(rules, caller, searchParams, nowMs());
    if (fault?.kind === "break") {
      breakInBody(response, answer);
      counts.add(tenant, endpoint, "broken");
      return;
    }
    // Counted only when the last byte is with the system: a client that was killed in between was not answered.
    response.once("finish", () => {
      counts.add(tenant, endpoint, answer.status === 200 ? "answered" : "refused");
      counts.add(tenant, endpoint, "plants", answer.plantCount);
    });
    send(response, answer);
  }

  function head(response: ServerResponse, answer: PlantsAnswer): Buffer {
    const body = Buffer.from(answer.body);
    response.writeHead(answer.status, {
      "content-type": "application/json; charset=utf-8",
      "content-length": body.byteLength,
      date: new Date(nowMs()).toUTCString(),
      ...answer.headers,
    });
    return body;
  }

  const send = (response: ServerResponse, answer: PlantsAnswer) => {
    response.end(head(response, answer));
  };

  const breakInBody = (response: ServerResponse, answer: PlantsAnswer) => {
    const body = head(response, answer);
    response.write(body.subarray(0, Math.floor(body.byteLength / 2)), () => response.destroy());
  };

  const close = async () => {
    faults.clear();
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };

  const partner: Partner = {
    url,
    faults,
    counts,
    nowMs,
    advance: (ms) => {
      offsetMs += ms;
    },
    change: (request) => book.change(request, nowMs()),
    msUntilSettled: () => Math.max(0, book.settledAtMs() - nowMs()),
    truth(tenant) {
      const plants = new Map<string, TruePlant>();
      for (const account of options.accounts.filter((known) => known.tenant === tenant)) {
        for (const license of account.licenses) {
          for (const { fields } of book.show(license, nowMs())) {
            plants.set(String(fields["Label"]), { license, fields });
          }
        }
      }
      return plants;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return partner;
}
