// The part of Markdown that models write, as DOM nodes. Unknown or unfinished marks stay as they are: an answer is
// rendered anew with each piece that arrives, and half a mark must not make the text jump.

import { el, safeUrl } from "./dom.js";

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+#.-]*)\s*$/;
const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

// `cite(marker)` gives the link for a citation marker such as "[1]", or null where it is only text.
export function render(text, cite = () => null) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.replace(/\r\n?/g, "\n").split("\n"), cite));
  return fragment;
}

function blocks(lines, cite) {
  const found = [];
  let at = 0;
  while (at < lines.length) {
    const [node, next] = block(lines, at, cite);
    if (node) found.push(node);
    at = next;
  }
  return found;
}

function block(lines, at, cite) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  const fence = line.match(FENCE);
  if (fence) return code(lines, at, fence);
  const heading = line.match(HEADING);
  // The page's own headings go down to 3; an answer's begin below them.
  if (heading) return [el(`h${Math.min(heading[1].length + 3, 6)}`, {}, ...inline(heading[2], cite)), at + 1];
  if (RULE.test(line)) return [el("hr"), at + 1];
  if (QUOTE.test(line)) return quote(lines, at, cite);
  if (ITEM.test(line)) return list(lines, at, cite);
  if (line.includes("|") && DIVIDER.test(lines[at + 1] ?? "")) return table(lines, at, cite);
  return paragraph(lines, at, cite);
}

function code(lines, at, [, fence, language]) {
  let end = at + 1;
  while (end < lines.length && !(lines[end].trim().startsWith(fence) && !lines[end].trim().replaceAll(fence[0], ""))) end += 1;
  const text = lines.slice(at + 1, end).join("\n");
  const figure = el("pre", { tabindex: 0, "data-language": language || null }, el("code", {}, text));
  return [figure, end + 1];
}

function quote(lines, at, cite) {
  const inside = [];
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) inside.push(lines[end++].match(QUOTE)[1]);
  return [el("blockquote", {}, ...blocks(inside, cite)), end];
}

function list(lines, at, cite) {
  const [, indent, mark] = lines[at].match(ITEM);
  const ordered = /\d/.test(mark);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = lines[end].match(ITEM);
    if (item && item[1].length <= indent.length + 1) {
      if (/\d/.test(item[2]) !== ordered || item[1].length < indent.length) break;
      items.push([item[3]]);
    } else if (items.length && (/^\s{2,}\S/.test(lines[end]) || (item && item[1].length > indent.length))) {
      items.at(-1).push(lines[end].replace(/^\s{1,4}/, ""));
    } else if (lines[end].trim() || !ITEM.test(lines[end + 1] ?? "")) {
      break;
    }
    end += 1;
  }
  const start = ordered ? Number.parseInt(mark, 10) : 1;
  const entries = items.map((inside) => el("li", {}, ...tight(inside, cite)));
  return [el(ordered ? "ol" : "ul", { start: ordered && start !== 1 ? start : null }, ...entries), end];
}

// An item of one line needs no paragraph around it.
function tight(lines, cite) {
  const [first, ...rest] = lines;
  return [...inline(first, cite), ...blocks(rest, cite)];
}

function table(lines, at, cite) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const head = el("tr", {}, ...cells(lines[at]).map((cell) => el("th", { scope: "col" }, ...inline(cell, cite))));
  const rows = [];
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) {
    rows.push(el("tr", {}, ...cells(lines[end++]).map((cell) => el("td", {}, ...inline(cell, cite)))));
  }
  return [el("div", { class: "wide", tabindex: 0 }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows))), end];
}

function paragraph(lines, at, cite) {
  const inside = [];
  let end = at;
  const breaks = (line) =>
    !line.trim() || FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || ITEM.test(line) || RULE.test(line);
  while (end < lines.length && (end === at || !breaks(lines[end]))) inside.push(lines[end++]);
  const node = el("p");
  inside.forEach((line, number) => {
    node.append(...inline(line.trim(), cite));
    if (number < inside.length - 1) node.append(/ {2,}$/.test(line) ? el("br") : "\n");
  });
  return [node, end];
}

const MARKS = [
  [/(`+)([\s\S]*?[^`])\1(?!`)/, ([, , text]) => el("code", {}, text.trim())],
  [/\*\*(?=\S)([\s\S]*?\S)\*\*/, ([, text], cite) => el("strong", {}, ...inline(text, cite))],
  [/(?<!\w)__(?=\S)([\s\S]*?\S)__(?!\w)/, ([, text], cite) => el("strong", {}, ...inline(text, cite))],
  [/\*(?=[^\s*])([\s\S]*?[^\s*])\*(?!\*)/, ([, text], cite) => el("em", {}, ...inline(text, cite))],
  [/(?<!\w)_(?=[^\s_])([\s\S]*?[^\s_])_(?!\w)/, ([, text], cite) => el("em", {}, ...inline(text, cite))],
  [/~~(?=\S)([\s\S]*?\S)~~/, ([, text], cite) => el("del", {}, ...inline(text, cite))],
  [/!?\[([^\]]+)\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+"[^"]*")?\)/, ([whole, text, to], cite) => link(whole, text, to, cite)],
  [/\bhttps?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?]/, ([address]) => link(address, address, address, () => null)],
  [/\[[\w.-]{1,16}\]/, ([marker], cite) => cite(marker) ?? marker],
];

function link(whole, text, to, cite) {
  const href = safeUrl(to);
  if (!href || to.startsWith("#")) return whole;
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...(text === to ? [text] : inline(text, cite)));
}

export function inline(text, cite) {
  const nodes = [];
  let rest = text;
  while (rest) {
    let best = null;
    for (const [pattern, make] of MARKS) {
      const match = rest.match(pattern);
      if (match && (!best || match.index < best.match.index)) best = { match, make };
    }
    if (!best) return [...nodes, rest];
    if (best.match.index) nodes.push(rest.slice(0, best.match.index));
    nodes.push(best.make(best.match, cite));
    rest = rest.slice(best.match.index + best.match[0].length);
  }
  return nodes;
}
