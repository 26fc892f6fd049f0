/** `resume`: goes on with a run. */
import { usageError } from "../util/errors.ts";
import type { Command } from "./command.ts";
import { NOT_WITH_RESUME, train } from "./train.ts";

export const resume: Command = {
  name: "resume",
  summary: "go on with an interrupted run; it ends with the bits of one that was not interrupted",
  positionals: ["RUN"],
  options: train.options.filter(({ name }) => name !== "resume" && !NOT_WITH_RESUME.includes(name)),
  examples: ["resume runs/cifar10-1", "resume cifar10-1 --max-steps 2000"],
  run(values, [name]) {
    if (name === undefined) throw usageError("resume: want a run, by its folder or its name in --out");
    return train.run({ ...values, resume: name }, []);
  },
};
