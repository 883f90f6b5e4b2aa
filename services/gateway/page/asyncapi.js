// Draws asyncapi.json: which topics there are, what each carries, and what is in it.

import { el } from "./dom.js";

// What stands between backticks is code.
const words = (text = "") => text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));

const named = (ref) => ref.split("/").at(-1);

function typeOf(schema) {
  if (schema.$ref) return [el("a", { href: `#${named(schema.$ref)}` }, named(schema.$ref))];
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items)];
  if (schema.enum) return [schema.enum.join(" · ")];
  if (schema.const) return [schema.const];
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return ["map of ", ...typeOf(schema.additionalProperties)];
  }
  return [schema.format ? `${schema.type} (${schema.format})` : schema.type ?? "any"];
}

function fieldsOf(schema) {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    el("tr", {}, el("th", { scope: "row" }, el("code", {}, name)), el("td", {}, ...typeOf(field)), el("td", {}, ...words(field.description))),
  );
  const heads = ["field", "type", "what it says"].map((head) => el("th", { scope: "col" }, head));
  return el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
}

function topicOf(document, operation) {
  const channel = document.channels[named(operation.channel.$ref)];
  const [message] = Object.values(channel.messages).map((each) => document.components.messages[named(each.$ref)]);
  const schema = named(message.payload.$ref);
  return el(
    "article",
    {},
    el("h3", {}, el("code", {}, channel.address)),
    el("p", {}, ...words(channel.description), " Carries ", el("a", { href: `#${schema}` }, schema), "."),
  );
}

async function draw() {
  const response = await fetch("/asyncapi.json");
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
  const document_ = await response.json();
  document.getElementById("about").replaceChildren(...words(document_.info.description));
  const operations = Object.values(document_.operations);
  for (const [action, id] of [["receive", "written"], ["send", "read"]]) {
    const own = operations.filter((operation) => operation.action === action);
    document.getElementById(id).after(...own.map((operation) => topicOf(document_, operation)));
  }
  const schemas = Object.entries(document_.components.schemas).flatMap(([name, schema]) => [
    el("h3", { id: name }, name),
    el("p", {}, ...words(schema.description)),
    fieldsOf(schema),
  ]);
  document.getElementById("schemas").after(...schemas);
}

draw().catch((problem) => {
  document.getElementById("about").textContent = `The topics cannot be shown: ${problem.message}. Reload the page.`;
});
