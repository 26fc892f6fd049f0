import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Expense, EXPENSES, Ledger } from "../../src/tolaria/ledger.ts";

Deno.test("Ledger counts every expense towards the total, and progress stops at 1", () => {
  const ledger = new Ledger(100);
  assertEquals([ledger.budget, ledger.total, ledger.progress], [100, 0, 0]);
  ledger.charge("host", 30);
  ledger.charge("incubation", 15);
  ledger.charge("evaluation", 5);
  assertEquals([ledger.total, ledger.progress], [50, 0.5]);
  ledger.charge("host", 70);
  assertEquals([ledger.total, ledger.progress], [120, 1]);
  assertEquals(ledger.save(), { spent: { host: 100, evaluation: 5, incubation: 15 }, deferred: 15 });
});

Deno.test("Ledger clock leaves incubation out until no seed incubates, then catches up", () => {
  const ledger = new Ledger(100);
  ledger.charge("host", 20);
  ledger.charge("incubation", 10);
  assertEquals([ledger.progress, ledger.clock], [0.3, 0.2]);
  ledger.settle();
  assertEquals([ledger.progress, ledger.clock], [0.3, 0.3]);
  ledger.charge("incubation", 10);
  assertEquals([ledger.progress, ledger.clock], [0.4, 0.3]);
});

Deno.test("Ledger save() is a copy that later charges leave alone", () => {
  const ledger = new Ledger(10);
  const saved = ledger.save();
  ledger.charge("host", 1);
  assertEquals(saved.spent.host, 0);
  ledger.restore(saved);
  ledger.charge("host", 2);
  assertEquals([saved.spent.host, ledger.total], [0, 2]);
});

Deno.test("Ledger restore() through JSON goes on to the same total, bit for bit", () => {
  const charge = fc.tuple(
    fc.constantFrom<Expense>(...EXPENSES),
    fc.double({ min: 0, max: 1e18, noNaN: true }),
  );
  fc.assert(fc.property(fc.array(charge), fc.array(charge), (before, after) => {
    const straight = new Ledger(1e12), first = new Ledger(1e12), resumed = new Ledger(1e12);
    for (const [expense, flops] of before) first.charge(expense, flops);
    resumed.restore(JSON.parse(JSON.stringify(first.save())));
    for (const [expense, flops] of [...before, ...after]) straight.charge(expense, flops);
    for (const [expense, flops] of after) resumed.charge(expense, flops);
    assertEquals(resumed.save(), straight.save());
    assertEquals(resumed.total, straight.total);
  }));
});
