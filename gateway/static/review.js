// The queue of items that wait for a person: why, since when, and deciding, or approving what somebody
// else decided. What was decided in between is never overruled unseen: the gateway answers 409.

import { $, button, call, element, post, say, show } from "./calls.js";
import { askHeeded, caller, governs, NOT_YOURS, sayAgain, tell, when } from "./operators.js";

const LOOK_MS = 15_000;
const PAGE = 20, MOST = 100; // items at once
const HOLDS = { keep: "kept", ban: "banned", demote: "demoted", boost: "boosted", pin: "pinned" };
let shown = PAGE;

export function startReview() {
  if (!governs()) return say($("review-state"), NOT_YOURS);
  showQueue();
  setInterval(() => document.hidden || showQueue(), LOOK_MS);
}

async function showQueue() {
  try {
    const { hours, read_at, total, items } = await call(`v1/review?k=${shown}`);
    const told = `${total} ${total === 1 ? "item waits" : "items wait"} for a person, by the last ${hours} hours; looked at ${when(read_at)}`;
    sayAgain($("review-state"), total ? told : `Nothing waits for a person; looked at ${when(read_at)}.`);
    show($("review-list"), items.map(shownRow));
    $("review-more").hidden = total <= items.length || shown >= MOST;
  } catch (error) {
    say($("review-state"), error.message, true);
  }
}

function shownRow(row) {
  const made = element("li"), title = row.title ?? row.item_id, name = element("p", title);
  name.className = "title";
  const why = element("ul");
  why.className = "why";
  why.append(...row.why.map((text) => element("li", text)), element("li", `since ${when(row.since)}`));
  if (row.decided) why.append(element("li", waits(row.decided)));
  const acts = element("div");
  acts.className = "acts";
  acts.append(button("decide …", `decide on: ${title}`, () => openDecision(row, title)));
  if (row.decided?.state === "waits") {
    acts.append(
      button("approve …", `approve of: ${title}`, () => openAnswer(row, title, "approve")),
      button("reject …", `reject: ${title}`, () => openAnswer(row, title, "reject")),
    );
  }
  made.append(name, why, acts);
  return made;
}

function waits({ decision, by, why, needs, approved_by }) {
  const left = needs - approved_by.length;
  return `${decision}, said ${by}: ${why}. It waits for ${left} ${left === 1 ? "other" : "others"} to approve it`;
}

// ---- the dialog: a decision, or an answer to one

function openDecision(row, title) {
  open(row, title, async (by, why) => {
    const decision = $("review-decision").value;
    const word = { decision, by, why, days: Number($("review-days").value), seen: row.decided?.event_id ?? null };
    if (boosts()) word.boost = Number($("review-boost").value);
    const kept = await post(`v1/review/${encodeURIComponent(row.item_id)}/decisions?timeout=30`, word);
    $("review-dialog").close();
    if (!kept.state) throw new Error(`${title}: ${kept.detail}`);
    if (kept.state === "waits") return tell($("review-state"), `${title}: ${decision} waits for somebody else to approve it`);
    tell($("review-state"), `${title} is ${HOLDS[decision]}, from the next list on`);
    await askHeeded(row.item_id, decision);
  });
}

function openAnswer(row, title, kind) {
  open(row, title, async (by, why) => {
    const { override_id, event_id } = row.decided;
    await post("v1/events", { topic: "controls", kind, override_id, of_event: event_id, by, why });
    $("review-dialog").close();
    tell($("review-state"), `${title}: ${kind === "approve" ? "approved" : "rejected"}; what comes of it is shown here in a moment`);
  });
  for (const id of ["review-decision", "review-days"]) hide(id, true);
}

function open(row, title, send) {
  $("review-item").textContent = title;
  $("review-why").replaceChildren(...row.why.map((text) => element("li", text)), ...(row.decided ? [element("li", waits(row.decided))] : []));
  $("review-decision").value = "keep";
  if (caller.name !== null) {
    $("review-by").value = caller.name;
    $("review-by").readOnly = true;
  }
  $("review-because").value = "";
  for (const id of ["review-decision", "review-days"]) hide(id, false);
  say($("review-error"), "");
  fitBoost();
  $("review-form").onsubmit = async (event) => {
    event.preventDefault();
    const again = event.submitter;
    again.disabled = true;
    try {
      await send($("review-by").value, $("review-because").value);
      await showQueue();
    } catch (error) {
      tell($("review-dialog").open ? $("review-error") : $("review-state"), error.message, true);
    } finally {
      again.disabled = false;
    }
  };
  $("review-dialog").showModal();
}

function hide(id, hidden) {
  $(id).hidden = hidden;
  $(id).disabled = hidden;
  $(id).labels[0].hidden = hidden;
}

const boosts = () => ["boost", "demote"].includes($("review-decision").value);

function fitBoost() {
  $("review-boost").disabled = !boosts();
  $("review-boost").parentElement.hidden = !boosts();
}

$("review-decision").onchange = fitBoost;
$("review-cancel").onclick = () => $("review-dialog").close();
$("review-more").onclick = () => {
  shown = Math.min(MOST, shown + PAGE);
  showQueue();
};
