import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { LeatError } from "../../src/errors/leat-error.ts";
import type { NoticeDeclaration } from "../../src/flow/notice-declaration.ts";
import { sendNotice } from "../../src/flow/send-notice.ts";
import { toFlowRunId } from "../../src/model/run-ids.ts";
import type { FlowEvent } from "../../src/model/run-record.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const listen = async (server: Server): Promise<number> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

type Received = Readonly<{ headers: IncomingMessage["headers"]; body: Record<string, unknown> }>;

/** A receiver of webhooks that answers with these statuses, the last one for ever. */
async function openHook(...statuses: readonly number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body: JSON.parse(text) as Record<string, unknown> });
      response.writeHead(statuses[received.length - 1] ?? statuses.at(-1) ?? 200);
      response.end("said by the hook");
    });
  });
  return { url: `http://127.0.0.1:${await listen(server)}/hook`, received };
}

const failed: FlowEvent = {
  id: 7,
  atMs: Date.parse("2026-03-01T06:00:00Z"),
  kind: "run.failed",
  subject: "nightly",
  runId: toFlowRunId("0123456789abcdef"),
  data: { flow: "nightly", error: { code: null, message: "no bread, says s3cret-value", hint: null } },
  dedupKey: null,
  isHandled: false,
};

const send = (notice: NoticeDeclaration, secrets: Record<string, string>): Promise<void> =>
  sendNotice(
    {
      secrets: { resolve: async (reference) => secrets[reference] ?? "" },
      clock: { nowMs: () => 0, sleep: async () => {} },
      redact: (text) => text.replaceAll("s3cret-value", "[secret]"),
      runUrl: (id) => `http://leat/runs/${id}`,
    },
    notice,
    failed,
    new AbortController().signal,
  );

test("a webhook gets occasion, deployment, run and error, with its token", async () => {
  const { url, received } = await openHook(200);
  await send(
    { to: "webhook", url: "env:HOOK", token: "env:TOKEN" },
    { "env:HOOK": url, "env:TOKEN": "t0ken" },
  );
  expect(received).toHaveLength(1);
  expect(received[0]?.headers.authorization).toBe("Bearer t0ken");
  expect(received[0]?.body).toMatchObject({
    occasion: "failure",
    deployment: "nightly",
    run: "0123456789abcdef",
    url: "http://leat/runs/0123456789abcdef",
    at: "2026-03-01T06:00:00.000Z",
  });
});

test("a chat gets one text without secrets", async () => {
  const { url, received } = await openHook(200);
  await send({ to: "slack", url: "env:CHAT" }, { "env:CHAT": url });
  expect(received[0]?.body).toEqual({
    text: "nightly failed\nno bread, says [secret]\nhttp://leat/runs/0123456789abcdef",
  });
});

test("a receiver that is busy is asked again, one that refuses is not", async () => {
  const busy = await openHook(503, 429, 200);
  await send({ to: "slack", url: "env:CHAT" }, { "env:CHAT": busy.url });
  expect(busy.received).toHaveLength(3);
  const strict = await openHook(403);
  const error: unknown = await send({ to: "slack", url: "env:CHAT" }, { "env:CHAT": strict.url }).catch(
    (e) => e,
  );
  expect(error).toBeInstanceOf(LeatError);
  expect(error).toMatchObject({
    code: "NOTICE_FAILED",
    message: "A notice was answered with 403: said by the hook.",
  });
  expect(strict.received).toHaveLength(1);
});

test("an address that nobody answers at is not told", async () => {
  const error: unknown = await send(
    { to: "slack", url: "env:CHAT" },
    { "env:CHAT": "http://127.0.0.1:1/s3cret-path" },
  ).catch((e) => e);
  expect(error).toMatchObject({ code: "NOTICE_FAILED" });
  expect(JSON.stringify(error)).not.toContain("s3cret-path");
});

/** As much of a mail server as a client needs. */
async function openMailServer(): Promise<{ url: string; mails: string[] }> {
  const mails: string[] = [];
  const server = createSocketServer((socket) => {
    let mail: string | undefined;
    socket.write("220 test\r\n");
    socket.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\r\n").slice(0, -1)) {
        if (mail !== undefined) {
          if (line === ".") {
            mails.push(mail);
            mail = undefined;
            socket.write("250 taken\r\n");
          } else mail += `${line}\n`;
        } else if (line === "DATA") {
          mail = "";
          socket.write("354 go on\r\n");
        } else if (line === "QUIT") socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
    socket.on("error", () => {});
  });
  return { url: `smtp://127.0.0.1:${await listen(server)}`, mails };
}

test("a mail has the failure as its subject, and goes to all recipients", async () => {
  const { url, mails } = await openMailServer();
  const notice = {
    to: "mail",
    smtp: "env:SMTP",
    from: "leat@example.com",
    recipients: ["a@example.com", "b@example.com"],
  } as const;
  await send(notice, { "env:SMTP": url });
  expect(mails).toHaveLength(1);
  expect(mails[0]).toContain("Subject: nightly failed");
  expect(mails[0]).toContain("To: a@example.com, b@example.com");
  expect(mails[0]).toContain("no bread, says [secret]");
});

test("a mail server that is not there is told after some tries", async () => {
  const notice = {
    to: "mail",
    smtp: "env:SMTP",
    from: "leat@example.com",
    recipients: ["a@example.com"],
  } as const;
  await expect(send(notice, { "env:SMTP": "smtp://127.0.0.1:1" })).rejects.toMatchObject({
    code: "NOTICE_FAILED",
    message: expect.stringContaining("could not be mailed"),
  });
});
