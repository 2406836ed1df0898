import { setTimeout as sleep } from 'node:timers/promises';
import { type Console, ConsoleToken, openConsole } from '../console/index.ts';
import { isSallyportError, SallyportError } from '../core/index.ts';
import { type ActReceipt, actScreen, type Keeper, type OperatorAct } from '../keeper/index.ts';
import { readDuration } from './duration.ts';
import type { OperatorFlags } from './operator-key.ts';
import { safeLines, type Terminal } from './output.ts';
import { portOf } from './up-console.ts';

/** How often the keeper is asked what became of it; how long the console stays for its last answer, in milliseconds. */
const LOOK_MS = 500;
const LAST_ANSWER_MS = 250;
const DEFAULT_WAIT = '5m';
const MAX_WAIT_MS = 600_000;

/** @throws SallyportError USAGE */
export function waitOf({ wait = DEFAULT_WAIT }: OperatorFlags): number {
  const waitMs = readDuration(wait);
  if (waitMs >= 1 && waitMs <= MAX_WAIT_MS) return waitMs;
  throw new SallyportError('USAGE', '--wait is from 1s to 10m');
}

/**
 * Proposes an act and waits until a person proved it in the console.
 * @throws SallyportError APPROVAL_DENIED, APPROVAL_EXPIRED, and those of the act
 */
export async function proposeAndWait(
  terminal: Terminal,
  { keeper, act, flags }: { readonly keeper: Keeper; readonly act: OperatorAct; readonly flags: OperatorFlags },
): Promise<ActReceipt> {
  const port = portOf(flags);
  const { id, expiresAt } = await keeper.proposeAct(act, waitOf(flags));
  const say = (line: string): void => terminal.err(safeLines(line));
  const { title, lines } = actScreen({ act, about: {} });
  say(`${title}\n${(act.act === 'policy-approve' ? [`digest: ${act.digest}`] : lines).join('\n')}`);
  const page = await openPage(terminal, keeper, port);
  try {
    say(`Act ${id} waits for a passkey until ${new Date(expiresAt).toISOString()}; no answer means no.`);
    return await outcomeOf(keeper, id);
  } finally {
    await sleep(page === null ? 0 : LAST_ANSWER_MS);
    await page?.close();
  }
}

async function outcomeOf(keeper: Keeper, id: string): Promise<ActReceipt> {
  for (;;) {
    const outcome = await keeper.actOutcome(id);
    if (outcome.kind === 'done') return outcome.receipt;
    if (outcome.kind === 'refused') throw new SallyportError(outcome.code, outcome.reason);
    await sleep(LOOK_MS);
  }
}

/** Serves the console for as long as the command waits; null: it is served elsewhere. */
async function openPage(terminal: Terminal, keeper: Keeper, port: number | null): Promise<Console | null> {
  if (port === null || (process.env['SALLYPORT_KEEPER'] ?? '') !== '') {
    terminal.err('Prove it in the console of the keeper, which is another process.');
    return null;
  }
  const token = ConsoleToken.keptIn(keeper.state);
  const onError = (error: unknown): void => terminal.err(safeLines(String(error)));
  try {
    const page = await openConsole({ keeper, token, port, onError });
    terminal.err(`Prove it here: ${page.url}#${token.text}`);
    return page;
  } catch (error) {
    if (!isSallyportError(error, 'PORT_IN_USE')) throw error;
    // INVARIANT: the token is not named beside an address that another process has.
    terminal.err('Prove it in the console that sallyport up serves: it printed the address.');
    return null;
  }
}
