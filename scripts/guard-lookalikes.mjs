// Writes src/guard/lookalike-table.ts from the confusables of Unicode (UTS #39), as a package has them:
//   node scripts/guard-lookalikes.mjs FOLDER/node_modules/unhomoglyph/data.json
// Only single characters of the basic plane that pass for one ASCII letter and are no compatibility form of it.
import { readFileSync, writeFileSync } from 'node:fs';

const data = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const byLetter = new Map();
for (const [from, to] of Object.entries(data)) {
  if (from.length !== 1 || from < '\u0080' || !/^[A-Za-z]$/.test(to)) continue;
  if (from.normalize('NFKD') === to || /\p{L}/u.test(from) === false) continue;
  const letter = to === 'l' ? 'l' : to.toLowerCase();
  byLetter.set(letter, (byLetter.get(letter) ?? '') + from);
}
const unicodeEscapes = (text) =>
  Array.from(text, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const rows = [...byLetter].sort().map(([letter, from]) => `  ${letter}: '${unicodeEscapes(from)}',`);
writeFileSync(
  new URL('../src/guard/lookalike-table.ts', import.meta.url),
  `/**
 * Letters that pass for an ASCII letter. Written by scripts/guard-lookalikes.mjs; source: confusables.txt of Unicode 13 (UTS #39,
 * Unicode License v3), by way of the package unhomoglyph 1.0.6 (MIT).
 */
export const LOOKALIKES: Readonly<Record<string, string>> = Object.freeze({
${rows.join('\n')}
});
`,
);
