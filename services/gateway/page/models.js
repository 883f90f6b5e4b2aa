// Which model answers: the pipeline's own, unless a person chose another.

import { el } from "./dom.js";

const KEY = "headrace.model";

export async function offerModels(select) {
  const response = await fetch("/v1/models");
  if (!response.ok) return;
  const { data } = await response.json();
  const names = data.filter((model) => model.headrace.task === "chat").map((model) => model.id);
  // One model is no choice.
  if (names.length < 2) return;
  const kept = localStorage.getItem(KEY) ?? "";
  select.replaceChildren(el("option", { value: "" }, "Default model"), ...names.map((name) => el("option", { value: name }, name)));
  select.value = names.includes(kept) ? kept : "";
  select.hidden = false;
  select.addEventListener("change", () => localStorage.setItem(KEY, select.value));
}
