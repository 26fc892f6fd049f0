/** What to do where there is no WebGPU. */

/** A title, then what may help, for this browser as far as it tells of itself. */
export function cureOf(text: string, { userAgent } = navigator, secure = isSecureContext): string[] {
  const title = "This page needs WebGPU, and this browser does not offer it";
  const last =
    `Or train on the command line: deno run -A main.ts --config spirals. (What the browser said: ${text}.)`;
  if (!secure) {
    return [
      title,
      "Browsers offer WebGPU on https:// and on localhost only: open the page at such an address.",
      last,
    ];
  }
  const advice = Object.entries(ADVICE).find(([name]) => userAgent.includes(name))?.[1] ?? ADVICE.Chrome;
  return [title, advice, "Hardware acceleration must be on, and the graphics driver up to date.", last];
}

/** By what the user agent says; the first that fits counts. */
const ADVICE: Readonly<Record<string, string>> = {
  Firefox:
    "Firefox has it from version 141 on Windows and 145 on Macs; elsewhere set dom.webgpu.enabled in about:config.",
  Edg: "Edge has it from version 113; see edge://gpu for what stands against it here.",
  Chrome:
    "Chrome has it from version 113; on Linux turn on chrome://flags/#enable-unsafe-webgpu and see chrome://gpu.",
  Safari: "Safari has it from version 26; before, under Develop, Feature Flags, WebGPU.",
};
