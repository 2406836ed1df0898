import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { registrationChallenge, removalChallenge, userIdMessage } from '../approvals/index.ts';
import { type JsonObject, SallyportError } from '../core/index.ts';
import {
  defaultStateFolder,
  joinKeeper,
  type Keeper,
  type OperatorRegistration,
  type RegistrationAuthority,
} from '../keeper/index.ts';
import { type OperatorFlags, readOperatorKey, readPrivate } from './operator-key.ts';
import { refuseInside } from './operator-only.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';
import { codePrinter } from './up-console.ts';

export interface AddFlags extends CommonFlags, OperatorFlags {
  readonly class: 'user-id' | 'webhook' | 'passkey';
  readonly user?: string;
  readonly group?: readonly string[];
  readonly publicKey?: string;
  readonly uid?: string;
  readonly secretFile?: string;
}

/** `operators list`: who may answer, without secrets. */
export function operatorsList(terminal: Terminal, flags: CommonFlags): Promise<number> {
  return withKeeper(terminal, flags, async (keeper) => {
    const all = await keeper.operators();
    const lines = all.map(({ name, user, groups, class: kind }) =>
      safeLines(`${name.padEnd(20)} ${kind.padEnd(8)} ${user}${groups.length > 0 ? ` (${groups.join(', ')})` : ''}`),
    );
    const none = 'None: every yes is advisory. Let one in: sallyport operators add NAME --class …';
    answer(
      terminal,
      all.map((operator) => ({ ...operator, groups: [...operator.groups] })),
      lines.join('\n') || none,
    );
    return 0;
  });
}

/** `operators add NAME`: lets a credential in, with the one-time code or the proof of another operator. */
export async function operatorsAdd(terminal: Terminal, name: string, flags: AddFlags): Promise<number> {
  if (flags.class === 'passkey') {
    terminal.out('A passkey is made in the browser: open the console that sallyport up prints, and register it there.');
    return 0;
  }
  const registration = registrationOf(name, flags);
  return withKeeper(terminal, flags, async (keeper) => {
    const said = { ...registration, groups: [...registration.groups] };
    const offer = await keeper.offerRegistration();
    const authority = await authorityOf(terminal, flags, registrationChallenge(offer, said as JsonObject));
    await keeper.registerOperator(offer, registration, authority);
    const text = `Registered ${name} (${flags.class}). From now on a yes needs a credential.`;
    answer(terminal, { registered: name, class: flags.class }, safeLines(text));
    return 0;
  });
}

/** `operators remove NAME`: takes one away, with the one-time code or the proof of an operator, also of itself. */
export function operatorsRemove(terminal: Terminal, name: string, flags: CommonFlags & OperatorFlags): Promise<number> {
  return withKeeper(terminal, flags, async (keeper) => {
    const offer = await keeper.offerRegistration();
    const authority = await authorityOf(terminal, flags, removalChallenge(offer, name));
    const { advisory } = await keeper.removeOperator(offer, name, authority);
    const note = advisory ? ' It was the last one: every yes is advisory now.' : '';
    answer(terminal, { removed: name, advisory }, safeLines(`Removed ${name}.${note}`));
    return 0;
  });
}

async function withKeeper(
  terminal: Terminal,
  flags: CommonFlags,
  use: (keeper: Keeper) => Promise<number>,
): Promise<number> {
  refuseInside();
  const state = flags.state ?? defaultStateFolder();
  // Where no other process owns the state, this one does, and its terminal is the keeper's.
  const keeper = await joinKeeper({ state, reachable: [], role: 'operator', ...codePrinter(terminal, {}) });
  try {
    return await use(keeper);
  } finally {
    await keeper.close('the command ended');
  }
}

function registrationOf(name: string, flags: AddFlags): OperatorRegistration {
  const shared = { name, user: flags.user ?? name, groups: [...(flags.group ?? [])] };
  if (flags.class === 'webhook') {
    if (flags.secretFile === undefined) throw new SallyportError('USAGE', '--class webhook needs --secret-file');
    return { class: 'webhook', ...shared, secret: readPrivate(flags.secretFile).trim() };
  }
  const uid = /^[0-9]{1,10}$/.test(flags.uid ?? '') ? Number(flags.uid) : null;
  if (flags.publicKey === undefined || uid === null) {
    throw new SallyportError('USAGE', '--class user-id needs --public-key and --uid');
  }
  return { class: 'user-id', ...shared, publicKey: publicKeyOf(flags.publicKey), uid };
}

function publicKeyOf(file: string): string {
  try {
    return createPublicKey(readFileSync(file, 'utf8')).export({ type: 'spki', format: 'der' }).toString('base64url');
  } catch (cause) {
    throw new SallyportError('OPERATOR_INVALID', 'the public key cannot be read', { cause });
  }
}

/** The proof of an operator, or the code: from the terminal, else the first line of standard input. */
async function authorityOf(
  terminal: Terminal,
  flags: OperatorFlags,
  challenge: string,
): Promise<RegistrationAuthority> {
  const key = readOperatorKey(flags);
  if (key !== null) {
    return { proof: { class: 'user-id', operator: key.name, signature: key.sign(userIdMessage(challenge)) } };
  }
  terminal.err('The one-time code, which the process that owns the state printed on its own terminal:');
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return { code: line.trim().slice(0, 64) };
    throw new SallyportError('USAGE', 'there is no code on standard input: name an operator with --as and --key');
  } finally {
    lines.close();
  }
}
