// Marking values in a message by selecting them. Without this, the same fields are filled in by hand.
// Offsets are counted in whole characters (code points), as the server counts them.
'use strict';

const said = document.getElementById('said');
if (said) {
  const text = said.textContent;
  const values = document.getElementById('values');
  const kinds = document.getElementById('kinds');
  const points = [...text];
  const titles = Object.fromEntries([...kinds.children].map((each) => [each.value, each.textContent]));
  const empty = values.lastElementChild.cloneNode(true);
  let chosen = null;

  const field = (row, name) => row.querySelector(`[name=${name}]`);
  const toPoints = (units) => [...text.slice(0, units)].length;
  const toUnits = (count) => points.slice(0, count).join('').length;

  const spans = () => [...values.children]
    .filter((row) => field(row, 'entity').value && field(row, 'end').value)
    .map((row) => ({ row, start: +field(row, 'start').value, end: +field(row, 'end').value, entity: field(row, 'entity').value }))
    .sort((one, other) => one.start - other.start);

  const draw = () => {
    const parts = [];
    let at = 0;
    for (const span of spans()) {
      const mark = document.createElement('mark');
      mark.dataset.title = titles[span.entity];
      mark.textContent = points.slice(span.start, span.end).join('');
      parts.push(points.slice(at, span.start).join(''), mark);
      at = span.end;
    }
    said.replaceChildren(...parts, points.slice(at).join(''));
    for (const row of values.children) {
      const quote = row.querySelector('.excerpt');
      quote.textContent = points.slice(+field(row, 'start').value, +field(row, 'end').value).join('');
      quote.hidden = false;
      row.hidden = !field(row, 'entity').value;
      row.querySelectorAll('label').forEach((label) => { label.hidden = true; });
    }
    values.closest('details').open = spans().length > 0;
  };

  const add = (start, end, entity) => {
    for (const span of spans()) if (span.start < end && start < span.end) span.row.remove();
    const row = empty.cloneNode(true);
    field(row, 'start').value = start;
    field(row, 'end').value = end;
    field(row, 'entity').value = entity;
    values.append(row);
    draw();
  };

  // The selection, in characters, without the blanks around it; null when nothing of the message is selected.
  const selected = () => {
    const selection = window.getSelection();
    if (!selection.rangeCount || selection.isCollapsed || !said.contains(selection.anchorNode) || !said.contains(selection.focusNode)) return null;
    const range = selection.getRangeAt(0);
    const before = document.createRange();
    before.selectNodeContents(said);
    before.setEnd(range.startContainer, range.startOffset);
    const first = before.toString().length;
    const words = range.toString();
    const start = first + words.length - words.trimStart().length;
    const end = first + words.trimEnd().length;
    return start < end ? { start: toPoints(start), end: toPoints(end) } : null;
  };

  const select = (start, end) => {
    const walker = document.createTreeWalker(said, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let at = 0;
    let [from, to] = [toUnits(start), toUnits(end)];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const length = node.data.length;
      if (from !== null && from < at + length) { range.setStart(node, from - at); from = null; }
      if (to <= at + length) { range.setEnd(node, to - at); break; }
      at += length;
    }
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
  };

  const openMenu = (byKey) => {
    chosen = selected();
    if (!chosen) return;
    const place = window.getSelection().getRangeAt(0).getBoundingClientRect();
    kinds.hidden = false;
    kinds.style.left = `${Math.max(8, Math.min(place.left, window.innerWidth - kinds.offsetWidth - 16)) + window.scrollX}px`;
    kinds.style.top = `${place.bottom + window.scrollY + 6}px`;
    if (byKey) kinds.firstElementChild.focus();
  };
  const closeMenu = () => { kinds.hidden = true; };

  said.addEventListener('pointerup', () => setTimeout(() => (selected() ? openMenu(false) : closeMenu())));
  document.addEventListener('pointerdown', (event) => { if (!kinds.contains(event.target)) closeMenu(); });
  kinds.addEventListener('click', (event) => {
    const kind = event.target.closest('button');
    if (!kind || !chosen) return;
    add(chosen.start, chosen.end, kind.value);
    closeMenu();
    window.getSelection().removeAllRanges();
    said.focus();
  });
  kinds.addEventListener('keydown', (event) => {
    const all = [...kinds.children];
    const step = { ArrowDown: 2, ArrowUp: -2, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === 'Escape') { closeMenu(); said.focus(); } else if (step) {
      (all[all.indexOf(document.activeElement) + step] || document.activeElement).focus();
      event.preventDefault();
    }
    if (event.key !== 'Tab') event.stopPropagation();
  });

  // By key: arrows go from word to word, with Shift they take in more of them.
  const places = [...text.matchAll(/[^\s.,;:!?()"]+/g)].map((word) => [toPoints(word.index), toPoints(word.index + word[0].length)]);
  let [from, to] = [0, 0];
  said.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !places.length) return;
    if (step) {
      const moved = Math.max(0, Math.min(places.length - 1, to + (selected() ? step : 0)));
      [from, to] = event.shiftKey ? [from, moved] : [moved, moved];
      select(places[Math.min(from, to)][0], places[Math.max(from, to)][1]);
    } else if (event.key === 'Enter' && selected()) openMenu(true);
    else if (event.key === 'Escape') { window.getSelection().removeAllRanges(); said.blur(); } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'e' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    event.preventDefault();
    said.focus();
    if (!selected() && places.length) { [from, to] = [0, 0]; select(...places[0]); }
  });

  values.addEventListener('change', draw);
  values.lastElementChild.remove();
  document.querySelectorAll('.scripted').forEach((one) => { one.hidden = false; });
  draw();

  // What is selected begins the second request.
  const split = document.getElementById('split');
  split.addEventListener('toggle', () => {
    if (!split.open) return;
    const cut = document.getElementById('cut');
    const start = selected()?.start;
    const there = start === undefined ? null : [...cut.options].find((option) => option.value && +option.value >= start);
    if (there) cut.value = there.value;
    (there ? split.querySelector('[name=first]') : cut).focus();
  });
}
