import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SallyportError } from '../core/index.ts';
import type { BackendParts } from './backend-parts.ts';
import { limitsHeldBy } from './bubblewrap-limits.ts';
import { type BubblewrapProgram, findBubblewrap, type MissingProgram } from './bubblewrap-program.ts';
import { startBubblewrap, type Workshop } from './bubblewrap-start.ts';
import type { LevelReport, SandboxBackend, SandboxProcess, SandboxProfile } from './contract.ts';
import { findControlGroups } from './control-group.ts';
import { madeOnce } from './made-once.ts';
import { type ProbeResult, proveBackend } from './probe.ts';
import { proofCache } from './probe-cache.ts';
import { openStartTurns, type StartTurns } from './start-turns.ts';
import { makeMasks, makeSystemParts } from './system-parts.ts';

const TRY =
  'run `bwrap --unshare-user --ro-bind / / true` as this user: user namespaces must be allowed (sysctl user.max_user_namespaces, AppArmor)';

/** A start waits for the kernel most of its time. */
const STARTS_EACH_CORE = 4;

/**
 * The level bubblewrap: namespaces of its own, our filter of system calls, and only what a profile shows. Never as root: what
 * root starts runs as another user (`runAs`), or not at all. It is available once its attempts to get out have failed.
 */
export function openBubblewrapBackend(parts: BackendParts): SandboxBackend {
  const running = new Set<SandboxProcess>();
  const starting = new Set<Promise<unknown>>();
  const turns = openStartTurns(STARTS_EACH_CORE);
  const proofs = proofCache<ProbeResult>(({ reasons }) => reasons.length === 0);
  const workshop = madeOnce(async () => openWorkshop(parts, programOf(await findOnce()), turns));
  let isClosed = false;
  const launch = async (probe: string | null, ...[profile, command, options]: Parameters<SandboxBackend['start']>) => {
    const shop = await workshop.get();
    if (isClosed) throw new SallyportError('SANDBOX_FAILED', 'the sandboxes are closed');
    const start = startBubblewrap(shop, profile, command, options, probe);
    starting.add(start);
    const started = await start.finally(() => starting.delete(start));
    running.add(started);
    void started.ended.then(() => running.delete(started));
    return started;
  };
  let found: Promise<BubblewrapProgram | MissingProgram> | null = null;
  const findOnce = (): Promise<BubblewrapProgram | MissingProgram> => {
    found ??= findBubblewrap(parts.options);
    return found;
  };
  const proof = async (program: BubblewrapProgram): Promise<ProbeResult> => {
    const subject = { program: program.path, version: program.version, uid: program.user.uid };
    const user = process.getuid?.() === program.user.uid ? null : program.user;
    const limits = limitsHeldBy((await workshop.get()).groups !== null);
    const unproven: SandboxBackend['start'] = (...start) => launch(null, ...start);
    return proofs.get(subject, () => proveBackend(unproven, { level: 'bubblewrap', limits, user, ownKernel: false }));
  };
  const report = async (): Promise<LevelReport> => {
    found = findBubblewrap(parts.options);
    const program = await found;
    if (!('path' in program)) return missingReport(program);
    try {
      const result = await proof(program);
      return provenReport(program, result, limitsHeldBy((await workshop.get()).groups !== null));
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'it failed';
      return missingReport({ reasons: [reason], remedy: TRY });
    }
  };
  return {
    ...{ level: 'bubblewrap', report },
    start: async (profile: SandboxProfile, command, options) => {
      const known = await proof(programOf(await findOnce()));
      if (known.reasons.length === 0) return launch(known.digest, profile, command, options);
      throw new SallyportError('ISOLATION_UNAVAILABLE', [...known.reasons, TRY].join('; '));
    },
    release: async () => undefined,
    close: async () => {
      isClosed = true;
      turns.close();
      await Promise.allSettled(starting);
      await Promise.all([...running].map((process) => process.stop(0)));
    },
  };
}

async function openWorkshop(
  { runtime, openEgress }: BackendParts,
  program: BubblewrapProgram,
  turns: StartTurns,
): Promise<Workshop> {
  const folder = await runtime();
  const place = folder.make('bwrap');
  let count = 0;
  const next = (): number => {
    count += 1;
    return count;
  };
  try {
    const filter = join(place, 'filter.bpf');
    writeFileSync(filter, program.filter, { mode: 0o400 });
    return {
      ...{ program, runtime: folder, filter, openEgress, groups: findControlGroups(), turns, next },
      ...{ system: makeSystemParts(place, program.user), masks: makeMasks(place) },
    };
  } catch (error) {
    // It is made anew by whoever asks next.
    rmSync(place, { recursive: true, force: true });
    throw error;
  }
}

/** @throws SallyportError ISOLATION_UNAVAILABLE */
function programOf(found: BubblewrapProgram | MissingProgram): BubblewrapProgram {
  if ('path' in found) return found;
  throw new SallyportError('ISOLATION_UNAVAILABLE', [...found.reasons, found.remedy].join('; '));
}

const missingReport = ({ reasons, remedy }: MissingProgram): LevelReport =>
  Object.freeze({
    ...{ level: 'bubblewrap', available: false, backend: '', reasons: Object.freeze([...reasons]), remedy },
    ...{ probe: null, limits: limitsHeldBy(false) },
  });

function provenReport(program: BubblewrapProgram, result: ProbeResult, limits: LevelReport['limits']): LevelReport {
  const { attempts, leaked, digest, reasons } = result;
  return Object.freeze({
    ...{ level: 'bubblewrap', available: reasons.length === 0, backend: program.version },
    ...{ reasons: Object.freeze([...reasons]), remedy: reasons.length === 0 ? '' : TRY },
    ...{ probe: Object.freeze({ attempts, leaked: Object.freeze([...leaked]), digest }), limits },
  });
}
