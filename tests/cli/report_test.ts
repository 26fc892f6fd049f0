/** Reports and lists of two runs that were really made: one that grows, and the same without growth. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runTraining } from "../../src/app/run.ts";
import { tinyConfig } from "../support/session.ts";
import { runEsper } from "../support/subprocess.ts";

const GROWS = {
  train: { maxSteps: 40 },
  loop: { validationTicks: 2 },
  controller: {
    kind: "fixed",
    schedule: [{ tick: 1, action: "germinate", slot: "layer1", blueprint: "mlp" }],
  },
};

/** Trains `points-1`, which grows, and `points-2`, which does not, in a folder that is removed afterwards. */
async function withRuns(work: (out: string) => Promise<void>): Promise<void> {
  const out = await Deno.makeTempDir();
  try {
    for (const changes of [GROWS, { ...GROWS, controller: { kind: "off" } }]) {
      await runTraining({
        config: { file: tinyConfig("points", changes), sets: [], flags: {} },
        profile: "small",
        backend: "native",
        out,
        resume: null,
        dryRun: false,
        signal: new AbortController().signal,
        onEvent: () => {},
      });
    }
    await work(out);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

const KERNELS = {
  version: 1,
  peak: { flops: 1e12, bytes: 1e11 },
  profiles: [{
    step: 20,
    seeds: ["layer1 mlp (fossil)"],
    kernels: [{ name: "gemm/tiled", count: 2, seconds: 3e-5, share: 1, flops: 1e6, bytes: 1e5, ofPeak: 0.5 }],
  }],
};

Deno.test("main.ts report, runs list and runs compare tell what runs were", () =>
  withRuns(async (out) => {
    const run = `${out}/points-1`;
    await Deno.writeTextFile(`${run}/profile.json`, JSON.stringify(KERNELS));
    const done = async (...args: string[]) => {
      const { code, stdout, stderr } = await runEsper(args);
      assertEquals([code, stderr], [0, ""], args.join(" "));
      return stdout;
    };

    assertMatch(await done("report", run), /^written to .*\/points-1\/report\.html \([\d.]+ KiB\)\n$/);
    const html = await Deno.readTextFile(`${run}/report.html`);
    const titles = [...html.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title]) => title);
    assertEquals(titles, [
      ...["Overview", "Loss", "Accuracy", "Seeds", "Parameters and FLOPs", "Static baseline", "Decisions"],
      ...["Architecture", "Speed", "Kernels", "Particulars"],
    ]);
    // Nothing is loaded from anywhere.
    assertEquals(html.match(/(?:src|href)="(?!#|data:)[^"]*"|@import|url\(/g), null);
    const { dataset } = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
    for (
      const text of [
        dataset.sha256,
        "points-2 is the same run without growth",
        "layer1/1 mlp",
        "DORMANT → GERMINATED",
        "control split, points-2",
        ">validation split<",
        "gemm/tiled",
        'aria-label="Loss by step"',
        "germinate mlp in layer1",
        "&quot;maxSteps&quot;: 40",
      ]
    ) assertStringIncludes(html, text);
    assertMatch(html, /<title>step \d+: layer1\/1 mlp DORMANT → GERMINATED/);

    await done("report", run, "--format", "csv", "--out", `${out}/run.csv`);
    const [head, ...lines] = (await Deno.readTextFile(`${out}/run.csv`)).trimEnd().split("\r\n");
    assertMatch(head, /^step,time,train\/loss,train\/accuracy,.*control\/loss,alpha\/layer1/);
    assertEquals(lines.map((line) => line.split(",").length), lines.map(() => head.split(",").length));
    assertEquals(lines.at(-1)!.split(",")[0], "40");

    await done("report", run, "--format", "tensorboard");
    const events = await Deno.readFile(`${run}/events.out.tfevents.esper`);
    const text = new TextDecoder("latin1").decode(events);
    for (const tag of ["brain.Event:2", "train/loss", "control/loss", "alpha/layer1", "test/accuracy"]) {
      assertStringIncludes(text, tag);
    }

    const list = await done("runs", "list", "--out", out);
    assertMatch(list, /^points-1 +spirals +small +fixed +completed +40 /m);
    assertMatch(list, /^points-2 +spirals +small +off +completed +40 /m);

    const page = `${out}/comparison.html`;
    const compared = await done("runs", "compare", "points-1", "points-2", "--out", out, "--html", page);
    assertMatch(compared, /^controller\.kind +"fixed" +"off"$/m);
    assertStringIncludes(await Deno.readTextFile(page), 'aria-label="Control loss by FLOPs spent"');
    const [first] = JSON.parse(await done("runs", "compare", run, `${out}/points-2`, "--json"));
    assertEquals([first.run, first.outcome, first.steps], ["points-1", "completed", 40]);

    // A run that is being written to, or was killed: the last line is not whole.
    const log = `${run}/metrics.jsonl`, metrics = await Deno.readTextFile(log);
    await Deno.writeTextFile(log, metrics + '{"topic":"step.met');
    await done("report", run, "--baseline", "none", "--out", `${out}/again.html`);
    assert(!(await Deno.readTextFile(`${out}/again.html`)).includes("points-2"));
    // A line within that is no JSON.
    await Deno.writeTextFile(log, `nonsense\n${metrics}`);
    const broken = await runEsper(["report", run]);
    assertEquals(broken.code, 1);
    assertStringIncludes(broken.stderr, "metrics.jsonl: want a log of JSON lines, got: ");
  }));

Deno.test("main.ts report and runs name what is wrong", async () => {
  const cases: readonly (readonly [args: string, text: string])[] = [
    ["report", "report: want a run, by its folder or its name in runs/"],
    ["report nowhere", 'report: want a run folder (with config.json), got "nowhere"'],
    ["report a --format pdf", '--format: want html, csv or tensorboard, got "pdf"'],
    ["runs", "runs: want list or compare, got nothing"],
    ["runs lst", 'runs: want list or compare, got "lst"; did you mean "list"?'],
    ["runs compare a", "runs compare: want two runs or more, got only a"],
    ["runs list a", 'runs list: unexpected argument "a"; see runs compare'],
  ];
  const answers = await Promise.all(cases.map(([args]) => runEsper(args.split(" "))));
  answers.forEach(({ code, stderr }, k) => {
    assertEquals(code, 2);
    assertStringIncludes(stderr, cases[k][1]);
  });
});
