import type { Redirection } from 'unbash';
import type { PathUse } from '../facts.ts';
import type { PathOperand } from './command-line.ts';
import { isLoopVariable } from './environment.ts';
import { readParts, readWord } from './read-word.ts';
import { isStream } from './roles.ts';
import { doubt, type Walk } from './walk-state.ts';
import type { Word } from './word.ts';

/** The files that redirections open (C4). ATTACKER-CONTROLLED: `redirections`. */
export const readRedirections = (walk: Walk, redirections: readonly Redirection[]): readonly PathOperand[] =>
  redirections.flatMap((redirection) => readRedirection(walk, redirection));

function readRedirection(walk: Walk, redirection: Redirection): readonly PathOperand[] {
  if (redirection.descriptor?.type === 'FileDescriptorVariable' && !isLoopVariable(redirection.descriptor.name)) {
    doubt(walk, 'deny', 'COMMAND_ENVIRONMENT', 'a redirection assigns to a variable', redirection.descriptor.name);
  }
  if (redirection.type === 'HereDoc') {
    readParts(walk, redirection.body.parts ?? [], 'quotes');
    if (redirection.closing === undefined) doubt(walk, 'deny', 'COMMAND_MALFORMED', 'a here-document has no end');
    return [];
  }
  if (redirection.target === undefined) {
    doubt(walk, 'deny', 'COMMAND_MALFORMED', 'a redirection has no target');
    return [];
  }
  const target = readWord(walk, redirection.target);
  if (redirection.type === 'HereString') return [];
  const duplicates = redirection.operator === '>&' || redirection.operator === '<&';
  if (duplicates && target.shape === 'static' && /^(?:\d{1,3}-?|-)$/.test(target.text)) return [];
  // bash (5.2) expands the word behind >& a second time when it is a file, quotes gone: 'a[$(id)]' runs id.
  if (duplicates && !/^[\w./+,:@%-]+$/.test(target.text)) {
    doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'bash expands the target of this redirection twice', target.text);
  }
  return openedFile(walk, target, usesOf(redirection.operator));
}

function usesOf(operator: string): readonly PathUse[] {
  if (operator === '<' || operator === '<&') return ['file_read'];
  return operator === '<>' ? ['file_read', 'file_write'] : ['file_write'];
}

function openedFile(walk: Walk, target: Word, uses: readonly PathUse[]): readonly PathOperand[] {
  if (target.shape === 'pipe') return [];
  if (target.shape !== 'static') {
    doubt(
      walk,
      'deny',
      'COMMAND_DYNAMIC',
      'the target of a redirection is not known before bash runs the line',
      target.text,
    );
    return [];
  }
  if (/^\/+dev\/+(?:tcp|udp)(?:\/|$)/.test(target.text)) {
    doubt(walk, 'deny', 'COMMAND_NETWORK', 'a redirection opens a connection', target.text);
    return [];
  }
  if (isStream(target.text) && target.text !== '-') return [];
  return uses.flatMap((use) =>
    walk.folders.map((cwd) => ({ text: target.text, use, cwd, via: 'redirection' as const, pattern: false })),
  );
}
