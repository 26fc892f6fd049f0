/** `slots`: where a network may grow. */
import { resolveConfig } from "../app/config.ts";
import { listSlots, type SlotListing } from "../app/slots.ts";
import { PROFILES } from "../contracts/config.ts";
import { renderTable } from "../report/table.ts";
import { usageError } from "../util/errors.ts";
import { formatShape } from "../util/shape.ts";
import type { Command, Values } from "./command.ts";
import { configNames, readConfig } from "./config_file.ts";
import { print } from "./output.ts";

function fitsIn({ fits }: SlotListing): string {
  if (fits === null) return "no slot: growth.slots does not match";
  return fits.map(({ blueprint, fit }) =>
    fit.fits ? `${blueprint} ${fit.parameters} / ${fit.flops}` : `${blueprint} does not fit`
  ).join(", ");
}

async function run(values: Values): Promise<number> {
  if (values.config === undefined) {
    throw usageError(`slots: want --config NAME; configs/ has ${configNames().join(", ")}`);
  }
  const source = {
    file: readConfig(values.config as string),
    sets: (values.set ?? []) as readonly string[],
    flags: {},
  };
  const listing = await listSlots(
    resolveConfig(source, PROFILES.find((name) => name === values.profile) ?? "full"),
  );
  if (values.json === true) {
    print(`${JSON.stringify(listing)}\n`);
    return 0;
  }
  const rows = listing.slots.map((slot) => [
    slot.name,
    formatShape(slot.shape),
    String(slot.params),
    String(slot.flops),
    fitsIn(slot),
  ]);
  const head = ["slot", "activation", "layer's parameters", "layer's FLOPs", "blueprint parameters / FLOPs"];
  for (const line of renderTable(head, rows)) print(`${line}\n`);
  const { host: { params, flops }, slots } = listing;
  const count = slots.filter(({ fits }) => fits !== null).length;
  print(`\n${count} slots in a host of ${params} parameters and ${flops} FLOPs an example\n`);
  return 0;
}

export const slots: Command = {
  name: "slots",
  summary: "list the places where a configuration's network may grow, and what fits there",
  options: [
    {
      name: "config",
      value: "NAME",
      words: configNames,
      summary: "configuration: a path or a name in configs/",
      example: "cifar10.json",
    },
    {
      name: "set",
      value: "KEY=VALUE",
      repeatable: true,
      summary: "override one key of the configuration",
      example: "growth.slots=block*",
    },
    { name: "profile", value: "NAME", choices: PROFILES, summary: "size of the job", default: "full" },
    { name: "json", summary: "print the list as JSON" },
  ],
  examples: ["slots --config cifar10.json", "slots --config cifar10.json --set host.kind=resnet"],
  run,
};
