// What every page of the console can do without being told more than by attributes. No page needs it to be read.
//   data-confirm="…"   a form asks before it is sent
//   data-key="c Enter" one of the keys presses this button or follows this link (not while somebody types)
//   data-live="url"    the part is fetched anew when something happened
//   data-count="name"  shows the live figure of that name, if it is not 0
//   data-auto          the form of filters is sent when a choice changes
'use strict';

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) event.preventDefault();
  else if (form.method === 'post') setTimeout(() => form.querySelectorAll('button').forEach((one) => { one.disabled = true; }));
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
