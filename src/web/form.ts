/** The form of settings, made from the list of fields. */
import { html, setAll } from "./dom.ts";
import {
  type DataKind,
  faultOf,
  FIELD_NAMES,
  type FieldName,
  FIELDS,
  type FieldSpec,
  type Setup,
} from "./setup.ts";

/** Fills the form; `changed` is called with each new setup that will do. Returns what shows another setup. */
export function makeForm(
  form: HTMLFormElement,
  first: Setup,
  changed: (setup: Setup) => void,
): (setup: Setup) => void {
  let setup = first;
  const rows = new Map<
    FieldName,
    { row: HTMLElement; input: HTMLInputElement | HTMLSelectElement; fault: HTMLElement }
  >();
  const rare = html("details", {}, html("summary", {}, "More settings"));

  const valueOf = (name: FieldName) => {
    const { input } = rows.get(name)!;
    return input instanceof HTMLInputElement && input.type === "checkbox"
      ? input.checked ? "yes" : "no"
      : input.value;
  };

  for (const name of FIELD_NAMES) {
    const spec: FieldSpec = FIELDS[name], id = `field-${name}`;
    const input = control(spec);
    setAll(input, { id, name, "aria-describedby": `${id}-help ${id}-fault` });
    const fault = html("small", { class: "fault", id: `${id}-fault` });
    const label = html("label", { for: id }, spec.label);
    const help = html("small", { id: `${id}-help` }, spec.help);
    const row = html(
      "div",
      { class: spec.field.kind === "switch" ? "field switch" : "field" },
      label,
      input,
      help,
      fault,
    );
    rows.set(name, { row, input, fault });
    (spec.rare ? rare : form).append(row);
    input.addEventListener("change", () => {
      const value = valueOf(name).trim(), wrong = faultOf(name, value);
      fault.textContent = wrong ?? "";
      setAll(input, { "aria-invalid": wrong ? "true" : null });
      if (wrong || value === setup[name]) return;
      setup = { ...setup, [name]: value };
      show(setup);
      changed(setup);
    });
  }
  form.append(rare);
  form.addEventListener("submit", (event) => event.preventDefault());

  function show(next: Setup): void {
    setup = next;
    for (const [name, { row, input, fault }] of rows) {
      const { data }: FieldSpec = FIELDS[name];
      row.hidden = data !== undefined && !data.includes(setup.data as DataKind);
      if (input instanceof HTMLInputElement && input.type === "checkbox") {
        input.checked = setup[name] === "yes";
      } else input.value = setup[name];
      fault.textContent = "";
      setAll(input, { "aria-invalid": null });
    }
  }
  show(first);
  return show;
}

function control({ field }: FieldSpec): HTMLInputElement | HTMLSelectElement {
  if (field.kind === "choice") {
    return html(
      "select",
      {},
      ...Object.entries(field.of).map(([value, words]) => html("option", { value }, words)),
    );
  }
  if (field.kind === "switch") return html("input", { type: "checkbox" });
  const { min, max, step } = field.kind === "number" ? field : { min: null, max: null, step: null };
  return html("input", {
    type: field.kind === "number" ? "number" : "text",
    min,
    max,
    step,
    autocomplete: "off",
  });
}
