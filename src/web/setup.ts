/** What a visitor may choose, and its form in the address. */
/** A choice of words, a number in a range, a list of widths, or yes and no. */
export type Field =
  | { readonly kind: "choice"; readonly of: Readonly<Record<string, string>> }
  | { readonly kind: "number"; readonly min: number; readonly max: number; readonly step: number | "any" }
  | { readonly kind: "widths"; readonly most: number; readonly max: number }
  | { readonly kind: "switch" };

/** A field as the form shows it. */
export interface FieldSpec {
  readonly label: string;
  readonly help: string;
  readonly field: Field;
  readonly value: string;
  /** Data that it is of use for; absent: any. */
  readonly data?: readonly DataKind[];
  /** Stands below "More settings". */
  readonly rare?: true;
}

export type DataKind = "spirals" | "digits" | "images";

const IMAGES: readonly DataKind[] = ["digits", "images"];
const POINTS: readonly DataKind[] = ["spirals"];

/** Every field, in the order of the form. All values are text, as in the address. */
export const FIELDS = {
  data: {
    label: "Data",
    help: "What the network learns to tell apart.",
    field: {
      kind: "choice",
      of: { spirals: "Spirals", digits: "Handwritten digits", images: "Your own images" },
    },
    value: "spirals",
  },
  controller: {
    label: "Who decides",
    help: "Who sows, blends in, keeps and prunes. You may step in at any time.",
    field: {
      kind: "choice",
      of: { heuristic: "Rules of thumb", gnn: "Learned policy", random: "Chance", off: "Only you" },
    },
    value: "heuristic",
  },
  seed: {
    label: "Seed",
    help: "The same seed gives the same run on the same device.",
    field: { kind: "number", min: 0, max: 0xffff_ffff, step: 1 },
    value: "1",
  },
  hidden: {
    label: "Layers",
    help: "Units of each layer of the host, such as 8,8.",
    field: { kind: "widths", most: 4, max: 64 },
    value: "6,6",
    data: POINTS,
  },
  channels: {
    label: "Channels",
    help: "Channels of each convolution of the host, such as 4,8.",
    field: { kind: "widths", most: 3, max: 32 },
    value: "4,8",
    data: IMAGES,
  },
  arms: {
    label: "Arms",
    help: "Spiral arms: one class each.",
    field: { kind: "number", min: 2, max: 6, step: 1 },
    value: "3",
    data: POINTS,
  },
  noise: {
    label: "Noise",
    help: "How far points stray from their arm.",
    field: { kind: "number", min: 0, max: 0.2, step: "any" },
    value: "0.03",
    data: POINTS,
  },
  turns: {
    label: "Turns",
    help: "Turns of an arm around the centre.",
    field: { kind: "number", min: 0.25, max: 3, step: "any" },
    value: "1.25",
    data: POINTS,
  },
  twin: {
    label: "Compare with a host that never grows",
    help: "The same host, seed and data, given the same number of FLOPs.",
    field: { kind: "switch" },
    value: "yes",
  },
  incubation: {
    label: "A seed learns",
    help: "Before it is blended in.",
    field: {
      kind: "choice",
      of: {
        shadow: "behind the host, unnoticed",
        none: "within the host, from birth",
        ste: "straight through",
      },
    },
    value: "shadow",
    rare: true,
  },
  rate: {
    label: "Learning rate",
    help: "The highest; it warms up and falls along a cosine.",
    field: { kind: "number", min: 1e-5, max: 1, step: "any" },
    value: "0.008",
    rare: true,
  },
  batch: {
    label: "Batch",
    help: "Examples in a step.",
    field: { kind: "number", min: 8, max: 512, step: 1 },
    value: "64",
    rare: true,
  },
  tick: {
    label: "Steps in a tick",
    help: "How often it is decided whether to grow.",
    field: { kind: "number", min: 5, max: 500, step: 1 },
    value: "50",
    rare: true,
  },
  ticks: {
    label: "Ticks",
    help: "Length of the run, as ticks of the host alone; growth costs more and so shortens it.",
    field: { kind: "number", min: 20, max: 2000, step: 1 },
    value: "120",
    rare: true,
  },
  ramp: {
    label: "Blending",
    help: "Ticks over which α rises from 0 to 1.",
    field: { kind: "choice", of: { "2": "2 ticks", "4": "4 ticks", "8": "8 ticks" } },
    value: "4",
    rare: true,
  },
} as const satisfies Record<string, FieldSpec>;

export type FieldName = keyof typeof FIELDS;
export type Setup = Readonly<Record<FieldName, string>>;

export const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];
const DEFAULTS = Object.fromEntries(FIELD_NAMES.map((name) => [name, FIELDS[name].value])) as Setup;

/** Whether a text is a value of a field. */
function fits(text: string, field: Field): boolean {
  if (field.kind === "choice") return Object.hasOwn(field.of, text);
  if (field.kind === "switch") return text === "yes" || text === "no";
  const whole = (part: string) => /^\d+$/.test(part);
  if (field.kind === "widths") {
    const parts = text.split(",");
    return parts.length <= field.most &&
      parts.every((part) => whole(part) && Number(part) >= 1 && Number(part) <= field.max);
  }
  const number = Number(text);
  return text.trim() !== "" && number >= field.min && number <= field.max &&
    (field.step !== 1 || whole(text));
}

/** What is wrong with a value, for the person who typed it; null where it will do. */
export function faultOf(name: FieldName, text: string): string | null {
  const { field, label }: FieldSpec = FIELDS[name];
  if (fits(text, field)) return null;
  if (field.kind === "number") {
    const kind = field.step === 1 ? "a whole number" : "a number";
    return `${label}: want ${kind} from ${field.min} to ${field.max}`;
  }
  if (field.kind === "widths") {
    return `${label}: want up to ${field.most} numbers from 1 to ${field.max}, such as ${FIELDS[name].value}`;
  }
  return `${label}: want one of ${field.kind === "choice" ? Object.keys(field.of).join(", ") : "yes, no"}`;
}

/** A setup from the part of an address behind `#`. What does not fit is left at its default, and named. */
export function parseSetup(hash: string): { setup: Setup; faults: string[] } {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const setup: Record<FieldName, string> = { ...DEFAULTS }, faults: string[] = [];
  for (const name of FIELD_NAMES) {
    const text = given.get(name);
    if (text === null) continue;
    const fault = faultOf(name, text);
    if (fault === null) setup[name] = text;
    else faults.push(fault);
  }
  return { setup, faults };
}

/** The part of an address behind `#`: what differs from the defaults. */
export function formatSetup(setup: Setup): string {
  const differing = FIELD_NAMES.filter((name) => setup[name] !== DEFAULTS[name]);
  return new URLSearchParams(differing.map((name) => [name, setup[name]])).toString().replaceAll("%2C", ",");
}
