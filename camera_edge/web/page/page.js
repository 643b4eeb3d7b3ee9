// Shows cameras and events, and shows plainly when it cannot.
// Everything from the server is put in as text, never as markup.

import { LivePlayer } from "/live.js";

const POLL_MS = 2000;
const ANSWER_WITHIN_MS = 5000;
const SHOWN_EVENTS = 50;

const find = (id) => document.getElementById(id);
const cameras = new Map();
const events = new Map();
const kinds = new Set();
let unreachableSince = null;

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function utc(iso) {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function say(alarm, text) {
  alarm.hidden = !text;
  if (alarm.textContent !== text) alarm.textContent = text;
}

class AnswerError extends Error {}

async function ask(address) {
  const response = await fetch(address, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (response.status === 401) {
    throw new AnswerError("The token is no longer valid. Open the address that camera-edge printed when it started.");
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({ error: `status ${response.status}` }));
    throw new AnswerError(body.hint ? `${body.error} (${body.hint}).` : `${body.error}.`);
  }
  return response.json();
}

// ---- cameras

function addCamera(name) {
  const card = element("article", "camera");
  const picture = element("div", "picture");
  const video = element("video");
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.dataset.camera = name;
  const cover = element("p", "cover", "Connecting.");
  picture.append(video, cover);
  const caption = element("div", "caption");
  const state = element("p", "state");
  caption.append(element("h3", "", name), state);
  const notice = element("p", "notice");
  notice.hidden = true;
  const details = element("details");
  const body = element("div");
  details.append(element("summary", "", "Figures, analyzers and confinement"), body);
  card.append(picture, caption, notice, details);
  find("cameras").append(card);
  const player = new LivePlayer(name, video, cover);
  if (!document.hidden) player.start();
  return { card, state, notice, body, player };
}

function moduleLine(module) {
  const figures = Object.entries(module.counters)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name} ${value.toLocaleString("en")}`);
  return `${module.name} ${module.version}${module.asleep ? ", asleep" : ""}: ${figures.join(", ") || "nothing yet"}`;
}

function showCamera(status) {
  if (!cameras.has(status.name)) cameras.set(status.name, addCamera(status.name));
  const { state, notice, body, player } = cameras.get(status.name);
  state.textContent = status.state;
  state.className = `state ${status.live ? "good" : "bad"}`;
  player.setDown(status.live ? "" : `${status.name} is ${status.state}. ${status.message}`);
  // what is wrong with a camera that is down is said on its picture
  notice.hidden = !status.live || !status.message;
  notice.textContent = status.message;
  const figures = element("dl");
  for (const [name, value] of Object.entries(status.counters)) {
    figures.append(element("dt", "", name), element("dd", "", value.toLocaleString("en")));
  }
  const modules = element("ul");
  modules.append(...status.modules.map((module) => element("li", "", moduleLine(module))));
  const confinement = element("ul");
  confinement.append(...status.confinement.map((line) => element("li", "", line)));
  body.replaceChildren(figures, modules, confinement);
}

function showCameras(list) {
  list.forEach(showCamera);
  const names = new Set(list.map((status) => status.name));
  for (const [name, camera] of cameras) {
    if (names.has(name)) continue;
    camera.player.stop();
    camera.card.remove();
    cameras.delete(name);
  }
  find("cameras-note").textContent = list.length ? "Redacted before it is encoded." : "No camera is configured.";
}

// ---- events

function named(kind) {
  return kind.replaceAll("_", " ");
}

function offerKinds(list) {
  const known = kinds.size;
  list.forEach((event) => kinds.add(event.kind));
  if (kinds.size === known) return;
  const choice = find("kind");
  const chosen = choice.value;
  const options = [...kinds].sort().map((kind) => {
    const option = element("option", "", named(kind));
    option.value = kind;
    return option;
  });
  choice.replaceChildren(choice.options[0], ...options);
  choice.value = chosen;
  find("kinds").hidden = kinds.size < 2;
}

function play(event) {
  find("viewer-title").textContent = `${named(event.kind)} at ${event.camera}`;
  find("viewer-note").textContent = `${event.why ? `${event.why}. ` : ""}${utc(event.opened_utc)}, event ${event.id}`;
  const video = find("viewer-video");
  video.src = event.clip;
  find("viewer").showModal();
  video.play().catch(() => {});
}

function thumbnail(event) {
  if (!event.snapshot) return element("div", "blank");
  const image = element("img");
  image.src = event.snapshot;
  image.alt = `Redacted snapshot: ${named(event.kind)} at ${event.camera}`;
  image.loading = "lazy";
  return image;
}

function duration(event) {
  if (!event.closed_utc) return "still open";
  return `${((Date.parse(event.closed_utc) - Date.parse(event.opened_utc)) / 1000).toFixed(1)} s`;
}

function eventItem(event) {
  const item = element("li", event.closed_utc ? "event" : "event open");
  item.dataset.event = event.id;
  const text = element("div");
  const title = element("p");
  const where = event.zones.length ? ` in ${event.zones.join(", ")}` : "";
  title.append(element("strong", "", named(event.kind)), ` at ${event.camera}${where}, score ${event.score.toFixed(2)}`);
  const when = element("p", "when");
  const time = element("time", "", utc(event.opened_utc));
  time.dateTime = event.opened_utc;
  when.append(time, `, ${duration(event)}, ${event.rule}`);
  text.append(title);
  if (event.why) text.append(element("p", "why", event.why));
  text.append(when);
  const actions = element("div", "actions");
  if (event.clip) {
    const button = element("button", "", "Play");
    button.addEventListener("click", () => play(event));
    const link = element("a", "", "Clip");
    link.href = event.clip;
    link.download = `${event.id}.mp4`;
    actions.append(button, link);
  }
  if (event.metadata) {
    const link = element("a", "", "Metadata");
    link.href = event.metadata;
    actions.append(link);
  }
  if (!event.clip) actions.append(element("span", "note", event.closed_utc ? "no clip" : "clip follows"));
  item.append(thumbnail(event), text, actions);
  return item;
}

function showEvents(list) {
  const shown = list.map((event) => {
    const state = JSON.stringify(event);
    const known = events.get(event.id);
    if (known?.state === state) return [event.id, known];
    return [event.id, { state, item: eventItem(event) }];
  });
  const before = [...events.values()].map((one) => one.item);
  const after = shown.map(([, one]) => one.item);
  events.clear();
  shown.forEach(([id, one]) => events.set(id, one));
  if (before.length !== after.length || before.some((item, index) => item !== after[index])) {
    find("events").replaceChildren(...after);
  }
  const kind = find("kind").value;
  const none = kind ? `No ${named(kind)} so far.` : "No event so far.";
  find("events-note").textContent = list.length ? `The newest ${list.length}, newest first.` : none;
}

// ---- polling

async function pollStatus() {
  try {
    const status = await ask("/api/status");
    unreachableSince = null;
    find("hub").textContent = "connected";
    find("hub").className = "state good";
    say(find("hub-alarm"), "");
    find("about").textContent = `camera-edge ${status.version}, running since ${utc(status.started_utc)}`;
    showCameras(status.cameras);
  } catch (error) {
    unreachableSince ??= new Date().toISOString();
    find("hub").textContent = "no connection";
    find("hub").className = "state bad";
    const reason = error instanceof AnswerError ? error.message : "camera-edge does not answer.";
    say(find("hub-alarm"), `${reason} What is shown below may be out of date since ${utc(unreachableSince)}.`);
    for (const { state } of cameras.values()) {
      state.textContent = "unknown";
      state.className = "state";
    }
  }
}

async function pollEvents() {
  const kind = find("kind").value;
  try {
    const answer = await ask(`/api/events?limit=${SHOWN_EVENTS}${kind ? `&kind=${encodeURIComponent(kind)}` : ""}`);
    say(find("events-alarm"), "");
    offerKinds(answer.events);
    // another kind may have been chosen meanwhile
    if (kind === find("kind").value) showEvents(answer.events);
  } catch (error) {
    const reason = error instanceof AnswerError ? error.message : "camera-edge does not answer.";
    say(find("events-alarm"), `The events cannot be read: ${reason}`);
    if (!events.size) find("events-note").textContent = "Whether there are events is not known.";
  }
}

async function poll() {
  if (!document.hidden) await Promise.all([pollStatus(), pollEvents()]);
  setTimeout(poll, POLL_MS);
}

document.addEventListener("visibilitychange", () => {
  for (const { player } of cameras.values()) {
    if (document.hidden) player.stop();
    else player.start();
  }
});
addEventListener("pagehide", () => cameras.forEach(({ player }) => player.stop()));
addEventListener("pageshow", (event) => {
  if (event.persisted) cameras.forEach(({ player }) => player.start());
});
find("kind").addEventListener("change", pollEvents);
find("viewer").addEventListener("close", () => {
  find("viewer-video").pause();
  find("viewer-video").removeAttribute("src");
});
poll();
