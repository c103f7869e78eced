import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WatchAction, type WatchUpdate, watchActions } from "../../viewer/watch_messages.js";
import { UsageError } from "../failure.js";
import type { CurvesTold } from "./curves.js";

/** What a page knows. */
export interface Told {
  readonly curves: CurvesTold;
  samples: readonly unknown[] | undefined;
}

export interface WatchServer {
  /** With the token in it: whoever does not know it gets nothing. */
  readonly url: string;
  /** Tells all pages that something has changed. */
  readonly changed: () => void;
  /** Sends the last state and ends all connections. */
  readonly close: () => Promise<void>;
}

export interface WatchHost {
  /** What is new for a page since it was asked for with the same `told`; a new page begins with an empty one. */
  readonly update: (told: Told) => WatchUpdate;
  /** Gives why it could not be done, or nothing. */
  readonly act: (action: WatchAction) => string | undefined;
}

/** Pages are told at most so often. */
const tellMilliseconds = 250;

/**
 * Serves the page of a training on this machine only. The address has a random token; requests whose Host is another name are
 * refused, so that no web page can reach it by a name that resolves to this machine, and so are actions from another origin.
 */
export async function startWatchServer(host: WatchHost, port: number): Promise<WatchServer> {
  const token = randomBytes(16).toString("hex");
  const listeners = new Map<ServerResponse, Told>();
  const page = readFileSync(new URL("../../viewer/watch/page.html", import.meta.url), "utf8");
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo;
    const hosts = [`127.0.0.1:${own}`, `localhost:${own}`];
    const path = pathIfAllowed(request, token, hosts);
    if (path === undefined) refuse(response, 403, "forbidden");
    else answer(request, response, path, hosts);
  });
  // Who keeps a connection open and says nothing must not keep it for ever.
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;

  function answer(request: IncomingMessage, response: ServerResponse, path: string, hosts: readonly string[]): void {
    // Nothing that is sent here is read.
    request.resume();
    const action = watchActions.find((name) => name === path);
    if (request.method === "GET" && path === "") sendPage(response, page);
    else if (request.method === "GET" && path === "events") listen(response);
    else if (action === undefined) refuse(response, 404, "not found");
    else if (request.method !== "POST") refuse(response, 405, "only POST acts");
    else if (!hosts.some((name) => request.headers.origin === `http://${name}`))
      refuse(response, 403, "another origin");
    else act(action, response);
  }

  function act(action: WatchAction, response: ServerResponse): void {
    const problem = host.act(action);
    if (problem === undefined) response.writeHead(204, security()).end();
    else refuse(response, 409, problem);
    tell();
  }

  function listen(response: ServerResponse): void {
    response.writeHead(200, { ...security(), "Content-Type": "text/event-stream; charset=utf-8" });
    const told: Told = { curves: new Map(), samples: undefined };
    listeners.set(response, told);
    response.on("close", () => listeners.delete(response));
    response.write(message(told));
  }

  function message(told: Told): string {
    return `data: ${JSON.stringify(host.update(told))}\n\n`;
  }

  let timer: NodeJS.Timeout | undefined;
  function tell(): void {
    clearTimeout(timer);
    timer = undefined;
    // A page that does not read is left out until it does: what is not read would pile up here.
    for (const [response, told] of listeners) if (response.writableLength === 0) response.write(message(told));
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = { EADDRINUSE: "something else listens there", EACCES: "the system does not allow it" }[
        error.code ?? ""
      ];
      reject(why === undefined ? error : new UsageError(`no page can be served on port ${port}: ${why}`));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}/${token}/`,
    changed: () => {
      timer ??= setTimeout(tell, tellMilliseconds);
    },
    close: async () => {
      clearTimeout(timer);
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [response, told] of listeners) response.end(message(told));
      // What has not gone out within a moment is not read by anyone.
      setTimeout(() => server.closeAllConnections(), 500).unref();
      server.closeIdleConnections();
      await ended;
    },
  };
}

/** What stands after the token; undefined for another host or token. */
function pathIfAllowed(request: IncomingMessage, token: string, hosts: readonly string[]): string | undefined {
  if (!hosts.includes(request.headers.host ?? "")) return undefined;
  const [, given = "", path = "", ...more] = (request.url ?? "").split("?", 1)[0]?.split("/") ?? [];
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  if (a.length !== b.length || !timingSafeEqual(a, b) || more.length > 0) return undefined;
  return path;
}

function sendPage(response: ServerResponse, page: string): void {
  const nonce = randomBytes(16).toString("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  response
    .writeHead(200, { ...security(), "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy })
    .end(page.replaceAll("{{nonce}}", nonce));
}

function security(): Readonly<Record<string, string>> {
  return {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  };
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...security(), "Content-Type": "text/plain; charset=utf-8" }).end(text);
}
