// What every page of the console can do without being told more than by attributes. No page needs it to be read.
//   data-confirm="…"   a form asks before it is sent
//   data-key="c Enter" one of the keys presses this button or follows this link (not while somebody types)
//   data-live="url"    the part is fetched anew when something happened
//   data-count="name"  shows the live figure of that name, if it is not 0
//   data-live-often    and every few seconds, whatever happened
//   data-live-end      and stays scrolled to its end, if it was
//   data-auto          the form of filters is sent when a choice changes
//   data-due="time"    shows how long there is until then, or how late it is
//   data-insert="…"    puts a text into the reply
//   data-send          Ctrl+Enter sends the form of this field
//   data-names         a field for a file shows what was chosen
//   data-allow-sound   asks for leave to ring and to notify when somebody begins to wait
'use strict';

// A second tap within this time sends nothing; after it the form is free again: what came may be a file.
const SENT_ONCE = 3000;

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) event.preventDefault();
  else if (form.method === 'post') {
    const buttons = [...form.querySelectorAll('button:not(:disabled)')];
    setTimeout(() => buttons.forEach((one) => { one.disabled = true; }));
    setTimeout(() => buttons.forEach((one) => { one.disabled = false; }), SENT_ONCE);
  }
});
window.addEventListener('pageshow', () => document.querySelectorAll('button:disabled:not([data-off])').forEach((one) => { one.disabled = false; }));
document.addEventListener('change', (event) => {
  const form = event.target.closest('form[data-auto]');
  if (form && event.target.matches('select, input[type=checkbox], input[type=date]')) form.requestSubmit();
});

const isTyping = (target) => target.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]');
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && isTyping(event.target)) { event.target.blur(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
  if (event.key === 'Enter' && event.target.closest('a, button, summary')) return;
  const wanted = [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key.split(' ').includes(event.key) && !one.disabled);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches('input, textarea, select')) wanted.focus();
  else wanted.click();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.matches('[data-send]')) event.target.form.requestSubmit();
});
document.addEventListener('click', (event) => {
  const wanted = event.target.closest('[data-insert]');
  if (!wanted) return;
  const field = wanted.closest('form').querySelector('textarea');
  field.value = field.value ? `${field.value.trimEnd()} ${wanted.dataset.insert}` : wanted.dataset.insert;
  wanted.closest('details').open = false;
  field.focus();
});
document.addEventListener('change', (event) => {
  if (event.target.matches('[data-names]')) {
    const label = event.target.closest('label');
    label.firstChild.textContent = event.target.files.length ? `${event.target.files[0].name} ` : 'Thêm ảnh ';
  }
});

const showDue = () => document.querySelectorAll('[data-due]').forEach((one) => {
  const minutes = Math.round((new Date(one.dataset.due) - Date.now()) / 60000);
  const long = Math.abs(minutes);
  const length = long < 60 ? `${long} phút` : long < 2880 ? `${Math.floor(long / 60)} giờ ${long % 60} phút` : `${Math.floor(long / 1440)} ngày`;
  one.textContent = minutes >= 0 ? `còn ${length}` : `quá hạn ${length}`;
  one.classList.toggle('late', minutes < 0);
});
showDue();
setInterval(showDue, 20000);

// What happened since: told by the server, or asked for where it has no room for another listener.
const ASK_EVERY = 10000;
let known = null;
let fetching = false;
let again = false;

function toTheEnd() {
  const end = document.querySelector('.lines > :last-child');
  if (end) end.scrollIntoView({ block: 'end' });
}

async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  for (const part of document.querySelectorAll('[data-live]')) {
    if (part.contains(document.activeElement) && isTyping(document.activeElement)) continue;
    if (part.querySelector('details[open]') || part.contains(window.getSelection().anchorNode) && !window.getSelection().isCollapsed) continue;
    const atEnd = part.getBoundingClientRect().bottom < window.innerHeight + 80;
    try {
      const answer = await fetch(part.dataset.live, { headers: { 'X-Fragment': '1' } });
      if (answer.redirected) { window.location.reload(); return; }
      if (answer.ok) part.innerHTML = await answer.text();
      if (answer.ok && atEnd && 'liveEnd' in part.dataset) toTheEnd();
    } catch { /* the next news will try again */ }
  }
  showDue();
  fetching = false;
  if (again) { again = false; setTimeout(refresh, 700); }
}

function ring() {
  const sound = new AudioContext();
  for (const [at, pitch] of [[0, 660], [0.22, 880]]) {
    const tone = new OscillatorNode(sound, { frequency: pitch });
    const volume = new GainNode(sound, { gain: 0.15 });
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + at);
    tone.stop(sound.currentTime + at + 0.18);
  }
}

function hear(news) {
  document.querySelectorAll('[data-count]').forEach((one) => {
    const number = news[one.dataset.count] || 0;
    one.textContent = number;
    one.hidden = number === 0;
  });
  document.title = document.title.replace(/^\(\d+\) /, '');
  const helps = document.querySelector('[data-count="waiting"]');
  if (helps && news.waiting) document.title = `(${news.waiting}) ${document.title}`;
  if (helps && known && news.waiting > known.waiting && localStorage.getItem('ring')) {
    ring();
    if (document.hidden && Notification.permission === 'granted') new Notification('Có khách chờ người', { tag: 'waiting' });
  }
  if (known) refresh();
  known = news;
}

document.querySelectorAll('[data-allow-sound]').forEach((button) => {
  button.hidden = Boolean(localStorage.getItem('ring'));
  button.addEventListener('click', async () => {
    localStorage.setItem('ring', '1');
    button.hidden = true;
    ring();
    if ('Notification' in window && Notification.permission === 'default') await Notification.requestPermission();
  });
});

function askNowAndThen() {
  setInterval(async () => {
    try {
      const answer = await fetch('/console/live/now');
      if (answer.ok && !answer.redirected) {
        const news = await answer.json();
        if (JSON.stringify(news) !== JSON.stringify(known)) hear(news);
      }
    } catch { /* asked again soon */ }
  }, ASK_EVERY);
}

if (document.querySelector('[data-live-often]')) setInterval(() => { if (!document.hidden) refresh(); }, 4000);

if (document.querySelector('.account')) {
  const listening = new EventSource('/console/live');
  listening.onmessage = (event) => hear(JSON.parse(event.data));
  listening.onerror = () => { if (listening.readyState === EventSource.CLOSED) askNowAndThen(); };
}
if (document.querySelector('[data-live-end]') && !window.location.hash) toTheEnd();
