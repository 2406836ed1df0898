/**
 * What is run: a version of the suite, for a revision of the protocol. The gateway speaks that revision on both sides, as
 * the suite does when it asks the upstream directly.
 */
export const LEGS = [
  { name: '0.1.16', version: 'stable', protocol: '2025-11-25', args: ['--suite', 'all'] },
  ...['2025-06-18', '2025-11-25', '2026-07-28'].map((revision) => ({
    name: `0.2.0-alpha.12, ${revision}`,
    version: 'next',
    protocol: revision === '2026-07-28' ? revision : '2025-11-25',
    args: ['--suite', 'all', '--spec-version', revision],
  })),
];
