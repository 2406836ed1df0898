import { arch, release } from 'node:os';
import { isSallyportError } from '../core/index.ts';
import { loadPolicy } from '../gate/index.ts';
import type { SandboxSettings } from '../policy/index.ts';
import { type LevelReport, openEgress, openSandboxes } from '../sandbox/index.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, settingsOf } from './settings.ts';
import { packageVersion } from './version.ts';

/** `doctor`: which isolation levels were proven on this machine, and how to get the others. Exits 1 when no sandbox is. */
export async function doctor(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const settings = await sandboxSettings(terminal, flags);
  const sandboxes = openSandboxes(settings, { openEgress });
  try {
    const levels = await sandboxes.survey();
    const machine = {
      sallyport: packageVersion(),
      node: process.version,
      system: `${process.platform} ${release()}`,
      arch: arch(),
    };
    const isSandboxed = levels.some(({ level, available }) => available && level !== 'none');
    answer(terminal, JSON.parse(JSON.stringify({ ...machine, levels })), safeLines(render(machine, levels)));
    return isSandboxed ? 0 : 1;
  } finally {
    await sandboxes.close();
  }
}

/** A policy that does not load is a matter of `policy check`: the machine can be looked at all the same. */
async function sandboxSettings(terminal: Terminal, flags: CommonFlags): Promise<SandboxSettings> {
  try {
    return (await loadPolicy(gateSettings(settingsOf(flags)))).policy.sandbox;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    terminal.err(
      safeLines(`sallyport: the policy does not load, its sandbox: settings do not count here: ${error.message}`),
    );
    return {};
  }
}

function render(machine: Readonly<Record<string, string>>, levels: readonly LevelReport[]): string {
  const head = Object.entries(machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  return [head, '', ...levels.flatMap(describeLevel)].join('\n');
}

function describeLevel({ level, available, backend, reasons, remedy, probe, limits }: LevelReport): readonly string[] {
  const name = level.padEnd(11);
  if (!available) return [`${name}not available: ${reasons.join('; ')}`, `           how: ${remedy}`];
  const proven = probe === null ? '' : `, ${probe.attempts} attempts to get out failed`;
  const kept = Object.entries(limits)
    .filter(([, mechanism]) => mechanism !== 'none')
    .map(([limit, mechanism]) => `${limit} (${mechanism})`);
  return [`${name}available: ${backend}${proven}`, `           limits: ${kept.join(', ') || 'none'}`];
}
