"use strict";
// Gathers the fields of the page into marks-by-hand.csv.  Marks that nobody touched keep their who and when.
const data = JSON.parse(document.getElementById("data").textContent);
const who = document.getElementById("who"), save = document.getElementById("save"), count = document.getElementById("count");
let changed = false;

function fields() {
  return [...document.querySelectorAll("[data-cell]")].map((field) => {
    const section = field.closest("[data-student]"), student = section.dataset.student, cell = field.dataset.cell;
    const why = section.querySelector(`[data-why="${CSS.escape(cell)}"]`).value.trim();
    return { student, cell, field, why, key: `${student}\n${cell}` };
  });
}

function marks() {
  const today = new Date().toLocaleDateString("sv");  // the form 2026-11-25
  const found = { ...data.marks };
  for (const { student, cell, field, why, key } of fields()) {
    if (field.value === "") { delete found[key]; continue; }
    const points = Number(field.value), before = data.marks[key];
    if (before && before.points === points && (before.why ?? "") === why) continue;
    found[key] = { student, cell, points, who: who.value.trim(), when: today, why };
  }
  return Object.values(found);
}

function quoted(value) {
  const text = String(value ?? "");
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;  // a spreadsheet takes it for no formula
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function look() {
  const all = [...document.querySelectorAll(".mark")];
  const waiting = all.filter((one) => [...one.querySelectorAll(".fields [data-cell]")].some((field) => field.value === ""));
  const sound = fields().every(({ field }) => field.checkValidity());
  count.textContent = !sound ? "a field has too many points" : `${all.length - waiting.length} of ${all.length} marked`;
  save.disabled = !(changed && sound && who.value.trim());
  save.title = who.value.trim() ? "" : "Write your name first";
}

document.addEventListener("input", (event) => { changed ||= event.target !== who; look(); });
save.addEventListener("click", () => {
  const rows = marks().map((mark) => data.columns.map((name) => quoted(mark[name])).join(","));
  const file = new Blob([[data.columns.join(","), ...rows].join("\n") + "\n"], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "marks-by-hand.csv";
  link.click();
  changed = false;
  look();
});
window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
look();
