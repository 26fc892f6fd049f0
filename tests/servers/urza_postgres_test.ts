import postgres from "postgres";
import { type OpenStore, openStore } from "../../src/urza/adapters/open_store.ts";
import { storeSuite } from "../conformance/store_suite.ts";
import { storeServers } from "../support/store_servers.ts";

const servers = storeServers();
let opened: OpenStore, sql: postgres.Sql;
Deno.test.beforeAll(async () => {
  if (servers.ignore) return;
  const config = await servers.empty("s3");
  opened = await openStore(config, "", { endpoint: servers.s3.url });
  sql = postgres(config.url, { max: 1, fetch_types: false, max_lifetime: null });
  await sql`select 1`;
  // Connections have timers of their own, which no test is to blame for.
  await Promise.all(Array.from({ length: 20 }, () => opened.medium.list("manifests")));
});
Deno.test.afterAll(async () => {
  await opened?.close();
  await sql?.end();
});

storeSuite("openStore() of PostgreSQL and S3", async (body) => {
  await sql`truncate urza.files, urza.blobs`;
  await opened.medium.sweep();
  await body(opened.medium, opened.index!);
}, servers.ignore);
