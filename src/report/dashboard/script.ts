/** The program of the page: follows the run, shows what is new, and hands on what the person asks for. */
export const SCRIPT = `
const token = new URLSearchParams(location.search).get("token");
const find = (id) => document.getElementById(id);
const say = (text) => { find("answer").textContent = text; };
let shown = 0, fetching = false, known = "";
const nameOf = (a) => a.kind === "germinate" ? "germinate " + a.blueprint + " in " + a.slot : a.kind + " " + a.slot;
async function refresh(version) {
  if (fetching || version <= shown) return;
  fetching = true;
  try {
    const response = await fetch("/picture?token=" + token);
    if (response.ok) {
      find("sections").innerHTML = await response.text();
      shown = Number(response.headers.get("x-picture"));
    }
  } finally { fetching = false; }
}
function list(id, actions) {
  const select = find(id), before = select.value;
  select.replaceChildren(...actions.map((a) => {
    const option = document.createElement("option");
    option.value = JSON.stringify(a);
    option.textContent = nameOf(a);
    return option;
  }));
  if (actions.some((a) => JSON.stringify(a) === before)) select.value = before;
}
function show(status) {
  find("status").textContent = status.line;
  document.title = status.line;
  if (find("news").textContent !== status.news) find("news").textContent = status.news;
  const s = status.supervisor;
  if (s && find("controls")) {
    find("controls").hidden = status.ended;
    find("pause").disabled = s.paused;
    find("resume").disabled = !s.paused;
    find("step").disabled = false;
    const text = JSON.stringify([s.legal, s.vetoed]);
    if (text !== known) {
      known = text;
      list("legal", s.legal.filter((a) => a.kind !== "wait"));
      list("vetoed", s.vetoed);
    }
    find("force").disabled = find("veto").disabled = find("legal").options.length === 0;
    find("allow").disabled = s.vetoed.length === 0;
    find("next").textContent = s.forced ? "next: " + nameOf(s.forced) : "";
  }
  refresh(status.picture);
}
async function ask(body) {
  const response = await fetch("/command", {
    method: "POST", headers: { authorization: "Bearer " + token, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  say(response.ok ? "asked for: " + body.command + (body.action ? " " + nameOf(body.action) : "") : await response.text());
}
for (const command of ["pause", "resume", "step"]) {
  find(command)?.addEventListener("click", () => ask({ command }));
}
for (const [command, from] of [["force", "legal"], ["veto", "legal"], ["allow", "vetoed"]]) {
  find(command)?.addEventListener("click", () => {
    if (find(from).value) ask({ command, action: JSON.parse(find(from).value) });
  });
}
const source = new EventSource("/events?token=" + token);
source.addEventListener("status", (event) => show(JSON.parse(event.data)));
source.addEventListener("end", (event) => {
  source.close();
  const { status, html } = JSON.parse(event.data);
  find("sections").innerHTML = html;
  shown = Infinity;
  show(status);
  say("the run has ended");
});
source.addEventListener("error", () => { if (source.readyState !== 2) say("the connection is lost; trying again"); });
source.addEventListener("open", () => say(""));
`;

/** What stands above the picture: the run's line, and buttons where it can be asked for something. */
export function controlsHtml(controllable: boolean): string {
  const button = (id: string, text: string) => `<button id="${id}" type="button" disabled>${text}</button>`;
  const buttons = [
    button("pause", "Pause at the next tick"),
    button("resume", "Resume"),
    button("step", "One tick"),
    `<label>Action <select id="legal"></select></label>`,
    button("force", "Ask for it"),
    button("veto", "Forbid it"),
    `<label>Forbidden <select id="vetoed"></select></label>`,
    button("allow", "Allow it again"),
    `<span id="next" class="quiet"></span>`,
  ];
  return `<p id="status" role="status" aria-live="off">connecting</p>\n` +
    `<p id="news" role="log" aria-label="What happened last"></p>\n` +
    (controllable
      ? `<div id="controls" class="controls" role="group" aria-label="The run">${buttons.join("\n")}</div>\n`
      : "") +
    `<p id="answer" class="quiet" aria-live="polite"></p>\n`;
}
