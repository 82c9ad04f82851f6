/* The controls of the explorer. What is asked goes out as the body of a request to this page's own
   server; what comes back is put in as text, except for the drawing, which that server made. */

const at = (id) => document.getElementById(id);
const CODES = ["endpoint", "competing", "criterion", "unit", "confirmation", "version", "window", "population"];
const NARROW = window.matchMedia("(max-width: 600px)");
let known = null;
let asked = 0;

async function ask(what, facts) {
  const answer = await fetch(what, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(facts),
    cache: "no-store",
    credentials: "omit",
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error || "This was refused.");
  return told;
}

function fill(select, codes, labels, before, first) {
  const options = first === undefined ? [] : [["", first]];
  for (const code of codes) options.push([String(code), (labels || {})[code] || String(code)]);
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === before)) select.value = before;
}

function controls(told) {
  const before = Object.fromEntries([...document.querySelectorAll("select")].map((s) => [s.id, s.value]));
  known = told;
  const { choices, labels, defaults } = told;
  for (const name of CODES) {
    fill(at(name), choices[name], labels[name], before[name] || defaults[name] || choices[name][0]);
  }
  fill(at("site"), choices.site, {}, before.site, "all centres");
  fill(at("by"), Object.keys(choices.factor), labels.factor, before.by, "no factor");
  const [first, last] = choices.years;
  const years = [];
  for (let year = first; first !== null && year <= last; year += 1) years.push(year);
  at("years").hidden = years.length === 0;
  fill(at("first_year"), years, {}, before.first_year, "any year");
  fill(at("last_year"), years, {}, before.last_year, "any year");
  at("only").replaceChildren(
    ...Object.entries(choices.factor).filter(([factor]) => factor !== "site").map(([factor, levels]) => {
      const label = document.createElement("label");
      const select = document.createElement("select");
      select.id = `only-${factor}`;
      select.dataset.factor = factor;
      label.append(`${labels.factor[factor] || factor} `, select);
      fill(select, levels, labels.level, before[select.id], "any");
      return label;
    }),
  );
  at("source").textContent = told.source;
  at("synthetic").hidden = !told.synthetic;
  at("notes").hidden = told.notes.length === 0;
  at("notes").replaceChildren(...told.notes.map((note) => element("li", note)));
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function question() {
  return document.querySelector("input[name=question]:checked").value;
}

function selection() {
  const facts = { release: at("release").value, question: question(), narrow: NARROW.matches };
  for (const name of [...CODES, "site", "by"]) facts[name] = at(name).value;
  for (const name of ["first_year", "last_year"]) {
    facts[name] = at(name).value === "" ? null : Number(at(name).value);
  }
  facts.only = [...at("only").querySelectorAll("select")]
    .filter((select) => select.value !== "")
    .map((select) => [select.dataset.factor, select.value]);
  return facts;
}

async function look(take) {
  const mine = (asked += 1);
  at("main").setAttribute("aria-busy", "true");
  for (const label of document.querySelectorAll("[data-of]")) {
    label.hidden = label.dataset.of !== question();
  }
  try {
    const told = await ask("look", { ...selection(), take });
    if (mine === asked) show(told);
  } catch (fault) {
    if (mine === asked) refuse(fault.message);
  }
  await beside(mine, take);
  if (mine === asked) at("main").setAttribute("aria-busy", "false");
}

async function beside(mine, take) {
  const name = at("beside").value;
  at("other").hidden = name === "";
  if (name === "") return;
  at("other-title").textContent = `The same in release ${name}`;
  let told = null;
  let why = "";
  try {
    told = await ask("look", { ...selection(), release: name, take });
    if (told.refused) why = told.refused;
    else if (told.waits) why = "Not a published statistic: press the button above to look at it in both.";
  } catch (fault) {
    why = fault.message;
  }
  if (mine !== asked) return;
  at("other-status").textContent = why;
  const shown = why === "";
  for (const part of ["picture", "foot", "tables"]) at(`other-${part}`).hidden = !shown;
  if (!shown) return;
  if (told.svg) at("other-picture").innerHTML = told.svg;
  else at("other-picture").replaceChildren(element("p", told.empty));
  at("other-foot").textContent = `${told.source}.`;
  at("other-tables").replaceChildren(...told.tables.map((model) => table(model, name)));
}

function refuse(why) {
  at("shown").hidden = true;
  at("take-line").hidden = true;
  status("refused", why);
}

function status(kind, text) {
  at("status").className = kind;
  at("status").textContent = text;
}

function show(told) {
  at("behind").hidden = true;
  const looks = `${told.taken} free ${told.taken === 1 ? "look" : "looks"} taken at this release`;
  at("looks").textContent =
    told.taken === null
      ? "Free looks are not given to this user: they could not be counted."
      : `${looks}, of which ${told.compared} compared groups.`;
  at("shown").hidden = Boolean(told.refused || told.waits);
  at("take-line").hidden = !told.waits;
  if (told.refused) return status("refused", told.refused);
  if (told.waits) {
    return status("free", `Not a published statistic: ${told.whom}. Looking is counted: this would be look ${told.taken + 1}.`);
  }
  status(
    told.published ? "published" : "free",
    told.published ? "Published statistic" : "Not a published statistic. It was chosen after looking, and is not adjusted for the other looks.",
  );
  at("title").textContent = told.title;
  at("named").replaceChildren(...told.statistics.map((id) => tracing(id, id, told.release)));
  at("named").hidden = told.statistics.length === 0;
  if (told.svg) at("picture").innerHTML = told.svg;
  else at("picture").replaceChildren(element("p", told.empty));
  at("foot").textContent = [...told.notes.filter((note) => note), `${told.source}.`].join(" ");
  at("tables").replaceChildren(...told.tables.map((model) => table(model, told.release)));
  at("sql").textContent = told.sql;
  at("python").textContent = told.python;
}

function table(model, release) {
  const whole = document.createElement("div");
  whole.append(element("h3", model.title));
  if (model.empty) {
    whole.append(element("p", model.empty));
    return whole;
  }
  const wide = document.createElement("section");
  wide.className = "wide";
  wide.tabIndex = 0;
  wide.setAttribute("aria-label", `Table: ${model.title}`);
  const grid = document.createElement("table");
  const head = grid.createTHead().insertRow();
  for (const name of model.columns) {
    const cell = element(name ? "th" : "td", name);
    if (name) cell.scope = "col";
    head.append(cell);
  }
  const body = grid.createTBody();
  for (const cells of model.rows) {
    const row = body.insertRow();
    cells.forEach((cell, place) => {
      const made = document.createElement(place === 0 ? "th" : "td");
      if (place === 0) made.scope = "row";
      made.append(cell.statistic && known.may_trace ? tracing(cell.statistic, cell.text, release) : cell.text);
      if (cell.statistic) made.dataset.statistic = cell.statistic;
      row.append(made);
    });
  }
  wide.append(grid);
  whole.append(wide);
  return whole;
}

function tracing(statistic, text, release) {
  if (!known.may_trace) return element("code", text);
  const button = element("button", text);
  button.type = "button";
  button.className = "number";
  button.title = `Trace ${statistic}`;
  button.addEventListener("click", () => trace(statistic, release));
  return button;
}

async function trace(statistic, release) {
  await open(`Trace of ${statistic}`, "trace", { statistic, release }, (told) => {
    const parts = [];
    for (const [name, subjects] of [["Counted", told.counted], ["Also in its population", told.others]]) {
      if (subjects.length === 0) continue;
      const line = element("p", `${name} (${subjects.length}): `);
      line.append(...subjects.map((subject) => person(subject, release)));
      parts.push(line);
    }
    at("people").replaceChildren(...parts);
  });
}

function person(subject, release) {
  const button = element("button", subject);
  button.type = "button";
  button.addEventListener("click", () =>
    open(`Patient ${subject}`, "patient", { subject, release }, () => at("people").replaceChildren()),
  );
  return button;
}

async function open(title, what, facts, then) {
  const mine = asked;
  at("behind").hidden = false;
  at("behind-title").textContent = title;
  at("people").replaceChildren();
  at("behind-text").textContent = "One moment.";
  at("behind").focus();
  try {
    const told = await ask(what, facts);
    if (mine !== asked) return;
    then(told);
    at("behind-text").textContent = told.text;
  } catch (fault) {
    at("behind-text").textContent = fault.message;
  }
}

async function release() {
  asked += 1;
  at("main").setAttribute("aria-busy", "true");
  try {
    controls(await ask("choices", { release: at("release").value }));
  } catch (fault) {
    refuse(fault.message);
    at("main").setAttribute("aria-busy", "false");
    return;
  }
  await look(false);
}

async function begin() {
  try {
    const told = await ask("releases", {});
    const labels = Object.fromEntries(
      told.releases.map(({ id, status: state }) => [
        id,
        id + (id === told.current ? " (current)" : state === "published" ? "" : ` (${state})`),
      ]),
    );
    fill(at("release"), told.releases.map((r) => r.id), labels, told.current);
    fill(at("beside"), told.releases.map((r) => r.id), labels, "", "nothing");
    await release();
  } catch (fault) {
    refuse(fault.message);
  }
}

at("controls").addEventListener("change", (event) =>
  event.target.id === "release" ? release() : look(false),
);
at("again").addEventListener("click", () => {
  document.querySelector("input[value=survival]").checked = true;
  for (const select of document.querySelectorAll("select")) {
    if (select.id !== "release") select.value = "";
  }
  release();
});
at("take").addEventListener("click", () => look(true));
at("close").addEventListener("click", () => {
  at("behind").hidden = true;
  at("title").scrollIntoView();
});
NARROW.addEventListener("change", () => look(false));
begin();
