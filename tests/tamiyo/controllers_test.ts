import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Action,
  ControllerConfig,
  type Decision,
  type Observation,
} from "../../src/contracts/control.ts";
import { createController, parseSchedule, type Policy } from "../../src/tamiyo/mod.ts";
import { canonicalJson } from "../../src/util/json.ts";
import { anyRun, germinations, observationLike, slotLike } from "./observations.ts";

const configs = {
  off: ControllerConfig.parse({ kind: "off" }),
  fixed: ControllerConfig.parse({
    kind: "fixed",
    schedule: [
      { tick: 3, action: "germinate", slot: "b", blueprint: "se" },
      { tick: 1, action: "germinate", slot: "a", blueprint: "conv3" },
      { tick: 9, action: "advance", slot: "a" },
      { tick: 9, action: "prune", slot: "b" },
      { tick: 14, action: "fossilize", slot: "a" },
    ],
  }),
  random: ControllerConfig.parse({ kind: "random", germinate: 0.5 }),
  heuristic: ControllerConfig.parse({ kind: "heuristic" }),
  gnn: ControllerConfig.parse({ kind: "gnn", sample: true }),
};

/** Likes later actions better, the more so the further the run is. */
const policy: Policy = {
  sha256: "a".repeat(64),
  logits: ({ legal, progress }) => legal.map((_, k) => 3 * progress * k),
};

const isLegal = (action: Action, { legal }: Observation) =>
  legal.some((a) => canonicalJson(a) === canonicalJson(action));

for (const [kind, config] of Object.entries(configs)) {
  const create = (seed = 7) => createController(config, seed, policy);

  Deno.test(`createController(${kind}) never leaves the legal actions and says why`, () => {
    fc.assert(fc.property(anyRun, fc.nat(), (run, seed) => {
      const controller = create(seed);
      assertEquals(controller.kind, kind);
      for (const observation of run) {
        const before = canonicalJson(observation.legal);
        const { action, why } = controller.decide(observation);
        assert(isLegal(action, observation), `${canonicalJson(action)} is not legal`);
        assert(why.length > 0 && !why.includes("undefined"), why);
        assertEquals(canonicalJson(observation.legal), before);
      }
    }));
  });

  Deno.test(`createController(${kind}) decides the same again, also when restored from JSON at any tick`, () => {
    fc.assert(fc.property(anyRun, fc.nat(24), (run, cut) => {
      const whole = decisions(create(), run);
      assertEquals(decisions(create(), run), whole);
      const first = create();
      const head = decisions(first, run.slice(0, cut));
      const text = canonicalJson(first.save());
      const second = create();
      second.restore(JSON.parse(text));
      assertEquals(canonicalJson(second.save()), text);
      assertEquals([...head, ...decisions(second, run.slice(cut))], whole);
    }));
  });

  Deno.test(`createController(${kind}) save() is a copy`, () => {
    const controller = create();
    const run = [observationLike({ tick: 1, slots: ["a", "b", "c"].map((name) => slotLike(name)) })];
    decisions(controller, run);
    const saved = canonicalJson(controller.save());
    Object.assign(controller.save() as object, { kind: "changed" });
    assertEquals(canonicalJson(controller.save()), saved);
  });

  Deno.test(`createController(${kind}) refuses another controller's state`, () => {
    const other = kind === "off" ? "random" : "off";
    assertThrows(
      () => create().restore({ kind: other }),
      Error,
      `restore: want the state of a "${kind}" controller, got that of "${other}"; resume with the run's own configuration`,
    );
    assertThrows(
      () => create().restore({ kind, extra: 1 }),
      Error,
      `want the state of a "${kind}" controller, got another form`,
    );
    assertThrows(() => create().restore(null), Error, "got another form (top:");
  });
}

function decisions(controller: ReturnType<typeof createController>, run: Observation[]): Decision[] {
  return run.map((observation) => controller.decide(observation));
}

Deno.test("createController(off) always waits", () => {
  const legal: Action[] = [{ kind: "wait" }, ...germinations(["a"], ["se"])];
  assertEquals(createController(configs.off, 1).decide(observationLike({ legal })), {
    action: { kind: "wait" },
    why: "growth is off",
    warnings: [],
  });
});

