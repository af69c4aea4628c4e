// What makes pages quicker to use. Every page works without it.

// A form that was sent is not sent twice: the second click would only wait for the first answer.
// (Should one get through all the same, both carry one idempotency key.)
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

// The back button shows forms as they were left: they may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Live parts: the server says that something has changed, and the page fetches itself again.
// Marked elements (data-live="name") are replaced; what somebody is typing into is not among them.
const state = document.querySelector("[data-live-from]");
if (state) {
  const say = (name, text) => {
    state.dataset.state = name;
    state.textContent = text;
  };
  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
      if (now && now.outerHTML !== old.outerHTML) old.replaceWith(now);
    }
    const follows = fresh.querySelector("[data-live-from]");
    if (follows) state.dataset.liveFrom = follows.dataset.liveFrom;
  };
  let source;
  const connect = () => {
    source = new EventSource(state.dataset.liveFrom);
    source.addEventListener("open", () => say("live", "Live"));
    source.addEventListener("error", () =>
      say("lost", source.readyState === EventSource.CLOSED ? "Not live: reload the page" : "Not live: trying to connect again"),
    );
    source.addEventListener("changed", () =>
      refresh().then(
        () => say("live", "Live"),
        () => say("lost", "Not live: reload the page"),
      ),
    );
  };
  connect();
  // A page nobody sees is not kept live: a browser has few connections, and all its pages share them.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source.close();
      say("paused", "Paused");
    } else if (source.readyState === EventSource.CLOSED) connect();
  });
  window.addEventListener("offline", () => say("lost", "Not live: no connection"));
  window.addEventListener("online", () => {
    if (source.readyState === EventSource.OPEN) say("live", "Live");
  });
}

// The slider through time: it moves the moment of its form, and lets go on release.
for (const slider of document.querySelectorAll("input[type=range][data-moment]")) {
  const field = document.getElementById(slider.dataset.moment);
  const shown = document.getElementById(slider.dataset.shown);
  const moment = () => new Date(Number(slider.value) * 1000).toISOString().slice(0, 19);
  slider.hidden = false;
  slider.addEventListener("input", () => {
    field.value = moment();
    if (shown) shown.textContent = `${field.value.replace("T", " ")} UTC`;
  });
  slider.addEventListener("change", () => slider.form.requestSubmit());
}

// Forms that are checked as somebody types: by the ledger itself, as a dry run.
for (const form of document.querySelectorAll("form[data-check]")) {
  let waiting = 0;
  const touched = new Set();
  const say = (input, said) => {
    const box = input.closest(".field");
    if (!box) return;
    let hint = box.querySelector(".hint");
    if (!hint && said) {
      hint = document.createElement("p");
      hint.className = "hint";
      hint.id = `h-${input.name}`;
      input.setAttribute("aria-describedby", hint.id);
      box.append(hint);
    }
    if (hint && hint.dataset.own === undefined) hint.dataset.own = box.classList.contains("wrong") ? "" : hint.textContent;
    box.classList.toggle("wrong", Boolean(said));
    input.toggleAttribute("aria-invalid", Boolean(said));
    if (hint) hint.textContent = said || hint.dataset.own;
  };
  const check = async () => {
    const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok || answer.redirected) return;
    const { errors } = await answer.json();
    for (const input of form.elements) {
      if (touched.has(input.name)) say(input, (errors[input.name] || []).join(" "));
    }
  };
  form.addEventListener("input", (event) => {
    touched.add(event.target.name);
    clearTimeout(waiting);
    waiting = setTimeout(check, 300);
  });
}
