// The live page: what a person does becomes events, what the engine answers is shown as it comes.

import { $, askToken, button, call, element, headers, pause, post, say, show } from "./calls.js";
import { governButton, governs, startOperators } from "./operators.js";
import { startReview } from "./review.js";

const COLOURS = ["#0b6e69", "#c77d0a", "#6a4fa3", "#b03a5b", "#3b7dbd", "#7a8c2e"];
const POINTS = 600; // of the plot
const SHOWN = 24; // items of the catalogue
const state = { user: "", sent: new Map(), before: [], stream: null, plot: [], events: null };

// ---- what a person does

async function tell(event, what) {
  if (!state.user) return say($("list-state"), "Pick a user first.", true);
  const event_id = crypto.randomUUID();
  state.sent.set(event_id, { at: performance.now(), what });
  say($("list-state"), `${what} …`);
  try {
    await post("v1/events", { ...event, user_id: state.user, event_id });
  } catch (error) {
    state.sent.delete(event_id);
    say($("list-state"), `${what}: ${error.message}`, true);
  }
}

// ---- the catalogue

let asked = 0;
async function showCatalogue() {
  const words = $("words").value.trim(), mine = ++asked;
  const path = words
    ? `v1/items?query=${encodeURIComponent(words)}&k=${SHOWN}`
    : `v1/popular?k=${SHOWN}`;
  try {
    const { items } = await call(path);
    if (mine !== asked) return; // a later question was asked meanwhile
    show($("catalogue"), items.map((one) => shownItem(one, false)));
    const none = words ? "no title is written like this" : "nothing was announced yet: try `upwell demo`";
    say($("catalogue-state"), items.length ? (words ? "best first" : "popular now") : none);
  } catch (error) {
    say($("catalogue-state"), error.message, true);
    if (mine === asked) setTimeout(showCatalogue, 1000); // a gateway that has just started reads first
  }
}

function shownItem(item, withReasons) {
  const made = $("item-template").content.cloneNode(true).firstElementChild;
  const title = item.title ?? item.item_id;
  made.dataset.item = item.item_id;
  made.querySelector(".name").textContent = title;
  made.querySelector(".acts").append(...acts(item.item_id, title));
  if (withReasons) {
    made.querySelector(".why").append(...item.sentences.map((text) => element("li", text)));
    drawShares(made.querySelector(".shares"), item.reasons);
  }
  return made;
}

function acts(item_id, title) {
  const act = (text, label, event) =>
    button(text, `${label}: ${title}`, () => tell({ item_id, ...event }, `${label} ${title}`));
  const rate = element("select");
  rate.setAttribute("aria-label", `rate: ${title}`);
  rate.append(element("option", "rate"), ...[5, 4, 3, 2, 1].map((stars) => element("option", `${stars} ★`)));
  rate.onchange = () => {
    const rating = parseInt(rate.value, 10);
    if (rating) tell({ topic: "reviews", item_id, rating }, `rated ${rating} ★ ${title}`);
  };
  const review = button("review …", `review in words: ${title}`, (own) => own.replaceWith(reviewForm(item_id, title, own)));
  review.dataset.opens = "form";
  return [
    act("view", "viewed", { topic: "clicks", action: "view" }),
    act("click", "clicked", { topic: "clicks", action: "click" }),
    act("like", "liked", { topic: "clicks", action: "like" }),
    act("dislike", "disliked", { topic: "clicks", action: "dislike" }),
    rate,
    review,
    ...(governs() ? [governButton(item_id, title)] : []),
  ];
}

function reviewForm(item_id, title, opener) {
  const form = element("form"), words = element("input"), send = element("button", "send");
  words.required = true;
  words.maxLength = 2000;
  words.setAttribute("aria-label", `review of ${title}`);
  form.append(words, send);
  form.onsubmit = (event) => {
    event.preventDefault();
    tell({ topic: "reviews", item_id, text: words.value }, `reviewed ${title}`);
    form.replaceWith(opener);
    opener.focus();
  };
  queueMicrotask(() => words.focus());
  return form;
}

// ---- the list

function drawShares(bar, reasons) {
  const total = reasons.reduce((sum, one) => sum + Math.abs(one.weight), 0);
  if (!total) return;
  const parts = reasons.map((one, place) => {
    const part = element("span");
    part.style.width = `${(100 * Math.abs(one.weight)) / total}%`;
    part.style.background = COLOURS[place % COLOURS.length];
    part.style.opacity = one.weight < 0 ? 0.35 : 1;
    part.title = `${one.signal} ${one.weight.toFixed(2)}`;
    return part;
  });
  bar.setAttribute("aria-label", reasons.map((one) => `${one.signal} ${one.weight.toFixed(2)}`).join(", "));
  bar.replaceChildren(...parts);
}

function showList(list) {
  const before = new Map(state.before.map((id, place) => [id, place]));
  const rows = list.items.map((entry, place) => {
    const row = shownItem(entry, true), was = before.get(entry.item_id);
    const mark = was === undefined ? "new" : was > place ? `▲ ${was - place}` : was < place ? `▼ ${place - was}` : "";
    if (before.size) row.querySelector(".mark").textContent = mark;
    if (entry.explored) row.querySelector(".mark").textContent += " explored";
    row.classList.toggle("fresh", before.size > 0 && mark !== "");
    return row;
  });
  show($("list"), rows);
  state.before = list.items.map((entry) => entry.item_id);
  const sent = state.sent.get(list.trigger);
  state.sent.delete(list.trigger);
  if (state.sent.size > 100) state.sent.clear();
  const took = sent ? `${sent.what}: this list came after ${Math.round(performance.now() - sent.at)} ms` : "the newest list";
  say($("list-state"), list.items.length ? took : `${took}; it is empty: no items are left for this user`);
}

