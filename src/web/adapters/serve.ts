import type { Site } from "./build.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** Serves a site to this machine only. `port` 0 takes a free one. */
export function serveSite(
  site: Site,
  port: number,
  onListen: (url: string) => void,
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port, onListen: (at) => onListen(`http://127.0.0.1:${at.port}/`) },
    (request) => {
      const name = new URL(request.url).pathname.slice(1) || "index.html";
      if (!Object.hasOwn(site, name)) return new Response("not found", { status: 404 });
      const type = TYPES[name.split(".").at(-1)!] ?? "application/octet-stream";
      return new Response(site[name], { headers: { "content-type": type, "cache-control": "no-store" } });
    },
  );
}
