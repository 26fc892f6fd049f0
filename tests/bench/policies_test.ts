import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { allPlans, planned } from "../../bench/support/planned.ts";
import { armTable, comparable, type Episode, PLAN, regretTable } from "../../bench/support/policy_table.ts";
import type { Action } from "../../src/contracts/control.ts";
import { TaskList } from "../../src/contracts/tasks.ts";
import { resolveConfig } from "../../src/app/config.ts";
import { resolvePolicyTraining } from "../../src/app/policy_config.ts";
import { readConfig } from "../../src/cli/config_file.ts";
import { germinations, observationLike } from "../tamiyo/observations.ts";

const episode = (arm: string, seed: number, score: number, task = "t"): Episode => ({
  ...{ arm, task, seed, score, loss: 1, twinLoss: 1 + score, params: 9, decisions: 3 },
  ...{ germinations: 1, rollbacks: 0, broken: false },
});

Deno.test("allPlans() sow at most one seed in each slot, the empty plan first", () => {
  const plans = allPlans(["a", "b"], ["se", "conv3"], [1, 5]);
  assertEquals([plans.length, plans[0].length], [25, 0]);
  assertEquals(new Set(plans.map((plan) => JSON.stringify(plan))).size, 25);
});

Deno.test("planned() sows each seed once, from its tick on, and takes whatever else may be taken first", () => {
  const sow: Action = { kind: "germinate", slot: "a", blueprint: "se" },
    advance: Action = { kind: "advance", slot: "b" };
  const wait: Action = { kind: "wait" };
  const controller = planned([{ tick: 2, slot: "a", blueprint: "se" }]);
  const at = (tick: number, ...legal: Action[]) =>
    controller.decide(observationLike({ tick, legal: [wait, ...germinations(["a"], ["conv3"]), ...legal] }))
      .action;
  assertEquals([at(1, sow), at(2, sow, advance), at(3), at(4, sow), at(5, sow)], [
    wait,
    advance,
    wait,
    sow,
    wait,
  ]);
});

Deno.test("armTable() compares arms on the same seeds, and refuses others", () => {
  const all = [
    episode("off", 1, 0),
    episode("off", 2, 0),
    episode("grows", 1, 0.5),
    episode("grows", 2, 0.3),
  ];
  const [, , off, grows] = armTable(all, "off");
  assertStringIncludes(off, "| off | +0.000 (+0.000 to +0.000) |  |  | +0.000 |");
  assertStringIncludes(
    grows,
    "| grows | +0.400 (+0.300 to +0.500) | +0.400 (+0.300 to +0.500) | 1.00 (1.00 to 1.00) |",
  );
  assertThrows(
    () => armTable(all.slice(1), "off"),
    Error,
    "policies: want 1 episodes of grows, got 2; run what is missing",
  );
  assertEquals(comparable([...all, episode("grows", 3, 1), episode("off", 2, 0, "other")]), all);
});

Deno.test("regretTable() is against the plan that is best over all seeds, not against the luckiest of each", () => {
  const all = [
    ...[
      episode(`${PLAN}x`, 1, 1),
      episode(`${PLAN}x`, 2, 0),
      episode(`${PLAN}y`, 1, 0),
      episode(`${PLAN}y`, 2, 0.8),
    ],
    ...[episode("off", 1, 0), episode("off", 2, 0), episode("off", 3, 9), episode("off", 1, 9, "other")],
  ];
  const lines = regretTable(all);
  assertEquals(lines[0], "2 plans, 2 seeds of t:");
  assertStringIncludes(lines.find((line) => line.startsWith("| off"))!, "| off | +0.000 | +0.500 (");
  assertEquals(regretTable(all.slice(4)), []);
});

Deno.test("the tasks of configs/policies resolve, and no host that policies are tried on was one to learn on", () => {
  const hostsOf = (list: TaskList) =>
    list.list.map(({ config, profile, set }) => {
      const sets = [...list.set, ...set];
      const { host, data } = resolveConfig({ file: readConfig(config), sets, flags: {} }, profile);
      return JSON.stringify([data.kind, host.kind === "cnn" ? host.channels : host]);
    });
  const read = (name: string) => JSON.parse(Deno.readTextFileSync(`configs/policies/${name}.json`));
  const learned = hostsOf(resolvePolicyTraining(read("real")).tasks);
  const tried = hostsOf(TaskList.parse(read("held_out")));
  assertEquals([learned.length >= 4, tried.length >= 2], [true, true]);
  assertEquals(tried.filter((host) => learned.includes(host)), []);
  resolvePolicyTraining(read("default"));
});
