// What operators see and say: words on items, versions of the model, dead letters. An app's token is
// told why it may not.

import { $, button, call, element, pause, post, say, show } from "./calls.js";

export const NOT_YOURS = "This is for an operator's token; the one of this tab is an app's.";
const KINDS = { pin_item: "pinned", ban_item: "banned", boost_item: "boosted", clear_item: "cleared" };
const LISTED = { pin_item: true, ban_item: false, pin: true, ban: false }; // what a list shows of a word
const VERDICTS = { promote: "promoted", superseded: "superseded", roll_back: "rolled back", went_back: "went back, as asked," };
const LOOK_MS = 5000;
const STANDS_LOOKS = 60, LIST_LOOKS = 10, AGAIN_MS = 500; // half a minute for a word to stand, five seconds for a list to heed it
const NEWS_MS = 10_000; // that what came of an act stands, before what is always said takes its place
export const caller = { role: "app", name: null };
let askList = () => {};

export const governs = () => caller.role === "operator";

// who: the answer of v1/caller. ask: has a list made for the user who is shown.
export function startOperators(who, ask) {
  Object.assign(caller, who);
  askList = ask;
  if (!governs()) {
    for (const id of ["words-state", "model-state", "letters-state"]) say($(id), NOT_YOURS);
    $("forget").disabled = true;
    $("forget").title = NOT_YOURS;
    return;
  }
  const look = () => Promise.all([showWords(), showVersions(), showLetters()]);
  look();
  setInterval(look, LOOK_MS);
}

const news = new WeakMap();
export function tell(place, text, wrong = false) {
  news.set(place, performance.now() + NEWS_MS);
  say(place, text, wrong);
}
export function sayAgain(place, text) {
  if (!(news.get(place) > performance.now())) say(place, text);
}

export const when = (ms) => new Date(ms).toLocaleString();

// ---- words on items

export function governButton(item_id, title) {
  return button("govern …", `pin, ban or boost: ${title}`, () => openWord(item_id, title, "pin_item"));
}

function openWord(item_id, title, kind) {
  $("word-item").textContent = title;
  $("word-kind").value = kind;
  if (caller.name !== null) {
    $("word-by").value = caller.name;
    $("word-by").readOnly = true;
  }
  $("word-why").value = "";
  say($("word-error"), "");
  fitBoost();
  $("word-form").onsubmit = (event) => {
    event.preventDefault();
    sayWord(item_id, title);
  };
  $("word-dialog").showModal();
}

function fitBoost() {
  const boosts = $("word-kind").value === "boost_item";
  $("word-boost").disabled = !boosts;
  $("word-boost").parentElement.hidden = !boosts;
}

async function sayWord(item_id, title) {
  const kind = $("word-kind").value, word = { kind, by: $("word-by").value, why: $("word-why").value };
  if (kind === "boost_item") word.boost = Number($("word-boost").value);
  try {
    const before = JSON.stringify(await standing(item_id));
    await post(`v1/items/${encodeURIComponent(item_id)}/controls`, word);
    $("word-dialog").close();
    tell($("words-state"), `${title} will be ${KINDS[kind]} …`);
    if (!(await stands(item_id, before))) throw new Error(`Kafka has the word on ${title}, serve has not taken it yet: does it run?`);
    await showWords();
    tell($("words-state"), `${title} is ${KINDS[kind]}, from the next list on`);
    await askHeeded(item_id, kind);
  } catch (error) {
    tell($("word-dialog").open ? $("word-error") : $("words-state"), error.message, true);
  }
}

async function stands(item_id, before) {
  for (let look = 0; look < STANDS_LOOKS; look++) {
    if (JSON.stringify(await standing(item_id)) !== before) return true;
    await pause(AGAIN_MS);
  }
  return false;
}

// The gateway may know of a word a moment before the worker that makes the list.
export async function askHeeded(item_id, kind) {
  for (let look = 0; look < LIST_LOOKS; look++) {
    const list = await askList(); // none where no user is shown
    if (!list || !(kind in LISTED) || list.items.some((one) => one.item_id === item_id) === LISTED[kind]) return;
    await pause(AGAIN_MS);
  }
}

