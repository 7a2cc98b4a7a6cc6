"use strict";
// The chat: asks for changes, shows them, sends what the person does.

const VISIBLE_MS = 500;
const HIDDEN_MS = 3000;
const CODE = /\b\d{4,8}\b/;
const at = (id) => document.getElementById(id);

const messages = new Map();
let revision = 0;
let smsShown = 0;
let extras = {};

const log = at("log");
const input = at("input");

// ---- Asking -------------------------------------------------------------------------------------------------------

async function ask() {
  const seeing = document.visibilityState === "visible" ? 1 : 0;
  const answer = await fetch(`${SANDBOX.base}/changes?since=${revision}&seeing=${seeing}`);
  if (!answer.ok) throw new Error(String(answer.status));
  const news = await answer.json();
  revision = news.revision;
  showMessages(news.messages);
  showTexts(news.sms);
  showExtras(news);
}

let asking = null;
function askNow() {
  asking = asking || ask().finally(() => { asking = null; });
  return asking;
}

async function loop() {
  try {
    await askNow();
  } catch {
    showTrouble("Mất kết nối với môi trường thử.");
  }
  setTimeout(loop, document.visibilityState === "visible" ? VISIBLE_MS : HIDDEN_MS);
}

// ---- Showing ------------------------------------------------------------------------------------------------------

function showMessages(changed) {
  if (!changed.length) return;
  const atEnd = isNearEnd();
  let grown = false;
  for (const message of changed) {
    const row = bubble(message, {
      onTap: tap,
      onShare: () => act("submit_info"),
      textOf: (id) => messages.get(id)?.text || "",
    });
    const known = at("messages").querySelector(`[data-id="${CSS.escape(message.message_id)}"]`);
    if (known) known.replaceWith(row);
    else { placeDay(message); at("messages").append(row); grown = true; }
    if (atEnd) for (const image of row.querySelectorAll("img")) image.addEventListener("load", keepAtEnd);
    messages.set(message.message_id, message);
  }
  groupRows();
  showQuickReplies();
  if (grown && atEnd) scrollToEnd();
}

let lastDay = "";
function placeDay(message) {
  const day = dayName(message.at);
  if (day !== lastDay) at("messages").append(make("li", "day", day));
  lastDay = day;
}

function groupRows() {
  const rows = [...at("messages").querySelectorAll(".message")];
  rows.forEach((row, index) => {
    const next = rows[index + 1];
    row.classList.toggle("last", !next || next.className.split(" ")[1] !== row.className.split(" ")[1]);
  });
}

function showQuickReplies() {
  const last = [...messages.values()].pop();
  const replies = last && last.author !== "user" ? last.quick_replies : [];
  at("quick").replaceChildren(...replies.map((reply) => tapElement(reply, tap)));
}

function showTexts(texts) {
  at("no-sms").hidden = texts.length > 0;
  if (texts.length === smsShown) return;
  const fresh = texts.length - smsShown;
  at("texts").replaceChildren(...texts.map(textElement));
  at("texts").lastElementChild?.scrollIntoView({ block: "nearest" });
  const badge = at("sms-count");
  badge.hidden = at("sms").classList.contains("open");
  badge.textContent = String(Number(badge.textContent || 0) + fresh);
  smsShown = texts.length;
}

function textElement(text) {
  const row = make("li", "", make("div", "text", text.text), make("time", "", clockTime(text.at)));
  row.dataset.testid = "sms";
  const code = text.text.match(CODE);
  if (code) {
    const button = make("button", "copy", `Sao chép mã ${code[0]}`);
    button.type = "button";
    button.dataset.copy = code[0];
    button.dataset.testid = "copy-code";
    row.append(button);
  }
  return row;
}

function showExtras(news) {
  at("typing").hidden = !news.typing;
  if (news.typing && at("typing").dataset.shown !== "1") scrollToEnd();
  at("typing").dataset.shown = news.typing ? "1" : "";
  at("welcome").hidden = messages.size > 0;
  const shape = JSON.stringify([news.following, news.menu, news.ice_breakers, news.get_started]);
  if (shape === extras.shape) return;
  extras = { shape };
  if (SANDBOX.platform === "zalo") showFollowing(news.following);
  else showMenu(news);
}

