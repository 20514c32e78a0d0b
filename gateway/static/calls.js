// How the page speaks to the gateway, and the few things that all of it writes with.
// Everything from the gateway is text (textContent), never markup.

export const $ = (id) => document.getElementById(id);

export function headers(more = {}) {
  const token = sessionStorage.getItem("token");
  return token ? { ...more, authorization: `Bearer ${token}` } : more;
}

export async function call(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: headers(options.headers) });
  if (answer.status === 401) {
    await askToken();
    return call(path, options);
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? body.refused?.[0]?.detail ?? `${answer.status}`);
  return body;
}

export function post(path, value) {
  return call(path, { method: "POST", body: JSON.stringify(value), headers: { "content-type": "application/json" } });
}

let asking = null;
export function askToken() {
  asking ??= new Promise((resolve) => {
    $("token-dialog").showModal();
    $("token-form").onsubmit = () => {
      sessionStorage.setItem("token", $("token").value);
      asking = null;
      resolve();
    };
  });
  return asking;
}

export function say(element, text, wrong = false) {
  element.textContent = text;
  element.classList.toggle("error", wrong);
}

export function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

export function button(text, label, act) {
  const made = element("button", text);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.onclick = () => act(made);
  return made;
}

// New rows in place of the old ones, without taking anything out of a person's hands: a form that is
// being written in goes on in the row of its item, and the focus stays where it was.
export function show(container, rows) {
  const held = container.contains(document.activeElement) ? document.activeElement : null;
  for (const form of container.querySelectorAll("li[data-item] form")) {
    const item = form.closest("li").dataset.item, row = rows.find((one) => one.dataset.item === item);
    row?.querySelector("button[data-opens]").replaceWith(form);
  }
  container.replaceChildren(...rows);
  if (held === null) return;
  const label = held.getAttribute("aria-label");
  const again = [...container.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === label);
  (held.isConnected ? held : again)?.focus();
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