async function standing(item_id) {
  const { items } = await call("v1/controls");
  return items.find((one) => one.item_id === item_id) ?? null;
}

async function showWords() {
  try {
    const { items } = await call("v1/controls");
    sayAgain($("words-state"), items.length ? `${items.length} ${items.length === 1 ? "item" : "items"}` : "No item is pinned, banned or boosted.");
    show($("words-list"), items.map(shownWords));
  } catch (error) {
    say($("words-state"), error.message, true);
  }
}

function shownWords(item) {
  const made = element("li"), holds = element("p", item.title);
  const marks = [item.pinned && "pinned", item.banned && "banned", item.boost && `boosted by ${item.boost}`];
  const mark = element("span", ` ${marks.filter(Boolean).join(", ")} `);
  mark.className = "mark";
  holds.className = "title";
  holds.append(mark, button("clear …", `clear: ${item.title}`, () => openWord(item.item_id, item.title, "clear_item")));
  const told = item.words.map((word) => element("li", `${KINDS[word.kind]} by ${word.by}, ${when(word.at)}: ${word.why}`));
  const why = element("ul");
  why.className = "why";
  why.append(...(told.length ? told : [element("li", "who said so, and why, is no longer kept")]));
  made.append(holds, why);
  return made;
}

// ---- versions of the model

async function showVersions() {
  try {
    const { here, versions, rulings } = await call("v1/versions");
    const none = "No checkpoint yet; learn writes the first after some examples.";
    sayAgain($("model-state"), versions.length ? `${here} ranks here now` : none);
    show($("versions"), versions.map((one, place) => shownVersion(one, place === 0)));
    say($("rulings-state"), rulings.length ? "the latest first" : "none since the newest checkpoint");
    show($("rulings"), rulings.map((one) => element("li", worded(one))));
  } catch (error) {
    say($("model-state"), error.message, true);
  }
}

function shownVersion(version, newest) {
  const made = element("li", `${version} `);
  if (newest) made.append(element("em", "the newest checkpoint"));
  else made.append(button("go back …", `go back to ${version}`, () => rollBack(version)));
  return made;
}

async function rollBack(version) {
  if (!confirm(`Go back to ${version}? Every list is made by it until what came since is learned again.`)) return;
  const told = $("model-state");
  tell(told, `learn goes back to ${version} …`);
  try {
    await call(`v1/versions/${encodeURIComponent(version)}/rollback`, { method: "POST" });
    tell(told, `${version} is the newest now; what came after it is learned again`);
  } catch (error) {
    tell(told, error.message, true);
  }
  await showVersions();
}

function worded({ verdict, version, learned, targets, candidate, serving, at }) {
  const what = `${when(at)}: ${VERDICTS[verdict] ?? verdict}`;
  if (verdict === "went_back") return `${what} to ${version}`;
  const score = (one) => (one === null ? "none" : one.toFixed(4));
  return `${what} what ${learned.toLocaleString()} examples taught; NDCG@10 ${score(candidate)} against ${score(serving)} over ${targets} targets`;
}

// ---- dead letters

async function showLetters() {
  try {
    const { letters } = await call("v1/dead-letters");
    sayAgain($("letters-state"), letters.length ? `the newest ${letters.length}` : "none since this gateway started");
    show($("letters"), letters.map(shownLetter));
  } catch (error) {
    say($("letters-state"), error.message, true);
  }
}

function shownLetter(letter) {
  const made = element("li", `${letter.topic}: ${letter.reason}. ${letter.detail} `);
  if (letter.replayed_at !== null) made.append(element("em", "sent again"));
  else made.append(button("send again", `send again: ${letter.place}`, (own) => sendAgain(letter.place, own)));
  return made;
}

async function sendAgain(place, own) {
  own.disabled = true;
  try {
    const { sent, skipped } = await call(`v1/dead-letters/${encodeURIComponent(place)}/replay`, { method: "POST" });
    tell($("letters-state"), sent.length ? "sent again; what is still wrong comes back as a new letter" : Object.values(skipped)[0]);
  } catch (error) {
    tell($("letters-state"), error.message, true);
  }
  showLetters();
}

$("word-kind").onchange = fitBoost;
$("word-cancel").onclick = () => $("word-dialog").close();
