/** A card for each slot: its stage, the evidence at its gate, and a button for every action. */
import type { Action, Measurement } from "../contracts/control.ts";
import { formatCount, formatNumber } from "../report/format.ts";
import { html, say, setAll, svg } from "./dom.ts";
import type { Beginning, SlotView, Snapshot } from "./protocol.ts";
import { ACTION_WORDS, STAGE_WORDS, wordsOfAction, wordsOfRefusal } from "./words.ts";

/** Standard errors on either side that are drawn: 95 %, one-sided. */
const CONFIDENCE = 1.645;
const WIDTH = 220, HEIGHT = 26;

type SlotAction = Exclude<Action, { kind: "wait" }>;

const same = (a: Action, b: Action) => JSON.stringify(a) === JSON.stringify(b);

/** A measurement as a dot with its interval, beside zero. */
function interval({ mean, se }: Measurement): SVGSVGElement {
  const reach = Math.max(Math.abs(mean) + 2 * CONFIDENCE * se, 1e-9);
  const x = (value: number) => WIDTH / 2 + (WIDTH / 2 - 8) * value / reach;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "interval", "aria-hidden": "true" },
    svg("line", { class: "zero", x1: x(0), x2: x(0), y1: 2, y2: HEIGHT - 2 }),
    svg("line", {
      class: "bar",
      x1: x(mean - CONFIDENCE * se),
      x2: x(mean + CONFIDENCE * se),
      y1: HEIGHT / 2,
      y2: HEIGHT / 2,
    }),
    svg("circle", { cx: x(mean), cy: HEIGHT / 2, r: 5 }),
  );
}

function proofOf(slot: SlotView): { words: string; measured: Measurement | null } | null {
  if (slot.stage === "TRAINING") return { words: "Loss without it − with it", measured: slot.advantage };
  if (slot.stage === "HOLDING") {
    return { words: "Loss when it is switched off − with it", measured: slot.removal };
  }
  return null;
}

interface Card {
  readonly element: HTMLElement;
  update(slot: SlotView, now: Snapshot): void;
}

function slotCard(name: string, ask: (action: Action | null) => void): Card {
  const title = html("h3", { id: `slot-${name}` }, name), stage = html("p", { class: "stage" });
  const facts = html("p", { class: "facts" }), evidence = html("div", { class: "evidence" });
  const choice = html("select", { "aria-label": `What to sow in ${name}` });
  let legal: readonly Action[] = [];

  function button(kind: SlotAction["kind"]): HTMLButtonElement {
    const made = html("button", { type: "button", "aria-disabled": true }, ACTION_WORDS[kind]);
    setAll(made, { "aria-label": `${ACTION_WORDS[kind]}: ${name}` });
    made.addEventListener("click", () => {
      const action = wanted(kind);
      if (legal.some((one) => same(one, action))) ask(action);
    });
    return made;
  }

  const wanted = (kind: SlotAction["kind"]): SlotAction =>
    kind === "germinate" ? { kind, slot: name, blueprint: choice.value } : { kind, slot: name };
  const kinds = ["germinate", "advance", "fossilize", "prune"] as const;
  const buttons = new Map(kinds.map((kind) => [kind, button(kind)]));
  const sow = html("span", { class: "sow" }, choice, buttons.get("germinate")!);
  const row = html("div", { class: "row" }, sow, ...kinds.slice(1).map((kind) => buttons.get(kind)!));
  const asked = html("p", { class: "asked", hidden: true });
  const element = html(
    "article",
    { class: "slot-card", "aria-labelledby": `slot-${name}` },
    title,
    stage,
    facts,
  );
  element.append(evidence, row, asked);

  function offer(blueprints: readonly string[]): void {
    if ([...choice.options].map(({ value }) => value).join() === blueprints.join()) return;
    const { value } = choice;
    choice.replaceChildren(...blueprints.map((blueprint) => html("option", { value: blueprint }, blueprint)));
    if (blueprints.includes(value)) choice.value = value;
  }

  return {
    element,
    update(slot, now) {
      legal = now.legal.filter((action) => action.kind !== "wait" && action.slot === name);
      setAll(element, { "data-stage": slot.stage });
      say(stage, STAGE_WORDS[slot.stage]);
      say(
        facts,
        slot.blueprint === null
          ? "no seed"
          : `${slot.blueprint} · ${formatCount(slot.params)} weights · α ${
            slot.alpha.toFixed(2)
          } · ${slot.ticksInStage} ${slot.ticksInStage === 1 ? "tick" : "ticks"} here`,
      );
      const proof = proofOf(slot), words = html("p");
      if (proof?.measured) {
        const { mean, se, n } = proof.measured;
        words.append(
          `${proof.words}: `,
          html("b", {}, `${formatNumber(mean)} ± ${formatNumber(se)}`),
          ` nats over ${n} batches`,
        );
      } else if (proof) words.append(`${proof.words}: not measured yet`);
      const gate = slot.next &&
        html(
          "p",
          { class: slot.next.refusal ? "waits" : "passes" },
          slot.next.refusal
            ? `May not ${wordsOfAction(slot.next.action)} yet: ${wordsOfRefusal(slot.next.refusal)}.`
            : `May ${wordsOfAction(slot.next.action)}: its gate is passed.`,
        );
      evidence.replaceChildren(
        ...proof ? [words] : [],
        ...proof?.measured ? [interval(proof.measured)] : [],
        ...gate ? [gate] : [],
      );
      offer(legal.flatMap((action) => action.kind === "germinate" ? [action.blueprint] : []));
      sow.hidden = slot.blueprint !== null;
      for (const [kind, button] of buttons) {
        const allowed = legal.some((action) => action.kind === kind);
        setAll(button, { "aria-disabled": allowed ? null : "true" });
        button.hidden = kind !== "germinate" && slot.blueprint === null;
      }
      const mine = now.asked && now.asked.kind !== "wait" && now.asked.slot === name ? now.asked : null;
      asked.hidden = mine === null;
      if (mine) {
        const cancel = html("button", { type: "button", class: "plain" }, "take back");
        cancel.addEventListener("click", () => ask(null));
        asked.replaceChildren(`At the next tick: ${wordsOfAction(mine)}. `, cancel);
      }
    },
  };
}

/** Makes the cards of a run's slots; returns what brings them up to date. */
export function showSlots(
  place: HTMLElement,
  { slots }: Beginning,
  ask: (action: Action | null) => void,
): (now: Snapshot) => void {
  const cards = new Map(slots.map((name) => [name, slotCard(name, ask)]));
  place.replaceChildren(...[...cards.values()].map(({ element }) => element));
  return (now) => {
    for (const slot of now.slots) cards.get(slot.slot)?.update(slot, now);
  };
}
