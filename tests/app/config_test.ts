import { assert, assertEquals, assertThrows } from "@std/assert";
import { applySet, type ConfigSource, mergeConfig, resolveConfig } from "../../src/app/config.ts";
import { PROFILES } from "../../src/contracts/config.ts";
import { SCHEMA_NAMES, schemaFile, schemaFileText } from "../../src/cli/schema_file.ts";
import { UserError } from "../../src/util/errors.ts";

const minimal = {
  data: { kind: "cifar10" },
  host: { kind: "cnn", channels: [4, 8] },
  train: { batch: 32, budgetGflop: 10 },
};

function source(file: unknown, sets: string[] = [], flags: Record<string, unknown> = {}): ConfigSource {
  return { file, sets, flags };
}

function messageOf(run: () => unknown): string {
  const error = assertThrows(run, UserError);
  assertEquals(error.exitCode, 2);
  return error.message;
}

const configs = [...Deno.readDirSync("configs")].filter(({ name }) =>
  name.endsWith(".json") && !name.startsWith("prove_")
);
for (const { name } of configs) {
  for (const profile of PROFILES) {
    Deno.test(`configs/${name} resolves with profile ${profile} and resolves to itself again`, () => {
      const file = JSON.parse(Deno.readTextFileSync(`configs/${name}`));
      assertEquals(file.$schema, "./schema/run.schema.json");
      const config = resolveConfig(source(file), profile);
      assertEquals(resolveConfig(source(JSON.parse(JSON.stringify(config))), profile), config);
    });
  }
}

Deno.test("configs/schema/ is fresh; run `deno task schema` when this fails", () => {
  for (const name of SCHEMA_NAMES) {
    assertEquals(Deno.readTextFileSync(schemaFile(name)), schemaFileText(name));
  }
});

Deno.test("configFileSchema() describes every key", () => {
  const bare: string[] = [];
  const walk = (node: Record<string, unknown>, path: string) => {
    for (const [key, child] of Object.entries(node.properties as Record<string, never> ?? {})) {
      if (!("description" in child) && !("$ref" in child) && key !== "kind") bare.push(`${path}.${key}`);
      walk(child, `${path}.${key}`);
    }
    for (const child of (node.oneOf ?? node.anyOf ?? []) as never[]) walk(child, path);
  };
  for (const name of SCHEMA_NAMES) walk(JSON.parse(schemaFileText(name)), "");
  assertEquals(bare.filter((path) => !path.startsWith(".controller")), []);
});

Deno.test("resolveConfig() precedence is file < profile < --set < flags", () => {
  const file = { ...minimal, seed: 1, profiles: { small: { seed: 2, train: { batch: 16 } } } };
  assertEquals(resolveConfig(source(file), "full").seed, 1);
  assertEquals(resolveConfig(source(file), "small").seed, 2);
  assertEquals(resolveConfig(source(file, ["seed=3"]), "small").seed, 3);
  const flagged = resolveConfig(source(file, ["seed=3"], { seed: 4, train: { maxSteps: 5 } }), "small");
  assertEquals([flagged.seed, flagged.train.batch, flagged.train.maxSteps], [4, 16, 5]);
});

Deno.test("mergeConfig() replaces lists, removes null, and drops what a changed kind does not know", () => {
  assertEquals(mergeConfig({ a: [1, 2], b: { c: 1, d: 2 } }, { a: [3], b: { c: null } }), {
    a: [3],
    b: { d: 2 },
  });
  const base = { host: { kind: "cnn", channels: [4], norm: "group" }, data: { kind: "cifar10", pixels: 16 } };
  assertEquals(mergeConfig(base, { host: { kind: "mlp" }, data: { kind: "digits" } }), {
    host: { kind: "mlp" },
    data: { kind: "digits", pixels: 16 },
  });
});

Deno.test("applySet() reads the value as the type of its key", () => {
  const set = (text: string) => applySet(structuredClone(minimal), text) as Record<string, never>;
  assertEquals(set("train.batch=64").train, { batch: 64, budgetGflop: 10 } as never);
  assertEquals(set("host.channels=4,8,16").host, { kind: "cnn", channels: [4, 8, 16] } as never);
  assertEquals(set("host.channels=[2]").host, { kind: "cnn", channels: [2] } as never);
  assertEquals(set("growth.slots=block1,block2").growth, { slots: ["block1", "block2"] } as never);
  assertEquals(set("growth.alpha.ticks=2").growth, { alpha: { ticks: 2 } } as never);
  assertEquals(set("name=123").name, "123" as never);
  assertEquals(set("data.augment.flip=true").data, { kind: "cifar10", augment: { flip: true } } as never);
  assertEquals(set("host.channels=null").host, { kind: "cnn" } as never);
});

