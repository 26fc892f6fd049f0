import { FleetJob, type JobKind } from "../contracts/fleet.ts";
import { UserError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson, type Json } from "../util/json.ts";

type Spec = Readonly<Record<string, unknown>>;

/** What work depends on besides its configuration; hashes, `data` null where nothing is said of examples. */
export interface Ground {
  readonly code: string;
  readonly data: string | null;
  readonly adapter: string;
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, Json>;

/** Hash of a value's one JSON text. */
export async function hashOf(value: unknown): Promise<string> {
  return await sha256(canonicalJson(plain(value)));
}

/** A job with all its hashes. */
export async function createJob(kind: JobKind, name: string, spec: Spec, ground: Ground): Promise<FleetJob> {
  const hashes = { config: await hashOf(spec), ...ground };
  const key = await hashOf({ kind, hashes });
  return { version: 1, kind, name, spec: plain(spec), hashes, key };
}

/**
 * A job as it came from the queue.
 *
 * @throws {UserError} if it is none, or its hashes are not those of its content.
 */
export async function checkJob(value: unknown): Promise<FleetJob> {
  const parsed = FleetJob.safeParse(value);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new UserError(`fleet: job: ${path.join(".") || "job"}: ${message}; submit it with this program`);
  }
  const { kind, name, spec, hashes: { code, data, adapter }, key, hashes } = parsed.data;
  const anew = await createJob(kind, name, spec, { code, data, adapter });
  if (anew.key !== key || anew.hashes.config !== hashes.config) {
    throw new UserError(
      `fleet: job ${name}: want the key ${anew.key.slice(0, 12)} of its content, got ${key}`,
    );
  }
  return parsed.data;
}

/** Where work with this code on adapters of this type is queued. */
export async function placeOf({ code, adapter }: Pick<Ground, "code" | "adapter">): Promise<string> {
  return (await hashOf({ code, adapter })).slice(0, 16);
}

/** The UUID (version 8) of a job, or of a second time that it is done. */
export async function idOf(key: string, round = 0): Promise<string> {
  const hex = await sha256(`${key}/${round}`);
  const variant = (8 + parseInt(hex[16], 16) % 4).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20)];
  return [...parts, hex.slice(20, 32)].join("-");
}

/** Whether a job is one of the share that is done twice; the same jobs whoever asks. */
export function isSampled(key: string, share: number): boolean {
  return parseInt(key.slice(0, 8), 16) / 2 ** 32 < share;
}
