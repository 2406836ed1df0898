import { readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStrictJson } from '../core/index.ts';
import type { Leftover, RuntimeFolder } from './parts.ts';

export type NoteKind = Parameters<RuntimeFolder['note']>[0];

/** Removes something that a dead process noted. Rejects: it is tried again by the next process. */
type Sweep = (what: string) => Promise<void>;

export type Sweeps = Readonly<Partial<Record<NoteKind, Sweep>>>;

const LARGEST_NOTE_BYTES = 65_536;

/** Writes down, before it exists, what must not outlive this process. */
export function writeNote(path: string, kind: NoteKind, what: string): Leftover {
  try {
    writeFileSync(path, JSON.stringify({ kind, what }), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    // On a full disk there may be a part of it.
    rmSync(path, { force: true });
    throw error;
  }
  let isThere = true;
  const done = (): void => {
    if (isThere) unlinkSync(path);
    isThere = false;
  };
  return { done };
}

/** Sweeps what the notes of a dead process name; whether nothing is left. Never rejects for what cannot be swept now. */
export async function sweepNotes(folder: string, sweeps: Sweeps): Promise<boolean> {
  let isClean = true;
  for (const name of listFolder(folder)) {
    const note = readNote(join(folder, name));
    // A note that was cut off in the middle of writing: what it announced was not made yet.
    if (note === null) continue;
    const sweep = sweeps[note.kind];
    const swept = sweep === undefined ? false : await sweep(note.what).then(yes, no);
    if (swept) unlinkSync(join(folder, name));
    isClean &&= swept;
  }
  return isClean;
}

const yes = (): boolean => true;
const no = (): boolean => false;

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function readNote(path: string): { readonly kind: NoteKind; readonly what: string } | null {
  const text = readFileSync(path, 'utf8').slice(0, LARGEST_NOTE_BYTES);
  try {
    const note = parseStrictJson(text);
    if (typeof note !== 'object' || note === null || Array.isArray(note)) return null;
    const { kind, what } = note as Readonly<Record<string, unknown>>;
    return isNoteKind(kind) && typeof what === 'string' ? { kind, what } : null;
  } catch {
    // Not a whole note.
    return null;
  }
}

const isNoteKind = (value: unknown): value is NoteKind =>
  value === 'placeholder' || value === 'runsc' || value === 'container' || value === 'cgroup';

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
