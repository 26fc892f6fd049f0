/** The servers that runs and fleets stand on: whether they live, whether they can do their work, and how they get there. */
import { lookAtRedis } from "../../oona/adapters/redis_probe.ts";
import { redisSecrets, shownUrl } from "../../oona/adapters/redis_connection.ts";
import { lookAtBlobs, lookAtDatabase, makeBlobs } from "../../urza/adapters/probe.ts";
import { UnavailableError, UserError } from "../../util/errors.ts";
import { wait } from "../../util/wait.ts";

/** Which servers are wanted; null for those that are not. */
export interface Wanted {
  readonly postgres: string | null;
  /** `s3://bucket/prefix` or `file:folder`. */
  readonly blobs: string | null;
  readonly redis: string | null;
  /** Whether the database has a fleet's queue, too. */
  readonly fleet: boolean;
}

/** How a server was found. */
export interface ServiceState {
  readonly service: "postgres" | "blobs" | "redis";
  /** Without user and password. */
  readonly place: string;
  /** It takes connections. */
  readonly live: boolean;
  /** It can do its work. */
  readonly ready: boolean;
  readonly text: string;
  /** What to do; null where it is ready. */
  readonly cure: string | null;
  /** Whether it may get ready by itself. */
  readonly passing: boolean;
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

interface Service {
  readonly name: ServiceState["service"];
  readonly place: string;
  /** Null for a folder. */
  readonly address: Address | null;
  /** What compose.yaml calls it, and what it is told of where it is to listen. */
  readonly container: { readonly name: string; readonly env: Readonly<Record<string, string>> };
  look(): Promise<string>;
}

/** How long a connection, and an answer, may take. */
const CONNECT_MS = 2000, ANSWER_MS = 4000;
const PAUSE_MS = 500;

function addressOf(url: string, usual: number): Address {
  const { hostname, port } = new URL(url);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port || usual) };
}

/** In the order in which one needs the other: names of blobs before blobs, both before what tells of them. */
function servicesOf({ postgres, blobs, redis }: Wanted): Service[] {
  const found: Service[] = [];
  if (postgres !== null) {
    const address = addressOf(postgres, 5432), { username, pathname } = new URL(postgres);
    const env = {
      POSTGRES_PORT: `${address.port}`,
      POSTGRES_USER: decodeURIComponent(username) || (Deno.env.get("PGUSER") ?? "postgres"),
      POSTGRES_DB: decodeURIComponent(pathname.slice(1)),
    };
    found.push({
      ...{ name: "postgres", address, container: { name: "postgres", env } },
      place: `postgres://${address.hostname}:${address.port}${pathname}`,
      look: () => lookAtDatabase(postgres, ANSWER_MS),
    });
  }
  if (blobs !== null) {
    const endpoint = Deno.env.get("AWS_ENDPOINT_URL") ??
      `https://s3.${Deno.env.get("AWS_REGION") ?? "us-east-1"}.amazonaws.com`;
    const address = blobs.startsWith("file:")
      ? null
      : addressOf(endpoint, endpoint.startsWith("http:") ? 80 : 443);
    found.push({
      ...{ name: "blobs", address, place: blobs },
      container: { name: "minio", env: { MINIO_PORT: `${address?.port}` } },
      look: () => lookAtBlobs(blobs, ANSWER_MS),
    });
  }
  if (redis !== null) {
    const address = addressOf(redis, 6379);
    found.push({
      ...{ name: "redis", address, place: shownUrl(redis) },
      container: { name: "redis", env: { REDIS_PORT: `${address.port}` } },
      look: () => lookAtRedis(redis, redisSecrets()),
    });
  }
  return found;
}

/** Why nobody answers there; null where somebody does. */
async function unreachable(address: Address): Promise<string | null> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve("no answer in time"), CONNECT_MS);
  const connected = Deno.connect(address).then((connection) => {
    connection.close();
    return null;
  }, (error: Error) => error.message);
  const fault = await Promise.race([connected, late.promise]);
  clearTimeout(timer);
  return fault;
}

async function lookAt({ name: service, place, address, container, look }: Service): Promise<ServiceState> {
  const away = address === null ? null : await unreachable(address);
  if (away !== null) {
    const text = `nobody answers at ${address!.hostname}:${address!.port}: ${away.split(" (os error")[0]}`;
    const cure = isHere(address)
      ? `main.ts services up, or docker compose up -d ${container.name}; docs/services.md has more`
      : "start it there, or correct its address";
    return { service, place, live: false, ready: false, text, cure, passing: true };
  }
  try {
    return { service, place, live: true, ready: true, text: await look(), cure: null, passing: false };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // `operation: want X, got Y; cure`
    const at = error.message.lastIndexOf("; ");
    return {
      ...{ service, place, live: true, ready: false, passing: error instanceof UnavailableError },
      text: error.message.slice(0, at),
      cure: error.message.slice(at + 2),
    };
  }
}

