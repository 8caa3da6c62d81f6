"use strict";
// Search over the texts inside this page; without JavaScript the box stays hidden and the list below is all there.
const texts = JSON.parse(document.getElementById("texts").textContent);
const query = document.getElementById("query");
const results = document.getElementById("results");
const found = document.getElementById("found");
const SHOWN = 40;

const parts = texts.flatMap((report) => report.parts.map((part) => ({
  href: report.href + (part.anchor ? "#" + encodeURIComponent(part.anchor) : ""),
  where: report.title + " · " + report.where,
  title: part.title || report.title,
  text: part.text,
  heading: (part.title || report.title).toLowerCase(),
  all: (part.title + " " + report.title + " " + part.text).toLowerCase(),
})));

function marked(text, words) {
  const span = document.createElement("span");
  const pattern = new RegExp("(" + words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|") + ")", "gi");
  text.split(pattern).forEach((piece, place) => {
    const node = place % 2 ? document.createElement("mark") : document.createTextNode(piece);
    if (place % 2) { node.textContent = piece; }
    span.append(node);
  });
  return span;
}

function snippet(text, words) {
  const places = words.map((word) => text.toLowerCase().indexOf(word)).filter((place) => place >= 0);
  const start = Math.max(0, Math.min(...places, text.length) - 70);
  const from = start === 0 || places.length === 0 ? 0 : text.indexOf(" ", start) + 1;
  const to = text.length <= from + 220 ? text.length : text.lastIndexOf(" ", from + 220);
  return (from ? "… " : "") + text.slice(from, to) + (to < text.length ? " …" : "");
}

function search() {
  const words = query.value.toLowerCase().split(/\s+/).filter((word) => word.length > 1);
  results.replaceChildren();
  found.textContent = "";
  if (!words.length) { return; }
  const hits = parts.filter((part) => words.every((word) => part.all.includes(word)));
  const rank = (part) => words.filter((word) => part.heading.includes(word)).length;
  hits.sort((a, b) => rank(b) - rank(a));
  found.textContent = hits.length === 0 ? "Nothing found." :
    hits.length === 1 ? "1 place" : hits.length + " places" + (hits.length > SHOWN ? ", the first " + SHOWN + " shown" : "");
  for (const hit of hits.slice(0, SHOWN)) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = hit.href;
    link.append(marked(hit.title, words));
    const where = document.createElement("span");
    where.className = "where";
    where.textContent = hit.where;
    const text = marked(snippet(hit.text, words), words);
    text.className = "snippet";
    item.append(link, where, text);
    results.append(item);
  }
}

document.getElementById("search").hidden = false;
document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
query.addEventListener("input", search);
if (location.hash.startsWith("#search=")) { // so that a search can be linked to
  query.value = decodeURIComponent(location.hash.slice(8));
  search();
}
