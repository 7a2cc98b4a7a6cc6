"use strict";
// One message as an element. Everything shown comes in as text nodes, never as markup.

const REACTIONS = { "/-strong": "👍", "/-heart": "❤️", ":>": "😄", ":o": "😮", ":-((": "😭", ":-h": "😡" };
const LINK = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/g;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function linked(text) {
  return text.split(LINK).map((part, index) => {
    if (index % 2 === 0) return part;
    const anchor = make("a", "", part);
    anchor.href = part;
    anchor.target = "_blank";
    anchor.rel = "noopener";
    return anchor;
  });
}

function clockTime(iso) {
  return new Date(iso).toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });
}

function dayName(iso) {
  return new Date(iso).toLocaleDateString("vi-VN", {
    weekday: "long", day: "2-digit", month: "2-digit", year: "numeric", timeZone: "Asia/Ho_Chi_Minh",
  });
}

function picture(url, className) {
  const image = make("img", className);
  image.src = url;
  image.alt = "Ảnh";
  image.loading = "lazy";
  image.onerror = () => image.replaceWith(make("span", "broken", "Không tải được ảnh"));
  const anchor = make("a", "picture", image);
  anchor.href = url;
  anchor.target = "_blank";
  anchor.rel = "noopener";
  return anchor;
}

function mediaElement(media) {
  if (media.type === "image" || media.type === "gif") return picture(media.url, "photo");
  if (media.type === "sticker") return picture(media.url, "sticker");
  if (media.type === "audio") {
    const sound = make("audio");
    sound.src = media.url;
    sound.controls = true;
    return sound;
  }
  if (media.type === "video") {
    const film = make("video", "photo");
    film.src = media.url;
    film.controls = true;
    return film;
  }
  if (media.type === "link") return null;
  const anchor = make("a", "file", make("b", "", media.name || "Tệp"), make("small", "", sizeName(media.size)));
  anchor.href = media.url;
  anchor.target = "_blank";
  anchor.rel = "noopener";
  return anchor;
}

function sizeName(bytes) {
  if (!bytes) return "";
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function tapElement(tap, onTap) {
  if (tap.url) {
    const anchor = make("a", "tap", tap.title);
    anchor.href = tap.url;
    anchor.target = "_blank";
    anchor.rel = "noopener";
    anchor.dataset.testid = "button";
    return anchor;
  }
  const button = make("button", "tap", tap.title);
  button.type = "button";
  button.dataset.testid = "button";
  button.onclick = () => onTap(tap);
  return button;
}

function taps(list, onTap) {
  return list.length ? make("div", "taps", ...list.map((tap) => tapElement(tap, onTap))) : null;
}

function cardElement(card, onTap) {
  const body = make("div", "card-body", make("strong", "", card.title), card.subtitle ? make("span", "", card.subtitle) : null);
  return make("div", "card", card.image_url ? picture(card.image_url, "card-photo") : null, body, taps(card.buttons, onTap));
}

function locationElement(place) {
  const map = make("span", "map", "📍");
  map.setAttribute("aria-hidden", "true");
  return make("div", "place", map, make("span", "", "Vị trí đã chia sẻ"),
    make("small", "", `${place.latitude.toFixed(4)}, ${place.longitude.toFixed(4)}`));
}

function statusName(message) {
  if (message.author !== "user") return "";
  if (message.seen_at) return "Đã xem";
  return message.delivered_at ? "Đã nhận" : "Đã gửi";
}

function isBare(message) {
  if (message.text || message.buttons.length || message.template || message.location) return false;
  if (message.kind === "generic") return true;
  return message.media.length > 0 && message.media.every((media) => media.type !== "file" && media.type !== "audio");
}

function bubble(message, { onTap, onShare, textOf }) {
  const mine = message.author === "user";
  const content = make("div", "bubble");
  const quoted = message.quote ? textOf(message.quote) : "";
  if (quoted) content.append(make("div", "quote", quoted));
  if (message.template && message.template.name) content.append(make("div", "headline", message.template.name));
  for (const media of message.media) {
    const element = mediaElement(media);
    if (element) content.append(element);
  }
  if (message.location) content.append(locationElement(message.location));
  if (message.text) content.append(make("div", "text", ...linked(message.text)));
  if (message.cards.length) content.append(make("div", "cards", ...message.cards.map((card) => cardElement(card, onTap))));
  if (message.kind === "request_user_info") {
    content.append(taps([{ title: "Chia sẻ thông tin" }], onShare));
  }
  const buttons = taps(message.buttons, onTap);
  if (buttons) content.append(buttons);
  content.classList.toggle("bare", isBare(message));
  if (message.reaction) content.append(make("span", "reaction", REACTIONS[message.reaction] || message.reaction));

  const row = make("li", `message ${mine ? "mine" : "theirs"} ${message.author}`);
  row.dataset.testid = mine ? "message-out" : "message-in";
  row.dataset.id = message.message_id;
  row.dataset.status = message.seen_at ? "seen" : message.delivered_at ? "delivered" : "sent";
  if (!mine) {
    const face = make("img", "avatar");
    face.src = SANDBOX.avatar;
    face.alt = "";
    row.append(face);
  }
  const foot = make("div", "foot", make("time", "", clockTime(message.at)));
  if (message.author === "staff") foot.append(" · Nhân viên");
  if (mine) foot.append(make("span", "status", ` · ${statusName(message)}`));
  row.append(make("div", "column", content, foot));
  return row;
}
