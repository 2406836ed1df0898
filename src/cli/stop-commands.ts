import { resolve } from 'node:path';
import { SallyportError } from '../core/index.ts';
import { defaultStateFolder, joinKeeper, type Keeper, type StopFlag } from '../keeper/index.ts';
import { receiptJson, receiptText, withActingOperator } from './operator-act.ts';
import type { OperatorFlags } from './operator-key.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

/** `stop WHAT`: durable and in force in every process when it returns. */
export function stop(
  terminal: Terminal,
  what: string,
  flags: CommonFlags & { readonly reason: string },
): Promise<number> {
  const flag = flagOf(what);
  return withKeeper(flags, async (keeper) => {
    await keeper.stop(flag, flags.reason);
    answer(
      terminal,
      { stopped: { ...flag } },
      safeLines(`Stopped: ${describe(flag)}. Take it back: sallyport resume ${what}`),
    );
  });
}

/** `resume WHAT`: takes a stop back, with the proof of an operator where one is registered. */
export async function resume(terminal: Terminal, what: string, flags: CommonFlags & OperatorFlags): Promise<number> {
  const flag = flagOf(what);
  return withActingOperator(terminal, flags, async ({ perform }) => {
    const receipt = await perform({ act: 'resume', flag });
    const text = `Not stopped any more: ${describe(flag)}.${receiptText(receipt)}`;
    answer(terminal, { resumed: { ...flag }, ...receiptJson(receipt) }, safeLines(text));
    return 0;
  });
}

/** `stops`: what is stopped. */
export function stops(terminal: Terminal, flags: CommonFlags): Promise<number> {
  return withKeeper(flags, async (keeper) => {
    const list = await keeper.stops();
    const lines = list.map((flag) => safeLines(describe(flag)));
    answer(
      terminal,
      list.map((flag) => ({ ...flag })),
      lines.join('\n') || 'Nothing is stopped.',
    );
  });
}

async function withKeeper(flags: CommonFlags, use: (keeper: Keeper) => Promise<void>): Promise<number> {
  const state = resolve(flags.state ?? defaultStateFolder());
  const keeper = await joinKeeper({ state, reachable: [], role: 'operator' });
  try {
    await use(keeper);
  } finally {
    await keeper.close('the command ended');
  }
  return 0;
}

function flagOf(what: string): StopFlag {
  if (what === 'all') return { kind: 'all' };
  if (/^ses_[A-Za-z0-9_-]{22}$/.test(what)) return { kind: 'session', id: what };
  if (what !== '' && what.length <= 500) return { kind: 'agent', name: what };
  throw new SallyportError('USAGE', 'name all, a session (ses_…), or an agent');
}

function describe(flag: StopFlag): string {
  if (flag.kind === 'all') return 'every call';
  return flag.kind === 'agent' ? `calls of the agent ${flag.name}` : `calls of the session ${flag.id}`;
}
