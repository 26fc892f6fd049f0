/** What compose.yaml promises: servers that say whether they are healthy, keep their data, and let nobody in by default. */
import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { z } from "zod";

const Service = z.strictObject({
  image: z.string().regex(/^[\w./-]+:(?!latest$)[\w.-]+$/, "want an image with a version"),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).min(1),
  volumes: z.array(z.string()).min(1),
  healthcheck: z.strictObject({
    test: z.array(z.string()).min(2),
    interval: z.string(),
    timeout: z.string(),
    retries: z.int(),
  }),
  restart: z.literal("unless-stopped"),
});
const Compose = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.null()),
});

const text = Deno.readTextFileSync("compose.yaml");
const { services, volumes } = Compose.parse(parse(text, { strict: true, uniqueKeys: true }));

Deno.test("compose.yaml has Redis with an append-only file, PostgreSQL and MinIO, each with a health check", () => {
  assertEquals(Object.keys(services), ["redis", "postgres", "minio"]);
  const command = services.redis.command!;
  assertEquals(command[command.indexOf("--appendonly") + 1], "yes");
});

Deno.test("compose.yaml listens on 127.0.0.1 only", () => {
  for (const port of Object.values(services).flatMap(({ ports }) => ports)) {
    assert(/^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/.test(port), port);
  }
});

Deno.test("compose.yaml keeps data in volumes that have names", () => {
  const used = Object.values(services).flatMap((service) =>
    service.volumes.map((volume) => volume.split(":")[0])
  );
  assertEquals(used.toSorted(), Object.keys(volumes).toSorted());
});

Deno.test("compose.yaml has no password and no default for one: without it nothing starts", () => {
  const named = Object.values(services).flatMap(({ environment = {}, command = [] }) => [
    ...Object.entries(environment),
    ...command.map((word, k) => [command[k - 1] ?? "", word]),
  ]);
  const secrets = named.filter(([name]) => /pass|auth$|user$|secret/i.test(name) && name !== "POSTGRES_USER");
  assertEquals(secrets.length, 5);
  for (const [name, value] of secrets) assert(/^\$\{([A-Z_]+):\?set \1\}$/.test(value), `${name}: ${value}`);
  const names = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
  assertEquals([...new Set(names)].toSorted(), [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "PGPASSWORD",
    "REDIS_PASSWORD",
  ]);
});