/** Looks at each server that is wanted, in the order in which one needs the other; makes nothing that lasts. */
export async function lookAtServices(wanted: Wanted): Promise<ServiceState[]> {
  return await Promise.all(servicesOf(wanted).map(lookAt));
}

const isHere = (address: Address | null) =>
  address !== null && ["127.0.0.1", "localhost"].includes(address.hostname);

/** A program that does what compose.yaml says; null where there is none. */
async function findCompose(): Promise<string | null> {
  for (const program of ["docker", "podman"]) {
    try {
      const command = new Deno.Command(program, {
        args: ["compose", "version"],
        stdout: "null",
        stderr: "null",
      });
      if ((await command.output()).success) return program;
    } catch {
      // It is not here.
    }
  }
  return null;
}

async function startContainers(
  services: readonly Service[],
  onLine: (line: string) => void,
): Promise<void> {
  if (services.length === 0) return;
  const names = services.map(({ container }) => container.name), program = await findCompose();
  if (program === null) {
    onLine(
      `neither docker compose nor podman compose is here: start ${names.join(", ")} as docs/services.md says`,
    );
    return;
  }
  const file = new URL("../../../compose.yaml", import.meta.url).pathname;
  onLine(`${program} compose up -d ${names.join(" ")}`);
  const { success, stderr } = await new Deno.Command(program, {
    args: ["compose", "-f", file, "up", "-d", ...names],
    env: Object.assign({}, ...services.map(({ container }) => container.env)),
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const why = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new UserError(
    `services: want ${names.join(", ")} started by ${program} compose, got: ${why}; see its log`,
  );
}

/** Makes tables, bucket or folder, and what a fleet needs, where they are missing. */
async function prepare({ postgres, blobs, fleet }: Wanted): Promise<void> {
  if (blobs !== null) await makeBlobs(blobs, ANSWER_MS);
  if (postgres === null) return;
  const options = { patienceMs: PAUSE_MS, deadlineMs: ANSWER_MS };
  if (blobs !== null) {
    const { openStore } = await import("../../urza/adapters/open_store.ts");
    await (await openStore({ kind: "postgres", url: postgres, blobs }, "", options)).close();
  } else {
    const { openDatabase } = await import("../../urza/adapters/database.ts");
    const { createPatience } = await import("../../urza/adapters/patience.ts");
    await (await openDatabase(postgres, createPatience(PAUSE_MS), options)).close();
  }
  if (!fleet) return;
  const { openPgBossQueue } = await import("../../fleet/adapters/pg_boss_queue.ts");
  const queue = await openPgBossQueue(postgres);
  try {
    const agreed = await queue.agree("blobs", blobs);
    if (blobs !== null && agreed !== blobs) {
      throw new UserError(
        `services: want ${agreed}, which this fleet has agreed on, got ${blobs}; leave it out`,
      );
    }
  } finally {
    await queue.close();
  }
}

export interface UpOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

/**
 * Starts what is not there and may be started here, waits until all can do their work, and makes the tables, the bucket
 * and the queue that they lack. Ends before its time where something is wrong that will not pass by itself.
 *
 * @throws {UserError} where a container cannot be started, or a store is another's
 */
export async function bringUp(wanted: Wanted, options: UpOptions): Promise<ServiceState[]> {
  const { timeoutMs, signal, onLine } = options;
  const services = servicesOf(wanted), end = performance.now() + timeoutMs;
  const faults = await Promise.all(services.map(({ address }) => address && unreachable(address)));
  await startContainers(services.filter(({ address }, k) => faults[k] !== null && isHere(address)), onLine);
  for (;;) {
    let fault: unknown = null;
    const away = await Promise.all(services.map(({ address }) => address && unreachable(address)));
    if (away.every((reason) => reason === null)) {
      await prepare(wanted).catch((error) => fault = error);
    }
    const states = await lookAtServices(wanted), late = performance.now() > end || signal.aborted;
    const lasting = fault !== null && !(fault instanceof UnavailableError);
    if (states.every(({ ready }) => ready)) {
      if (fault === null) return states;
      if (lasting || late) throw fault;
    } else if (late || states.some(({ ready, passing }) => !ready && !passing)) return states;
    await wait(PAUSE_MS, signal);
  }
}
