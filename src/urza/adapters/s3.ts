import { AwsClient } from "aws4fetch";
import { UserError } from "../../util/errors.ts";
import type { Heap } from "./heap.ts";
import type { Fault, Patiently } from "./patience.ts";

/** How long one request may take. */
const DEADLINE_MS = 60_000;
/** Uploads above this go in parts of this, the least that S3 takes. */
const PART_BYTES = 8 * 2 ** 20;

/** An answer that is not the one that was asked for. */
class Refusal extends Error {
  constructor(readonly status: number, readonly code: string) {
    super(`HTTP ${status} ${code}`);
  }
}

const KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may read and write the bucket";

function explain(error: unknown): Fault | null {
  if (error instanceof Refusal) {
    const { status, code } = error, got = `HTTP ${status}${code && ` ${code}`}`;
    if (status === 401 || status === 403) {
      return { got, cure: KEYS, passing: code === "RequestTimeTooSkewed" };
    }
    if (status === 404) return { got, cure: "make the bucket, or correct its name", passing: false };
    if (status === 507) return { got: `a full disk (${got})`, cure: "free some space there", passing: true };
    const passing = status >= 500 && status !== 501 || status === 408 || status === 429;
    return { got, cure: passing ? "see that it runs and has room" : "see what it has logged", passing };
  }
  const { name, message } = error as Error;
  if (name === "TimeoutError") {
    return { got: "no answer in time", cure: "see that it runs and is reached", passing: true };
  }
  if (!(error instanceof TypeError)) return null;
  const passing = !/certificate/i.test(message);
  const got = passing ? "no connection" : "a certificate that does not hold";
  return { got, cure: `see that AWS_ENDPOINT_URL is right${passing ? " and it runs" : ""}`, passing };
}

/** How a heap in S3 may be set otherwise than by the environment. */
export interface S3Options {
  /** URL of the service; what AWS_ENDPOINT_URL says, else Amazon\'s. */
  endpoint?: string;
  partBytes?: number;
  deadlineMs?: number;
}

/** A heap whose bucket may be yet to be made. */
export interface S3Heap extends Heap {
  /** Makes the bucket where there is none. */
  makeBucket(): Promise<void>;
}

/**
 * Objects of an S3-compatible store under `s3://bucket/prefix`, with AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY from the environment.
 */
