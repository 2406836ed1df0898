import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_TABLE } from '../../src/core/index.ts';

/**
 * What others build on, as literals: adding a name is a decision, losing one breaks somebody. Types do not show here.
 */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  '../../src/index.ts': [
    'SallyportError',
    'apiCall',
    'builtInTools',
    'fileList',
    'fileRead',
    'fileSearch',
    'fileWrite',
    'isSallyportError',
    'openGate',
    'sanitizeToolOutput',
    'shell',
  ],
  '../../src/gate/index.ts': [
    'INSIDE_VARIABLE',
    'NeedsAnswers',
    'explainCall',
    'loadPolicy',
    'loadPolicyText',
    'openGate',
    'readPolicyFile',
  ],
  '../../src/guard/index.ts': [
    'CUT_MARK',
    'DEFAULT_GUARD_LIMITS',
    'WITHHELD',
    'boundary',
    'checkMedia',
    'createGuard',
    'guardStream',
    'isStandardSchema',
    'sanitise',
    'sanitizeToolOutput',
    'validateStandard',
  ],
  '../../src/tools/index.ts': ['apiCall', 'builtInTools', 'fileList', 'fileRead', 'fileSearch', 'fileWrite', 'shell'],
  '../../src/identity/index.ts': ['checkTokenName', 'describeToken', 'findToken', 'mintToken'],
  '../../src/keeper/index.ts': [
    'PeerFolder',
    'TokenFolder',
    'UnknownCalls',
    'approvalFiles',
    'checkNotReachable',
    'connectKeeper',
    'credentialText',
    'defaultStateFolder',
    'joinKeeper',
    'localUser',
    'namesOfPolicy',
    'openKeeper',
    'openStateFolder',
    'readApproval',
    'takeOwnership',
    'whoIs',
    'writeApproval',
  ],
  '../../src/store/index.ts': ['STORE_LIMITS', 'memoryStore', 'openStore'],
  '../../src/store/contract.ts': ['storeContract'],
  '../../src/policy/index.ts': [
    'ToolPolicy',
    'actionName',
    'allowsPath',
    'commandOf',
    'commandPaths',
    'comparePolicies',
    'compilePolicy',
    'decide',
    'decideAgain',
    'decideRequest',
    'describeProblem',
    'explain',
    'globsOverlap',
    'isCommandTrouble',
    'isObserving',
    'isPlainUri',
    'isPolicy',
    'isRateLimited',
    'matchesUri',
    'mayBeAllowed',
    'meetPolicies',
    'namesTool',
    'parsePolicy',
    'pathUses',
    'planExecution',
    'policyForCases',
    'policyFromObject',
    'policySchema',
    'reachableFolders',
    'readActionName',
    'renderExplanation',
    'renderPolicyChanges',
    'requestsOf',
    'stricterObligations',
    'strongestUses',
  ],
};

test.each(Object.entries(DOORS))('%s', async (door, names) => {
  expect(Object.keys((await import(door)) as object).sort()).toEqual(names);
});

test('the doors of the package are the rooms', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    exports: object;
  };
  expect(Object.keys(exports)).toEqual([
    '.',
    './core',
    './policy',
    './identity',
    './audit',
    './keeper',
    './store',
    './store/contract',
    './guard',
    './gate',
    './tools',
    './gateway',
    './package.json',
  ]);
});

test('exit codes and statuses of codes that scripts rely on', () => {
  const pinned = [
    'TOOL_NOT_ALLOWED',
    'POLICY_INVALID',
    'STATE_OWNED',
    'TOKEN_UNKNOWN',
    'AUDIT_INTEGRITY',
    'AUDIT_INCOMPLETE',
    'AUDIT_STALE',
    'AUDIT_FORGED',
  ] as const;
  expect(pinned.map((code) => ERROR_TABLE[code].slice(0, 3))).toEqual([
    ['policy', 1, 403],
    ['policy', 2, 500],
    ['keeper', 3, 503],
    ['identity', 1, 401],
    ['audit', 10, 500],
    ['audit', 11, 500],
    ['audit', 12, 500],
    ['audit', 13, 500],
  ]);
});
