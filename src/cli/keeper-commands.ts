import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SallyportError } from '../core/index.ts';
import {
  credentialText,
  defaultStateFolder,
  type EmbeddedKeeper,
  openKeeper,
  openStateFolder,
  PeerFolder,
} from '../keeper/index.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';
import { untilStopped } from './until-stopped.ts';
import { type ConsoleFlags, checkConsoleFlags, codePrinter, openUpConsole, type UpConsole } from './up-console.ts';

const stateOf = (flags: CommonFlags): string => resolve(flags.state ?? defaultStateFolder());

const peersOf = (flags: CommonFlags): PeerFolder => new PeerFolder(openStateFolder(stateOf(flags), []));

/** `keeper`: owns the state and serves gates of other processes until it is told to stop. */
export async function keeperServe(
  terminal: Terminal,
  flags: CommonFlags & Pick<ConsoleFlags, 'consolePort' | 'printCodes'> & { readonly socket?: string },
): Promise<number> {
  checkConsoleFlags(flags);
  const { socket } = flags;
  const keeper = await openKeeper({
    ...{ state: stateOf(flags), reachable: [], stayAlive: true },
    ...(socket === undefined ? {} : { socket }),
    ...codePrinter(terminal, flags),
  });
  let [page, why]: [UpConsole | null, string] = [null, 'the command ended'];
  try {
    page = flags.consolePort === undefined ? null : await openUpConsole(terminal, keeper.state, flags);
    sayServed(terminal, keeper, page);
    why = await untilStopped();
    return 0;
  } finally {
    // First: a connection that lost its keeper would take the state over.
    await page?.close();
    await keeper.close(why);
  }
}

function sayServed(terminal: Terminal, { state, socket, verifier }: EmbeddedKeeper, page: UpConsole | null): void {
  const console = page?.address ?? null;
  const where = `Keeper of ${state}\n  socket    ${socket}\n  log key   ${verifier}`;
  const shown = console === null ? '' : `\n  console   ${console}`;
  const value = { state, socket, verifier, ...(console === null ? {} : { console }) };
  answer(terminal, value, safeLines(`${where}${shown}\nStop with Ctrl-C.`));
}

/** `keeper peer add NAME --token-file FILE`: makes a token for a gate of another user. It is never printed. */
export function peerAdd(
  terminal: Terminal,
  name: string,
  flags: CommonFlags & { readonly tokenFile: string; readonly operator?: boolean },
): number {
  const file = resolve(flags.tokenFile);
  const peers = peersOf(flags);
  const credential = peers.add(name, flags.operator === true ? 'operator' : 'gate');
  try {
    writeFileSync(file, credentialText(credential), { flag: 'wx', mode: 0o600, flush: true });
  } catch (cause) {
    peers.revoke(name);
    throw new SallyportError('STATE_UNWRITABLE', `cannot write the token file ${file}`, { cause });
  }
  const { role } = credential;
  answer(terminal, { name, role, tokenFile: file }, safeLines(`Wrote the token of ${name} (${role}) to ${file}.`));
  if (!terminal.json) {
    terminal.err('Give the file to the user that runs the gate (chown), and set there:');
    terminal.err(safeLines(`  SALLYPORT_KEEPER=SOCKET SALLYPORT_KEEPER_TOKEN_FILE=${file}`));
  }
  return 0;
}

/** `keeper peer list`: names and roles, never a token. */
export function peerList(terminal: Terminal, flags: CommonFlags): number {
  const peers = peersOf(flags).list();
  const lines = peers.map(({ name, role }) => `${name.padEnd(42)} ${role}`);
  answer(
    terminal,
    peers.map((peer) => ({ ...peer })),
    lines.length > 0 ? lines.join('\n') : 'No peers. Make one: sallyport keeper peer add NAME --token-file FILE',
  );
  return 0;
}

/** `keeper peer revoke NAME`: cut off within a second, and refused from then on. */
export function peerRevoke(terminal: Terminal, name: string, flags: CommonFlags): number {
  if (!peersOf(flags).revoke(name)) throw new SallyportError('TOKEN_NAME', 'there is no peer of that name');
  answer(terminal, { revoked: name }, `Revoked ${name}. A connection that is open now lasts until it ends.`);
  return 0;
}