export function s3Heap(place: string, patiently: Patiently, options: S3Options = {}): S3Heap {
  const { partBytes = PART_BYTES, deadlineMs = DEADLINE_MS, endpoint: given } = options;
  const [bucket, ...folders] = place.slice("s3://".length).split("/").filter((part) => part !== "");
  const prefix = folders.map((folder) => `${folder}/`).join("");
  const secret = (name: string) => {
    const value = Deno.env.get(name);
    if (value) return value;
    throw new UserError(`urza: want ${name} in the environment for ${place}, got none; ${KEYS}`);
  };
  const region = Deno.env.get("AWS_REGION") ?? "us-east-1";
  const address = given ?? Deno.env.get("AWS_ENDPOINT_URL") ?? `https://s3.${region}.amazonaws.com`;
  const endpoint = address.replace(/\/+$/, "");
  const client = new AwsClient({
    accessKeyId: secret("AWS_ACCESS_KEY_ID"),
    secretAccessKey: secret("AWS_SECRET_ACCESS_KEY"),
    ...Deno.env.get("AWS_SESSION_TOKEN") && { sessionToken: Deno.env.get("AWS_SESSION_TOKEN")! },
    service: "s3",
    region,
    retries: 0,
  });
  const locate = (key: string) => `s3://${bucket}/${prefix}${key}`;

  async function inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException("no answer", "TimeoutError")), deadlineMs);
    try {
      return await work(late.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The answer's body and what else of it is wanted; null for 404 where `absent` allows that. */
  async function ask(
    method: string,
    key: string,
    { query = "", body = null as Uint8Array | string | null, absent = false } = {},
  ): Promise<{ bytes: Uint8Array; headers: Headers } | null> {
    const url = `${endpoint}/${bucket}${key === "" ? "" : `/${prefix}${key}`}${query && `?${query}`}`;
    const want = `to ${method === "GET" ? "read" : method === "DELETE" ? "remove" : "write"} ${locate(key)}`;
    return await patiently(want, async () => {
      const { response, bytes } = await inTime(async (signal) => {
        const response = await client.fetch(url, { method, body: body as BodyInit | null, signal });
        return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
      });
      if (response.ok) return { bytes, headers: response.headers };
      const code = tag(new TextDecoder().decode(bytes), "Code")[0] ?? "";
      if (absent && response.status === 404 && code !== "NoSuchBucket") return null;
      throw new Refusal(response.status, code);
    }, explain);
  }

  /** All pages of a listing. */
  async function pages(query: string, next: (text: string) => string | null): Promise<string[]> {
    const found: string[] = [];
    for (let more: string | null = ""; more !== null;) {
      const answer = await ask("GET", "", { query: query + more });
      const text = new TextDecoder().decode(answer!.bytes);
      found.push(text);
      more = next(text);
    }
    return found;
  }

  async function writeParts(key: string, bytes: Uint8Array): Promise<void> {
    const begun = await ask("POST", key, { query: "uploads=" });
    const upload = `uploadId=${
      encodeURIComponent(tag(new TextDecoder().decode(begun!.bytes), "UploadId")[0])
    }`;
    try {
      let parts = "";
      for (let at = 0, part = 1; at < bytes.length; at += partBytes, part++) {
        const body = bytes.subarray(at, at + partBytes);
        const answer = await ask("PUT", key, { query: `partNumber=${part}&${upload}`, body });
        parts += `<Part><PartNumber>${part}</PartNumber><ETag>${answer!.headers.get("etag")}</ETag></Part>`;
      }
      const body = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
      const { bytes: told } = (await ask("POST", key, { query: upload, body }))!;
      // A refusal may come as 200, as the answer is begun before the work is done.
      if (new TextDecoder().decode(told).includes("<Error>")) throw new Refusal(500, "InternalError");
    } catch (error) {
      await ask("DELETE", key, { query: upload, absent: true }).catch(() => {});
      throw error;
    }
  }

  return {
    locate,

    write: async (key, bytes) => {
      if (bytes.length > partBytes) await writeParts(key, bytes);
      else await ask("PUT", key, { body: bytes });
    },

    read: async (key) => (await ask("GET", key, { absent: true }))?.bytes ?? null,

    remove: async (key) => void await ask("DELETE", key, { absent: true }),

    async list(folder) {
      const query = `list-type=2&prefix=${encodeURIComponent(`${prefix}${folder}/`)}`;
      const found = await pages(query, (text) => {
        const [token] = tag(text, "NextContinuationToken");
        return token === undefined ? null : `&continuation-token=${encodeURIComponent(token)}`;
      });
      return found.flatMap((text) => tag(text, "Key")).map((key) => key.slice(prefix.length));
    },

    async makeBucket() {
      try {
        await ask("GET", "", { query: "list-type=2&max-keys=1" });
      } catch (error) {
        if (!(error instanceof UserError && error.message.includes("HTTP 404"))) throw error;
        const body = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
          `<LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
        await ask("PUT", "", region === "us-east-1" ? {} : { body });
      }
    },

    async sweep() {
      let swept = 0;
      let found: string[];
      try {
        found = await pages(`uploads=&prefix=${encodeURIComponent(prefix)}`, () => null);
      } catch (error) {
        if (error instanceof UserError && /HTTP (400|405|501)/.test(error.message)) return 0; // has no such list
        throw error;
      }
      for (const upload of found.flatMap((text) => tag(text, "Upload"))) {
        const [key] = tag(upload, "Key"), [id] = tag(upload, "UploadId");
        const query = `uploadId=${encodeURIComponent(id)}`;
        await ask("DELETE", key.slice(prefix.length), { query, absent: true });
        swept++;
      }
      return swept;
    },
  };
}

/** The contents of all elements of that name. */
function tag(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "g"))].map(([, content]) =>
    content.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")
  );
}
