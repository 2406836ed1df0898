const SESSIONS = '2025-11-25';
const STATELESS = '2026-07-28';
/** For one scenario: its streams wait for seconds, and a loaded machine takes several times as long. */
const SCENARIO_MS = '20000';

/** The newest release of the suite for a revision. */
const next = (revision, note, more) => ({
  name: `0.2.0-alpha.12, ${revision}${note === '' ? '' : `, ${note}`}`,
  version: 'next',
  args: ['--suite', 'all', '--spec-version', revision, '--timeout', SCENARIO_MS],
  ...more,
});

/**
 * What is run: a version of the suite for a revision of the protocol, and what stands behind the gateway: a server at an
 * address or one that the gateway starts, spoken to in `protocol`. Directly the suite always asks the server at an address.
 */
export const LEGS = [
  { name: '0.1.16', version: 'stable', args: ['--suite', 'all'], protocol: SESSIONS },
  next('2025-06-18', '', { protocol: SESSIONS }),
  next(SESSIONS, '', { protocol: SESSIONS }),
  next(STATELESS, '', { protocol: STATELESS }),
  next(SESSIONS, 'server on stdio', { protocol: SESSIONS, stdio: true }),
  next(STATELESS, 'server on stdio', { protocol: STATELESS, stdio: true }),
  next(SESSIONS, 'server without sessions', { protocol: STATELESS }),
  next(STATELESS, 'server with sessions', { protocol: SESSIONS }),
];
