import { assertEquals } from "@std/assert";
import { absent, type Server, startPostgres, startRedis, startS3 } from "../support/servers.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What redis-cli prints. */
async function redis(server: Server, ...command: string[]): Promise<string> {
  const args = ["-p", `${server.port}`, "-a", "secret", "--no-auth-warning", ...command];
  return text((await new Deno.Command("redis-cli", { args }).output()).stdout).trim();
}

Deno.test({
  name:
    "a Redis of a test keeps what it has confirmed over a kill, asks for its password, and leaves nothing",
  ignore: absent("redis-server"),
  async fn() {
    const server = await startRedis({ aof: true, password: "secret" });
    assertEquals(await redis(server, "set", "a", "1"), "OK");
    await server.kill();
    await server.restart();
    assertEquals(await redis(server, "get", "a"), "1");
    await server.stop();
    assertEquals(await Deno.stat(server.folder).catch(() => null), null);
  },
});

Deno.test({
  name: "a PostgreSQL of a test has a database for each who asks, and keeps it over a kill",
  ignore: absent("postgres"),
  async fn() {
    await using server = await startPostgres();
    const [first, second] = [await server.database(), await server.database()];
    const psql = async (url: string, sql: string) =>
      text((await new Deno.Command("psql", { args: [url, "-Atc", sql] }).output()).stdout).trim();
    assertEquals(await psql(first, "create table t (x int)"), "CREATE TABLE");
    await server.kill();
    await server.restart();
    const tables = "select count(*) from pg_tables where tablename = 't'";
    assertEquals([await psql(first, tables), await psql(second, tables)], ["1", "0"]);
  },
});

Deno.test("the double of S3 refuses a wrong signature", async () => {
  await using server = await startS3();
  const signed =
    "AWS4-HMAC-SHA256 Credential=S3RVER/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
  const response = await fetch(`${server.url}/esper/thing`, {
    method: "PUT",
    body: "x",
    headers: {
      authorization: signed,
      "x-amz-date": "20260101T000000Z",
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    },
  });
  assertEquals(response.status, 403);
  await response.body?.cancel();
});
