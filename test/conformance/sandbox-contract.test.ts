import { describe, test } from 'vitest';
import type { IsolationLevel } from '../../src/core/index.ts';
import { openSandboxes } from '../../src/sandbox/index.ts';
import { type OpenedLevel, runAs, runSandboxContract } from '../support/sandbox-contract.ts';
import { sandboxTraces } from '../support/sandbox-traces.ts';

async function openLevel(level: IsolationLevel): Promise<OpenedLevel> {
  const sandboxes = openSandboxes(runAs === null ? {} : { runAs });
  const chosen = await sandboxes.choose([level]);
  return {
    missing: '',
    start: (...parts) => sandboxes.start(chosen, ...parts),
    traces: sandboxTraces,
    close: () => sandboxes.close(),
  };
}

const survey = await (async () => {
  const sandboxes = openSandboxes(runAs === null ? {} : { runAs });
  const reports = await sandboxes.survey();
  await sandboxes.close();
  return reports;
})();

for (const level of ['none', 'bubblewrap', 'gvisor'] as const) {
  const report = survey.find((one) => one.level === level);
  if (report?.available === true) {
    describe(level, () => runSandboxContract(() => openLevel(level), { isolates: level !== 'none' }));
  } else if (process.env['CI'] !== undefined) {
    test(level, () => {
      throw new Error(`${level} is needed for this test: ${report?.reasons.join('; ')}`);
    });
  } else {
    test.skip(`${level} (SKIPPED: ${report?.reasons.join('; ')})`);
  }
}