function showFollowing(following) {
  const button = at("follow");
  button.textContent = following ? "✓" : "Quan tâm";
  button.title = following ? "Đang quan tâm. Bấm để bỏ quan tâm." : "Quan tâm";
  button.classList.toggle("on", following);
  button.onclick = () => act(following ? "unfollow" : "follow");
  at("openers").replaceChildren(opener("Nhắn tin", () => act("greet").then(() => input.focus())));
}

function showMenu(news) {
  at("menu-open").hidden = !news.menu.length;
  at("menu").replaceChildren(...news.menu.map((item) => tapElement(item, tap)));
  const openers = news.ice_breakers.length
    ? news.ice_breakers.map((item) => opener(item.title, () => tap(item)))
    : news.get_started ? [opener("Bắt đầu", () => act("greet"))] : [];
  at("openers").replaceChildren(...openers);
}

function opener(title, onclick) {
  const button = make("button", "tap", title);
  button.type = "button";
  button.onclick = onclick;
  return button;
}

function isNearEnd(grownBy = 0) {
  return log.scrollHeight - log.scrollTop - log.clientHeight - grownBy < 80;
}

// A picture that loads while somebody reads further up leaves them there.
function keepAtEnd(event) {
  if (isNearEnd(event.target.clientHeight)) scrollToEnd();
}

function scrollToEnd() {
  requestAnimationFrame(() => { log.scrollTop = log.scrollHeight; });
}

let toastTimer = 0;
function toast(text) {
  at("toast").textContent = text;
  at("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { at("toast").hidden = true; }, 2500);
}

// ---- Doing --------------------------------------------------------------------------------------------------------

async function act(call, body, form) {
  try {
    const answer = await fetch(`${SANDBOX.base}/${call}`, { method: "POST", body: form || JSON.stringify(body || {}) });
    if (!answer.ok) throw new Error(String(answer.status));
    scrollToEnd();
    await askNow().then(askNow);
    scrollToEnd();
    return true;
  } catch {
    toast("Không gửi được. Hãy thử lại.");
    return false;
  }
}

function tap(button) {
  closeSheets();
  if (button.phone) return toast(`Đang gọi ${button.phone}…`);
  if (button.url) return window.open(button.url, "_blank", "noopener");
  return act("tap", button);
}

async function say() {
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  fitInput();
  if (!(await act("say", { text }))) {
    input.value = text;
    fitInput();
  }
}

function fitInput() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 120)}px`;
  at("composer").classList.toggle("writing", input.value.trim() !== "");
}

function toggleSheet(sheet, opener) {
  const open = sheet.hidden;
  closeSheets();
  sheet.hidden = !open;
  if (open) scrollToEnd();
  opener.setAttribute("aria-expanded", String(open));
}

function closeSheets() {
  for (const sheet of document.querySelectorAll(".sheet")) sheet.hidden = true;
  for (const panel of document.querySelectorAll(".panel")) panel.hidden = true;
  for (const button of document.querySelectorAll("[aria-expanded]")) button.setAttribute("aria-expanded", "false");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = make("textarea", "away", text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(`Đã sao chép ${text}`);
}

at("composer").addEventListener("submit", (event) => { event.preventDefault(); say(); });
input.addEventListener("input", fitInput);
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); say(); }
});
at("attach-open").addEventListener("click", () => toggleSheet(at("attach"), at("attach-open")));
at("menu-open")?.addEventListener("click", () => toggleSheet(at("menu"), at("menu-open")));
at("voice").addEventListener("click", () => { closeSheets(); act("say", { audio: true }); });
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  if (!file) return;
  const form = new FormData();
  form.append("file", file);
  at("file").value = "";
  closeSheets();
  act("file", null, form);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { copy: text, panel, sticker, latitude, longitude } = button.dataset;
  if (text) copy(text);
  if (panel) { for (const shown of document.querySelectorAll(".panel")) shown.hidden = shown.id !== panel; scrollToEnd(); }
  if (sticker) { closeSheets(); act("say", { sticker }); }
  if (latitude) { closeSheets(); act("say", { location: { latitude: Number(latitude), longitude: Number(longitude) } }); }
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeSheets(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") askNow().catch(() => {}); });
for (const button of document.querySelectorAll(".sms-toggle")) {
  button.addEventListener("click", () => {
    const open = at("sms").classList.toggle("open");
    if (open) { at("sms-count").hidden = true; at("sms-count").textContent = ""; }
  });
}

fitInput();
loop();
