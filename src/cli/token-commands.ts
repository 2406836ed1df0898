import { resolve } from 'node:path';
import { SallyportError } from '../core/index.ts';
import { defaultStateFolder, localUser, openStateFolder, TokenFolder } from '../keeper/index.ts';
import { answer, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

const tokensOf = (flags: CommonFlags): TokenFolder =>
  new TokenFolder(openStateFolder(resolve(flags.state ?? defaultStateFolder()), []));

/** `token add NAME`: makes a token and prints it, once. */
export function tokenAdd(terminal: Terminal, name: string, flags: CommonFlags): number {
  const token = tokensOf(flags).add({ name, user: localUser(), now: Date.now() });
  answer(terminal, { name, token }, token);
  if (!terminal.json) terminal.err('This is the only time the token is shown. Keep it outside of every workspace.');
  return 0;
}

/** `token list`: names and dates, never a token. */
export function tokenList(terminal: Terminal, flags: CommonFlags): number {
  const tokens = tokensOf(flags)
    .list()
    .map(({ name, user, created }) => ({ name, user, created }));
  const lines = tokens.map(({ name, user, created }) => `${name.padEnd(24)} ${user.padEnd(16)} ${created}`);
  answer(terminal, tokens, lines.length > 0 ? lines.join('\n') : 'No tokens. Make one: sallyport token add NAME');
  return 0;
}

/** `token revoke NAME`: refused from now on, by running processes too. */
export function tokenRevoke(terminal: Terminal, name: string, flags: CommonFlags): number {
  if (!tokensOf(flags).revoke(name)) throw new SallyportError('TOKEN_NAME', `there is no token named ${name}`);
  answer(terminal, { revoked: name }, `Revoked ${name}.`);
  return 0;
}