Deno.test("createController(random) germinates with the configured chance, each legal germination alike", () => {
  const legal: Action[] = [
    { kind: "wait" },
    { kind: "advance", slot: "b" },
    ...germinations(["a", "b"], ["se", "conv3"]),
  ];
  const counts = new Map<string, number>();
  const controller = createController(ControllerConfig.parse({ kind: "random", germinate: 0.3 }), 5);
  const ticks = 4000;
  for (let tick = 0; tick < ticks; tick++) {
    const key = canonicalJson(controller.decide(observationLike({ tick, legal })).action);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assertEquals(counts.size, legal.length);
  for (const action of legal) {
    const chance = action.kind === "germinate" ? 0.3 / 4 : 0.7 / 2;
    const sigma = Math.sqrt(ticks * chance * (1 - chance));
    const count = counts.get(canonicalJson(action))!;
    assert(
      Math.abs(count - ticks * chance) < 4 * sigma,
      `${canonicalJson(action)}: ${count}, want ${ticks * chance}`,
    );
  }
});

Deno.test("createController(random) depends on the seed and the tick, not on the ticks before", () => {
  const legal: Action[] = [{ kind: "wait" }, ...germinations(["a", "b"], ["se", "conv3", "affine"])];
  const run = Array.from({ length: 40 }, (_, tick) => observationLike({ tick, legal }));
  const config = configs.random;
  const whole = decisions(createController(config, 1), run);
  assertEquals(decisions(createController(config, 1), run.slice(20)), whole.slice(20));
  assert(canonicalJson(decisions(createController(config, 2), run)) !== canonicalJson(whole));
});

Deno.test("createController(fixed) takes due entries in order, one a tick", () => {
  const controller = createController(configs.fixed, 1);
  const slots = ["a", "b"].map((name) => slotLike(name));
  const legal: Action[] = [
    { kind: "wait" },
    ...germinations(["a", "b"], ["se", "conv3"]),
    { kind: "advance", slot: "a" },
    { kind: "prune", slot: "b" },
  ];
  const taken = Array.from(
    { length: 12 },
    (_, tick) => controller.decide(observationLike({ tick, slots, legal })),
  )
    .map(({ action, why }, tick) => ({ tick, action, why })).filter(({ action }) => action.kind !== "wait");
  assertEquals(taken, [
    {
      tick: 1,
      action: { kind: "germinate", slot: "a", blueprint: "conv3" },
      why: "schedule: germinate conv3 in a at tick 1",
    },
    {
      tick: 3,
      action: { kind: "germinate", slot: "b", blueprint: "se" },
      why: "schedule: germinate se in b at tick 3",
    },
    { tick: 9, action: { kind: "advance", slot: "a" }, why: "schedule: advance a at tick 9" },
    { tick: 10, action: { kind: "prune", slot: "b" }, why: "schedule: prune b at tick 9" },
  ]);
});

Deno.test("createController(fixed) tries an entry for five more ticks, then warns and gives it up", () => {
  const schedule = parseSchedule([{ tick: 2, action: "advance", slot: "a" }], "inline");
  const legal: Action[] = [{ kind: "wait" }, { kind: "advance", slot: "a" }];
  const run = (legalAt: number) => {
    const controller = createController({ kind: "fixed", schedule }, 1);
    return Array.from(
      { length: 12 },
      (_, tick) => controller.decide(observationLike(tick === legalAt ? { tick, legal } : { tick })),
    );
  };
  const late = run(7);
  assertEquals(late[6].why, "not legal yet: advance a at tick 2");
  assertEquals(late[7].action, { kind: "advance", slot: "a" });
  assertEquals(late.flatMap((decision) => decision.warnings), []);
  const tooLate = run(8);
  assertEquals(tooLate[8].action, { kind: "wait" });
  assertEquals(tooLate[8].warnings, ["gave up on advance a at tick 2: not legal for 5 ticks"]);
  assertEquals(tooLate[9], { action: { kind: "wait" }, why: "nothing is scheduled", warnings: [] });
});

Deno.test("createController(fixed) an entry that waits does not hold up the next", () => {
  const schedule = parseSchedule([
    { tick: 1, action: "advance", slot: "a" },
    { tick: 1, action: "prune", slot: "b" },
  ], "inline");
  const legal: Action[] = [{ kind: "wait" }, { kind: "prune", slot: "b" }];
  const { action } = createController({ kind: "fixed", schedule }, 1).decide(
    observationLike({ tick: 1, legal }),
  );
  assertStrictEquals(action, legal[1]);
});

Deno.test("createController(fixed) refuses an unknown slot at once and a schedule that is still a path", () => {
  const schedule = parseSchedule([{ tick: 50, action: "prune", slot: "stage3" }], "inline");
  const observation = observationLike({ slots: [slotLike("stage1"), slotLike("stage2")] });
  assertThrows(
    () => createController({ kind: "fixed", schedule }, 1).decide(observation),
    Error,
    'schedule: want a slot of this network at tick 50, got "stage3"; did you mean "stage1"?',
  );
  assertThrows(
    () => createController({ kind: "fixed", schedule: "plan.json" }, 1),
    Error,
    'createController: want a schedule\'s entries, got the path "plan.json"; load it with parseSchedule',
  );
});

Deno.test("parseSchedule() names file, entry and trouble", () => {
  const refused = (json: unknown, text: string) =>
    assertThrows(() => parseSchedule(json, "plan.json"), Error, text);
  refused(
    {},
    "schedule plan.json: want a list of { tick, action, slot, blueprint for germinate }, got trouble at the list:",
  );
  refused([{ tick: -1, action: "prune", slot: "a" }], "got trouble at entry 0.tick:");
  refused([{ tick: 1, action: "germinate", slot: "a" }], "got trouble at entry 0.blueprint:");
  refused([{ tick: 1, action: "prune", slot: "a", blueprint: "se" }], "got trouble at entry 0:");
  refused([{ tick: 1, action: "grow", slot: "a" }], "got trouble at entry 0.action:");
});

Deno.test("ControllerConfig fills in defaults and refuses unknown keys", () => {
  assertEquals(ControllerConfig.parse({ kind: "random" }), { kind: "random", germinate: 0.2 });
  assertEquals(ControllerConfig.parse({ kind: "heuristic", rent: { flops: 0 } }), {
    kind: "heuristic",
    germinateFrom: 0.1,
    germinateUntil: 0.6,
    plateauTicks: 3,
    plateauImprovement: 0.01,
    everyTicks: 8,
    pruneAfter: 8,
    confidence: 1.645,
    order: [],
    priorAdvantage: 0.02,
    exploration: 0.02,
    rent: { params: 0.05, flops: 0 },
  });
  assertEquals(ControllerConfig.safeParse({ kind: "off", seed: 1 }).success, false);
  assertEquals(ControllerConfig.safeParse({ kind: "random", germinate: 2 }).success, false);
});

Deno.test("gnn takes the likeliest action, the first of equals, or draws by the policy's probabilities", () => {
  const legal: Action[] = [{ kind: "wait" }, ...germinations(["a"], ["se", "conv3", "affine"])];
  const logits = [0, Math.log(2), Math.log(2), -Infinity];
  const given = (sample: boolean, seed: number) =>
    createController({ kind: "gnn", sample }, seed, { sha256: "a".repeat(64), logits: () => logits });
  const greedy = given(false, 1).decide(observationLike({ legal }));
  assertStrictEquals(greedy.action, legal[1]);
  assertEquals(greedy.why, "40.0% of 4 legal actions; next 40.0%: germinate a with conv3");
  const drawn = Array.from({ length: 1000 }, (_, tick) => {
    const { action } = given(true, 3).decide(observationLike({ tick, legal }));
    return legal.indexOf(action);
  });
  const share = (index: number) => drawn.filter((one) => one === index).length / drawn.length;
  for (const [index, want] of [0.2, 0.4, 0.4, 0].entries()) {
    assert(Math.abs(share(index) - want) < 0.05, `${index}`);
  }
});

Deno.test("gnn goes on only with the policy that it began with, and does not begin with none", () => {
  const config = ControllerConfig.parse({ kind: "gnn" });
  const saved = createController(config, 1, policy).save();
  const other = createController(config, 1, { ...policy, sha256: "b".repeat(64) });
  assertThrows(() => other.restore(saved), Error, `restore: want the policy with SHA-256 ${"a".repeat(64)}`);
  assertThrows(() => createController(config, 1), Error, "want the policy of a gnn controller, got none");
});
