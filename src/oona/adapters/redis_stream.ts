import { type AnyEnvelope, type Envelope, LogLine } from "../../contracts/events.ts";
import { finiteOrText, parseJson } from "../../util/json.ts";

/** Keys of a channel. The braces keep them on one node of a cluster. */
export const keysOf = (channel: string) => ({
  /** The messages; the ID of entry n is n-0. */
  stream: `esper:{${channel}}:stream`,
  /** A hash: who publishes (`owner`), how often someone took over (`epoch`), the newest number (`newest`). */
  meta: `esper:{${channel}}:meta`,
  /** What a group could not process. */
  dead: `esper:{${channel}}:dead`,
});

/** Takes a channel over, unless it is another's. KEYS: meta; ARGV: owner. Returns epoch and newest number. */
export const CLAIM = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return redis.error_reply('OWNED ' .. owner) end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return { redis.call('HINCRBY', KEYS[1], 'epoch', 1), tonumber(redis.call('HGET', KEYS[1], 'newest') or '0') }
`;

/**
 * Appends messages that are not there yet, all or none. KEYS: stream, meta; ARGV: owner, epoch, entries kept,
 * milliseconds kept, then number and line of each. A server that has lost its memory begins again with this publisher.
 */
export const APPEND = `
local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then redis.call('HSET', KEYS[2], 'owner', ARGV[1], 'epoch', ARGV[2])
elseif epoch ~= ARGV[2] then return redis.error_reply('FENCED by epoch ' .. epoch) end
local newest = tonumber(redis.call('HGET', KEYS[2], 'newest') or '0')
for i = 5, #ARGV, 2 do
  local id = tonumber(ARGV[i])
  if id > newest then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[i] .. '-0', 'line', ARGV[i + 1])
    newest = id
  end
end
redis.call('HSET', KEYS[2], 'newest', string.format('%d', newest))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return newest
`;

/** Makes a dead letter of a message. KEYS: stream, dead; ARGV: group, entry, line, error. */
export const BURY = `
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1024, '*', 'group', ARGV[1], 'id', ARGV[2], 'line', ARGV[3], 'error', ARGV[4])
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
`;

/** A message as text, without its number. */
export function lineOf({ topic, payload, time }: Envelope): string {
  return JSON.stringify({ topic, ...payload, time }, finiteOrText);
}

/** An entry as `XRANGE` and its kin return it. */
export type Entry = [id: string, fields: string[] | null];

/** Number of an entry. */
export function numberOf([id]: Entry): number {
  return Number(id.slice(0, id.indexOf("-")));
}

/** @throws where an entry is not a message, which anyone may have put there */
export function messageOf(entry: Entry): AnyEnvelope {
  const parsed = LogLine.safeParse(parseJson(entry[1]?.[1] ?? "null"));
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new Error(
      `entry ${entry[0]}: want a message, got trouble at ${path.join(".") || "line"}: ${message}`,
    );
  }
  const { topic, time, ...payload } = parsed.data;
  return { id: numberOf(entry), time, topic, payload } as unknown as AnyEnvelope;
}
