/** Every command, in the order in which help shows them; the first needs no naming. */
import { bench } from "./bench.ts";
import type { Command } from "./command.ts";
import { completionCommand } from "./completion.ts";
import { data } from "./data.ts";
import { doctor } from "./doctor.ts";
import { evalCommand } from "./eval.ts";
import { exportCommand } from "./export.ts";
import { fleetCommand } from "./fleet.ts";
import { helpCommand } from "./help.ts";
import { inspect } from "./inspect.ts";
import { proveCommand } from "./prove.ts";
import { replay } from "./replay.ts";
import { report } from "./report.ts";
import { resume } from "./resume.ts";
import { runs } from "./runs.ts";
import { serve } from "./serve.ts";
import { servicesCommand } from "./services.ts";
import { slots } from "./slots.ts";
import { storeCommand } from "./store.ts";
import { sweepCommand } from "./sweep.ts";
import { tail } from "./tail.ts";
import { train } from "./train.ts";
import { trainPolicyCommand } from "./train_policy.ts";
import { tune } from "./tune.ts";
import { workerCommand } from "./worker.ts";

export const commands: readonly Command[] = [
  train,
  resume,
  replay,
  proveCommand,
  trainPolicyCommand,
  sweepCommand,
  workerCommand,
  fleetCommand,
  servicesCommand,
  runs,
  report,
  serve,
  tail,
  evalCommand,
  exportCommand,
  inspect,
  slots,
  storeCommand,
  data,
  bench,
  tune,
  doctor,
  completionCommand(() => commands),
  helpCommand(() => commands),
];