Deno.test("applySet() names an unknown key and the nearest one", () => {
  const text = (assignment: string) => messageOf(() => applySet(minimal, assignment));
  assertEquals(text("train.bach=3"), '--set: unknown key "train.bach"; did you mean "train.batch"?');
  assertEquals(text("batch=3"), '--set: unknown key "batch"; did you mean "train.batch"?');
  assertEquals(
    text("host.hidden=3"),
    '--set: unknown key "host.hidden"; there is host.channels, host.groupSize, host.kind, host.norm',
  );
  assertEquals(text("train"), '--set: want KEY=VALUE such as train.batch=64, got "train"');
});

const wrong: [string, unknown, string][] = [
  [
    "unknown key",
    { train: { ...minimal.train, bach: 3 } },
    'unknown key "train.bach"; did you mean "train.batch"?',
  ],
  ["text for a number", { train: { ...minimal.train, batch: "x" } }, 'train.batch: want number, got "x"'],
  ["fraction", { train: { ...minimal.train, batch: 1.5 } }, "train.batch: want integer, got 1.5"],
  ["too small", { train: { ...minimal.train, batch: 0 } }, "train.batch: want a number >= 1, got 0"],
  ["missing", { train: { batch: 1 } }, "train.budgetGflop: want number, got nothing"],
  [
    "kind",
    { data: { kind: "cifar" } },
    'data.kind: want "cifar10", "fashion-mnist", "digits" or "spirals", got "cifar"; did you mean "cifar10"?',
  ],
  ["choice", { growth: { alpha: { ticks: 3 } } }, "growth.alpha.ticks: want 2 or 4 or 8, got 3"],
  ["list", { host: { kind: "cnn", channels: [] } }, "host.channels: want at least 1 entries, got []"],
  ["host", { host: { kind: "mlp" } }, 'host.kind: want cnn, resnet or airbench for data cifar10, got "mlp"'],
];
for (const [name, change, expected] of wrong) {
  Deno.test(`resolveConfig() on ${name}: path, want, got`, () => {
    assertEquals(
      messageOf(() => resolveConfig(source({ ...minimal, ...change as object }), "full")),
      `config: ${expected}`,
    );
  });
}

Deno.test("resolveConfig() reports every problem, one a line", () => {
  const message = messageOf(() => resolveConfig(source({ ...minimal, sed: 1, growht: {} }), "full"));
  const lines = ['unknown key "sed"; did you mean "seed"?', 'unknown key "growht"; did you mean "growth"?'];
  assertEquals(message, lines.map((line) => `config: ${line}`).join("\n"));
});

Deno.test("resolveConfig() checks the names of profiles", () => {
  const message = messageOf(() => resolveConfig(source({ ...minimal, profiles: { smal: {} } }), "full"));
  assertEquals(message, 'config: unknown key "profiles.smal"; did you mean "small"?');
  assert(messageOf(() => resolveConfig(source([1]), "full")).startsWith("config: want an object, got [1]"));
});

const plan = (entry: Record<string, unknown>) => ({ kind: "fixed", schedule: [{ tick: 3, ...entry }] });
const names: [string, unknown, string][] = [
  [
    "growth.blueprints",
    { growth: { blueprints: ["se", "con3"] } },
    'growth.blueprints.1: want a blueprint, got "con3"; did you mean "conv3"?',
  ],
  [
    "controller.order",
    { controller: { kind: "heuristic", order: ["Affine1"] } },
    'controller.order.0: want a blueprint, got "Affine1"; did you mean "affine"?',
  ],
  [
    "a schedule that germinates what may not grow",
    {
      growth: { blueprints: ["se"] },
      controller: plan({ action: "germinate", slot: "a", blueprint: "conv3" }),
    },
    'controller.schedule.0.blueprint: want one of growth.blueprints, got "conv3"; there is se',
  ],
];
for (const [key, change, line] of names) {
  Deno.test(`resolveConfig() checks names of blueprints in ${key}`, () => {
    assertEquals(
      messageOf(() => resolveConfig(source({ ...minimal, ...change as object }), "full")),
      `config: ${line}`,
    );
  });
}
