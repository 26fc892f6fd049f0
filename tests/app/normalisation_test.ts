import { assertEquals } from "@std/assert";
import { normalisationNotice } from "../../src/app/normalisation.ts";

Deno.test("normalisationNotice() tells of data that is normalised otherwise than the network's own, and of none that is not", () => {
  const grey = { normalisation: { mean: [0.13], std: [0.31] } };
  const rounded = { normalisation: { mean: [0.1304], std: [0.3098] } };
  assertEquals(normalisationNotice(grey, rounded), null);
  assertEquals(normalisationNotice({ normalisation: null }, { normalisation: null }), null);
  assertEquals(
    normalisationNotice(grey, { normalisation: { mean: [0.5], std: [0.25] } }),
    "the network from the file was trained on inputs normalised by mean 0.130 and deviation 0.310; " +
      "this data is normalised by its own statistics: by mean 0.500 and deviation 0.250",
  );
  assertEquals(
    normalisationNotice(grey, { normalisation: null })?.endsWith("by its own statistics: not at all"),
    true,
  );
});
