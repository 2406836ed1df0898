/**
 * How far a spawned program is kept from the machine. The order is that of strength: `none`, `process`, `bubblewrap`,
 * `gvisor`; `container` stands beside `bubblewrap`. A caller names one level, or a list, which is the consent to the next one.
 */
export type IsolationLevel = 'none' | 'process' | 'bubblewrap' | 'gvisor' | 'container';

/** Every level, weakest first. */
export const ISOLATION_LEVELS: readonly IsolationLevel[] = Object.freeze([
  'none',
  'process',
  'bubblewrap',
  'container',
  'gvisor',
]);
