/**
 * What the page can do beside showing: leave out rows, and go to and fro between list and picture with the keyboard. Without
 * it, everything is still there, and links work.
 */
export const pageScript = `'use strict';
const filter = document.getElementById('filter');
const outcome = document.getElementById('outcome');
const shown = document.getElementById('shown');
const rows = [...document.querySelectorAll('[data-row]')];
let texts;

function leaveOut() {
  const words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let attempts = 0;
  texts ??= rows.map((row) => row.textContent.toLowerCase());
  for (const [index, row] of rows.entries()) {
    const isAttempt = row.dataset.row !== 'decision';
    const isWanted = words.every((word) => texts[index].includes(word))
      && (!isAttempt || outcome.value === '' || outcome.value === row.dataset.row);
    row.hidden = !isWanted;
    if (isWanted && isAttempt) attempts++;
  }
  shown.textContent = attempts + (attempts === 1 ? ' attempt' : ' attempts');
}

function goToTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  const bar = target.closest('.bar');
  if (target.hidden) {
    filter.value = outcome.value = '';
    leaveOut();
  }
  (bar ?? target).scrollIntoView({ block: 'center', inline: 'center' });
  (bar ? bar.parentElement : target.querySelector('a'))?.focus({ preventScroll: true });
}

function moveOn(from, by) {
  const visible = rows.filter((row) => !row.hidden && row.dataset.row !== 'decision');
  visible[visible.indexOf(from) + by]?.querySelector('a').focus();
}

filter.addEventListener('input', leaveOut);
outcome.addEventListener('input', leaveOut);
addEventListener('hashchange', goToTarget);
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const row = document.activeElement?.closest?.('tr[data-row]');
  if (event.key === '/' && document.activeElement !== filter) {
    filter.focus();
    event.preventDefault();
  } else if (event.key === 'Escape' && document.activeElement === filter) {
    filter.value = '';
    leaveOut();
  } else if (row && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    moveOn(row, event.key === 'ArrowDown' ? 1 : -1);
    event.preventDefault();
  }
});
addEventListener('load', goToTarget);
`;