async function follow(user) {
  state.stream?.abort();
  const own = (state.stream = new AbortController());
  let wait = 500;
  while (!own.signal.aborted) {
    try {
      const path = `v1/users/${encodeURIComponent(user)}/events?lang=${document.documentElement.lang}`;
      const answer = await fetch(path, { headers: headers(), signal: own.signal });
      if (answer.status === 401) await askToken();
      if (!answer.ok) throw new Error((await answer.json()).detail);
      say($("state"), "live");
      wait = 500;
      await readEvents(answer.body);
    } catch (error) {
      if (own.signal.aborted) return;
      say($("state"), `not connected (${error.message}); trying again`, true);
    }
    await pause(wait);
    wait = Math.min(2 * wait, 10_000);
  }
}

async function readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (left + value).split("\n\n");
    left = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").find((line) => line.startsWith("data: "));
      if (data) showList(JSON.parse(data.slice(6)));
    }
  }
}

function showUser(user) {
  state.user = user;
  state.before = [];
  state.sent.clear();
  $("user").value = user;
  $("list-user").textContent = user;
  $("list").replaceChildren();
  say($("list-state"), "No list yet: it comes with the first click.");
  history.replaceState(null, "", `#${encodeURIComponent(user)}`);
  follow(user);
  call(`v1/users/${encodeURIComponent(user)}/list?request=true`).catch(() => {}); // it comes by the stream
}

// ---- the engine

async function showEngine() {
  try {
    const { serve, learn } = await call("v1/figures");
    const events = serve.reduce((sum, one) => sum + (one.counts?.events ?? 0), 0), now = performance.now();
    const rate = state.events && now > state.events.at ? (1000 * (events - state.events.count)) / (now - state.events.at) : null;
    state.events = { count: events, at: now };
    const sum = (name) => serve.reduce((total, one) => total + (one.counts?.[name] ?? 0), 0);
    const rows = [
      ["serve workers", serve.length],
      ["events", `${events.toLocaleString()}${rate === null ? "" : `, ${Math.max(0, rate).toFixed(0)}/s`}`],
      ["lists", sum("lists").toLocaleString()],
      ["dead letters", sum("dead_letters").toLocaleString()],
      ["model that serves", learn?.model_version ?? "no learner yet"],
      ["examples learned", learn?.examples?.toLocaleString() ?? "–"],
      ["waiting for learn", learn?.waiting?.toLocaleString() ?? "–"],
      ["guard", Object.entries(learn?.candidates ?? {}).map(([name, n]) => `${name} ${n}`).join(", ") || "–"],
    ];
    $("figures").replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", `${value}`)]));
    plot(learn?.figures);
    if (!state.stream) say($("state"), "ready");
  } catch (error) {
    say($("state"), error.message, true);
  }
}

function plot(figures) {
  const own = figures?.model?.ndcg10?.all;
  if (own == null) return;
  const peers = Object.entries(figures.peers ?? {}).map(([name, one]) => [one.ndcg10?.all ?? 0, name]);
  const [best, name] = peers.sort((a, b) => b[0] - a[0])[0] ?? [0, "no peer"];
  state.plot.push([own, best]);
  if (state.plot.length > POINTS) state.plot.shift();
  const top = Math.max(...state.plot.flat(), 1e-6), width = Math.max(1, state.plot.length - 1);
  const line = (place, kind) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    const points = state.plot.map((one, at) => `${(300 * at) / width},${(115 - (110 * one[place]) / top).toFixed(1)}`);
    made.setAttribute("points", points.join(" "));
    made.setAttribute("class", kind);
    return made;
  };
  $("plot").replaceChildren(line(1, "peer"), line(0, "own"));
  say($("plot-text"), `Upwell ${own.toFixed(4)}; best peer ${best.toFixed(4)} (${name}, dashed)`);
}

// ---- the forms

$("who").onsubmit = (event) => {
  event.preventDefault();
  showUser($("user").value);
};
$("new-user").onclick = () => showUser(`guest-${crypto.randomUUID().slice(0, 8)}`);
$("forget").onclick = async () => {
  const user = state.user;
  if (!user) return say($("list-state"), "Pick a user first.", true);
  if (!confirm(`Remove all that is kept of ${user}? It cannot be brought back.`)) return;
  say($("list-state"), "forgetting …");
  try {
    const answer = await call(`v1/users/${encodeURIComponent(user)}?why=asked+on+the+page`, { method: "DELETE" });
    $("list").replaceChildren();
    state.before = [];
    say($("list-state"), answer.removed ? forgotten(answer) : answer.detail);
  } catch (error) {
    say($("list-state"), error.message, true);
  }
};

function forgotten({ removed, remains }) {
  const parts = Object.entries(removed).map(([name, count]) => `${name} ${count}`);
  return `forgotten: ${parts.join(", ")}. What remains: ${remains.join("; ") || "nothing"}`;
}

$("search").onsubmit = (event) => event.preventDefault();
let typing = 0;
$("words").oninput = () => {
  clearTimeout(typing);
  typing = setTimeout(showCatalogue, 150);
};
$("tell").onclick = () => {
  const text = $("words").value.trim();
  if (text) tell({ topic: "queries", text }, `searched “${text}”`);
};

// ---- the beginning

async function start() {
  for (;;) {
    try {
      startOperators(await call("v1/caller"), () => state.user && call(`v1/users/${encodeURIComponent(state.user)}/lists`, { method: "POST" }));
      startReview();
      break;
    } catch (error) {
      say($("state"), error.message, true); // a gateway that has just started reads first
      await pause(1000);
    }
  }
  showCatalogue();
  showEngine();
  setInterval(showEngine, 1000);
  const named = decodeURIComponent(location.hash.slice(1));
  if (named) showUser(named);
}

start();
