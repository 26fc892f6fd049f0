import { type Envelope, type Topic, topics } from "../contracts/events.ts";
import { Queue } from "./queue.ts";

/** The newest messages of every topic. */
export interface History {
  add(envelope: Envelope): void;
  /**
   * What is kept of a topic from that sequence number on; `newest` is the last one given out.
   *
   * @throws where messages from there on are no longer kept, or the number lies in the future
   */
  since(topic: Topic, from: number | "oldest", newest: number): Envelope[];
}

/** Keeps up to `kept` messages a topic, from those after sequence number `before` on. */
export function createHistory(kept: number, before = 0): History {
  const logs = new Map((Object.keys(topics) as Topic[]).map((topic) => [topic, {
    messages: new Queue<Envelope>(),
    /** Sequence number of the newest message that is no longer kept. */
    forgotten: before,
  }]));
  return {
    add(envelope) {
      const log = logs.get(envelope.topic)!;
      log.messages.push(envelope);
      if (log.messages.length > kept) log.forgotten = log.messages.shift()!.id;
    },
    since(topic, from, newest) {
      const { messages, forgotten } = logs.get(topic)!;
      if (from === "oldest") return messages.items();
      if (!Number.isInteger(from) || from < 1 || from > newest + 1) {
        throw new Error(
          `subscribe: want a sequence number from 1 to ${newest + 1} to replay "${topic}" from, got ${from}`,
        );
      }
      if (from <= forgotten) {
        throw new Error(
          `subscribe: want "${topic}" from ${from} on, got a history that begins after ${forgotten}; ` +
            `replay from "oldest" takes what is kept, and events.jsonl of a run has everything`,
        );
      }
      return messages.items().filter(({ id }) => id >= from);
    },
  };
}
