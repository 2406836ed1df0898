import type { Binding } from './binding.ts';

/**
 * What may be another thing when the call runs than when somebody said yes. `file-content`: the bytes of a file;
 * `program-content`: those of a program; `files-of-command`: whatever files a command reads, loads or runs;
 * `remote-state`: what a server has and does; `function`: what code in the process does.
 */
export type NotFrozen =
  | { readonly kind: 'file-content' | 'program-content'; readonly path: string }
  | { readonly kind: 'files-of-command'; readonly programs: readonly string[] }
  | { readonly kind: 'remote-state'; readonly hosts: readonly string[] }
  | { readonly kind: 'function'; readonly tool: string };

/** What a yes to this call does not freeze; a screen shows every one of them. */
export function notFrozen({ tool, facts, destination }: Binding): readonly NotFrozen[] {
  const { paths, programs, runs } = facts;
  const files = Object.values(paths).filter(({ kind, content, use }) => {
    // What is overwritten does not matter, and what is not there has no content.
    return content === null && kind === 'file' && use !== 'file_write';
  });
  const notes: NotFrozen[] = files.map(({ real }) => ({ kind: 'file-content', path: real }));
  for (const { content, real } of programs) if (content === null) notes.push({ kind: 'program-content', path: real });
  if (runs === 'spawned') notes.push({ kind: 'files-of-command', programs: programs.map(({ name }) => name) });
  if (runs === 'remote' || destination.length > 0) notes.push({ kind: 'remote-state', hosts: destination });
  if (runs === 'in-process') notes.push({ kind: 'function', tool });
  return notes;
}

/** The note as a sentence; names in it are the caller's to escape. */
export function sayNotFrozen(note: NotFrozen, quote: (text: string) => string): string {
  switch (note.kind) {
    case 'file-content':
      return `Not frozen: the content of ${quote(note.path)} may change before it is read`;
    case 'program-content':
      return `Not frozen: the program ${quote(note.path)} may be another one by then`;
    case 'files-of-command':
      return 'Not frozen: a command reads and runs files of the project (scripts, tests, configuration) as they are then';
    case 'remote-state':
      return 'Not frozen: what the server has, and what it does with the request';
    case 'function':
      return `Not frozen: what the code behind ${quote(note.tool)} does`;
  }
}
