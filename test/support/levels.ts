import type { IsolationLevel } from '../../src/core/index.ts';
import { openSandboxes, type SandboxOptions } from '../../src/sandbox/index.ts';

/** Programs never run as root: where the tests do, they run as an ordinary user. */
export const runAs: { readonly uid: number; readonly gid: number } | null =
  process.getuid?.() === 0 ? { uid: 1001, gid: 1001 } : null;
export const SANDBOX: SandboxOptions = runAs === null ? {} : { runAs };

const sandboxes = openSandboxes(SANDBOX);
const reports = await sandboxes.survey();
await sandboxes.close();

/** Whether tests of a level run: where it is available, and in CI always, where a level that is missing fails them. */
export const isHere = (level: IsolationLevel): boolean =>
  process.env['CI'] !== undefined || reports.some((one) => one.level === level && one.available);

/** The end of a title that says why its test does not run. */
export const whyNot = (level: IsolationLevel): string =>
  isHere(level) ? '' : ` (skipped: ${level} is not available here)`;
