import { type JsonObject, quoteForMessage } from '../core/index.ts';
import { readAllowedEntry, readDeniedEntry } from './path-entry.ts';
import { foldPath, foldText } from './path-fold.ts';
import { bindPathLists, findDenied } from './path-rule.ts';
import type { PathTarget } from './path-target.ts';
import type { PolicyEntry } from './policy.ts';
import { readEntries } from './read-entries.ts';
import { addProblem, type PolicyReading } from './reading.ts';

/** Reads and checks `allowedPaths` and `deniedPaths` of a rule. */
export function readPathLists(
  reading: PolicyReading,
  id: string,
  pointer: string,
  value: JsonObject,
): { readonly allowedPaths: readonly PolicyEntry[] | null; readonly deniedPaths: readonly PolicyEntry[] } {
  const allowedPaths = readEntries({ reading, id, pointer }, value, 'allowedPaths');
  const deniedPaths = readEntries({ reading, id, pointer }, value, 'deniedPaths') ?? [];
  for (const [index, entry] of (allowedPaths ?? []).entries()) {
    checkEntry(reading, `${pointer}/allowedPaths/${index}`, readAllowedEntry(entry.text));
  }
  for (const [index, entry] of deniedPaths.entries()) {
    checkEntry(reading, `${pointer}/deniedPaths/${index}`, readDeniedEntry(entry.text));
  }
  if (id === 'tools.file_write') refuseUnwritable(reading, pointer, allowedPaths ?? []);
  checkExemptions(reading, `${pointer}/deniedPaths`, deniedPaths);
  for (const [index, entry] of (allowedPaths ?? []).entries()) {
    checkReachable(reading, `${pointer}/allowedPaths/${index}`, entry, deniedPaths);
  }
  return { allowedPaths, deniedPaths };
}

function checkEntry(reading: PolicyReading, pointer: string, read: object | string): void {
  if (typeof read === 'string') addProblem(reading, pointer, `this entry cannot be used: ${read}`, 'Mend the entry');
}

const NEVER_WRITTEN: ReadonlySet<string> = new Set(['.git', 'sallyport.yaml', 'sallyport.yml', 'sallyport.lock']);

/** The control files that most people would try to name; the gate denies the others when they are written. */
function refuseUnwritable(reading: PolicyReading, pointer: string, allowed: readonly PolicyEntry[]): void {
  for (const [index, { text }] of allowed.entries()) {
    const name = text.split('/').find((part) => NEVER_WRITTEN.has(foldText(part)));
    if (name === undefined) continue;
    const message = `${quoteForMessage(text, 80)} can never be used: ${quoteForMessage(name)} is a control file, which no tool may write`;
    addProblem(reading, `${pointer}/allowedPaths/${index}`, message, 'Remove it');
  }
}

/**
 * In gitignore the last pattern that matches decides. With all exemptions at the end that is the same as "denied unless
 * exempted", whatever the order, and nobody has to read the list as a program.
 */
function checkExemptions(reading: PolicyReading, pointer: string, denied: readonly PolicyEntry[]): void {
  const firstExemption = denied.findIndex(({ text }) => text.startsWith('!'));
  const lastDenial = denied.findLastIndex(({ text }) => !text.startsWith('!'));
  if (firstExemption < 0) return;
  if (lastDenial < 0) {
    addProblem(reading, `${pointer}/${firstExemption}`, 'an exemption with nothing that it exempts from', 'Remove it');
  } else if (firstExemption < lastDenial) {
    addProblem(
      reading,
      `${pointer}/${firstExemption}`,
      'exemptions (!) stand after all other entries',
      'Move it to the end',
    );
  }
}

const KERNEL_FOLDER = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** An entry that can never allow anything is a mistake in one of the two lists. */
function checkReachable(
  reading: PolicyReading,
  pointer: string,
  entry: PolicyEntry,
  denied: readonly PolicyEntry[],
): void {
  const read = readAllowedEntry(entry.text);
  if (typeof read === 'string') return;
  const quoted = quoteForMessage(entry.text, 80);
  if (KERNEL_FOLDER.test(entry.text)) {
    addProblem(reading, pointer, `${quoted} can never be used: /proc, /sys and /dev are out of reach`, 'Remove it');
    return;
  }
  const parts = read.plain ?? literalFolder(entry.text);
  if (parts[0] === '..') return;
  const hit = findTwin(entry, denied) ?? findDenied(bindPathLists(null, denied, '/'), targetOf(parts, read.isAbsolute));
  if (hit === null) return;
  const remedy = 'Remove the entry, or narrow what deniedPaths withholds';
  addProblem(reading, pointer, `${quoted} can never be used: ${hit.rule.id} denies all of it`, remedy);
}

/** A denial of the same words: of the whole entry, of its last segment at any depth, or of everything. */
function findTwin({ text }: PolicyEntry, denied: readonly PolicyEntry[]): PolicyEntry | null {
  if (denied.some((entry) => entry.text.startsWith('!'))) return null;
  const last = text.split('/').at(-1) ?? '';
  return denied.find((entry) => entry.text === text || entry.text === last || EVERYTHING.has(entry.text)) ?? null;
}

const EVERYTHING: ReadonlySet<string> = new Set(['*', '**', '**/*']);

/** The folder above the first wildcard of a glob. */
function literalFolder(glob: string): readonly string[] {
  const parts = glob.split('/').filter((part) => part !== '' && part !== '.');
  const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
  return wild < 0 ? parts : parts.slice(0, wild);
}

/** An entry read as a path, before there is a root: below it, or absolute. */
function targetOf(parts: readonly string[], isAbsolute: boolean): PathTarget {
  const path = parts.join('/');
  return { path: isAbsolute ? `/${path}` : path, below: isAbsolute ? null : path, folded: foldPath(path) };
}
