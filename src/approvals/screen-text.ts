import { plain } from './plain.ts';
import type { Screen, ScreenLine } from './screen.ts';

/** What goes beside the data: who may answer how. */
export interface ScreenFrame {
  readonly id: string;
  /** True where agent and person share a user id and no stronger credential is set up. */
  readonly advisory: boolean;
  readonly expiresAt: number;
}

/** INVARIANT: whatever a stranger wrote stands behind this margin, so that it cannot pass for a line of ours. */
const MARGIN = '  │ ';
const MARKS = { same: ' ', changed: '~', new: '+', first: ' ' } as const;

/** The screen for a terminal: lines joined with line feeds, no escape sequences. */
export function renderScreen(screen: Screen, { id, advisory, expiresAt }: ScreenFrame): string {
  const lines = [
    `${screen.title}`,
    `Asked because of ${screen.why}`,
    'Arguments, as they will be executed:',
    ...block(screen.lines),
    ...screen.gone.map((name) => `${MARGIN}- ${name} (was there last time)`),
    'What is behind them:',
    ...block(screen.facts),
    ...screen.notes,
    ...(screen.complete
      ? []
      : ['CUT: not everything is shown here, so there is no yes before the whole was asked for.']),
    ...(advisory ? ['Advisory: agent and person share a user id here, so the agent could answer for itself.'] : []),
    `Request ${plain(id)}, waits until ${new Date(expiresAt).toISOString()}; no answer means no.`,
  ];
  return lines.join('\n');
}

const block = (lines: readonly ScreenLine[]): string[] =>
  lines.map(({ name, value, change, cut }) => `${MARGIN}${MARKS[change]} ${name}: ${value}${cut ? ' (cut)' : ''}`);
