import { join } from 'node:path';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import { TokenFolder } from '../keeper/index.ts';
import { changedLines } from './connect-diff.ts';
import { listHosts } from './connect-list.ts';
import { type ConnectFlags, type ConnectPlan, planConnect } from './connect-plan.ts';
import { type ConnectRecord, dropRecord, keepRecord } from './connect-record.ts';
import { connectTarget, isInside } from './connect-target.ts';
import { TOKEN_VARIABLE } from './host-entry.ts';
import { replaceHostFile } from './host-file.ts';
import { hostNamed } from './host-place.ts';
import { answer, safeLines, type Terminal } from './output.ts';

/** How many names of other servers stand on the screen; `--json` has them all. */
const SHOWN = 20;

/** `connect HOST`: writes the gateway into the file of a host, once. @throws SallyportError CONNECT_* and those of policy and state */
export async function connect(terminal: Terminal, name: string | undefined, flags: ConnectFlags): Promise<number> {
  if (flags.list === true) return listHosts(terminal);
  if (name === undefined) throw new SallyportError('USAGE', 'name a host; sallyport connect --list shows them');
  const host = hostNamed(name);
  const plan = planConnect(host, await connectTarget(flags), flags);
  const backup = plan.changes && flags.dryRun !== true ? carryOut(plan) : null;
  report(terminal, plan, { backup, flags });
  return 0;
}

/** Backup first, then the file. Returns the folder of the backup. */
function carryOut(plan: ConnectPlan): string {
  const { host, file, target, base, after, mode, token, spentToken } = plan;
  let record: ConnectRecord | null = null;
  try {
    const { text: before, mode: modeBefore } = base;
    record = keepRecord(target.state, host, { file, before, mode: modeBefore, after, token, now: new Date() });
    replaceHostFile(file, after, mode);
  } catch (error) {
    if (record !== null) dropRecord(record);
    plan.undo();
    throw error;
  }
  if (spentToken !== null) new TokenFolder(target.state).revoke(spentToken);
  return record.folder;
}

function report(
  terminal: Terminal,
  plan: ConnectPlan,
  { backup, flags }: { backup: string | null; flags: ConnectFlags },
): void {
  const { host, file, base, changes, others } = plan;
  const diff = flags.dryRun === true && changes ? changedLines(file.text ?? '', plan.after) : null;
  const facts = {
    host: host.name,
    ...{ file: file.path, real: file.real, transport: flags.http === undefined ? 'stdio' : 'http' },
    ...{ changed: changes && flags.dryRun !== true, dryRun: flags.dryRun === true, backup, others, diff },
  };
  const where = file.path === file.real ? file.path : `${file.path} (really ${file.real})`;
  const state = !changes
    ? `${host.title} is connected already; nothing was changed`
    : flags.dryRun === true
      ? `Would write to ${host.title}`
      : `Connected ${host.title}`;
  const lines = [
    `${state}: ${where}`,
    ...(diff === null ? [] : [diff]),
    ...(backup === null
      ? []
      : [
          `${base.text === null ? 'There was no such file before' : `The file as it was: ${join(backup, 'before')}`}. Undo: sallyport disconnect ${host.name}${flags.project === true ? ' --project' : ''}`,
        ]),
    ...(changes && flags.dryRun !== true ? [`${host.next}.`] : []),
  ];
  answer(terminal, facts, safeLines(lines.join('\n')));
  for (const line of advice(plan, flags)) terminal.err(safeLines(line));
}

/** What the person should know and the file cannot say. */
function advice({ host, file, target, others, token }: ConnectPlan, flags: ConnectFlags): readonly string[] {
  const around = `${others.length} other MCP server${others.length === 1 ? '' : 's'} of ${host.title} go${others.length === 1 ? 'es' : ''} around the gate`;
  return [
    ...(flags.http === undefined
      ? []
      : ['Over HTTP the gateway must be running: sallyport up with the same --policy and --state.']),
    ...(flags.project === true || target.reachable.some((folder) => isInside(file.real, folder))
      ? ['Warning: this file lies in the project: whoever writes there, an agent too, can change or remove the entry.']
      : []),
    ...(flags.http !== undefined && token === null
      ? [`Each person sets ${TOKEN_VARIABLE}, outside of the project: sallyport token add ${host.name}`]
      : []),
    ...(others.length === 0
      ? []
      : flags.alsoWrap === true
        ? [
            `${around}: ${others
              .slice(0, SHOWN)
              .map((one) => quoteForMessage(one))
              .join(', ')}${others.length > SHOWN ? ', …' : ''}.`,
            'Put each under servers: in the policy (docs/connect.md), then take it out of the file of the host.',
          ]
        : [`${around}; sallyport connect ${host.name} --also-wrap names them.`]),
    `What ${host.title} does by itself (its own shell and editor) does not pass the gate.`,
  ];
}
