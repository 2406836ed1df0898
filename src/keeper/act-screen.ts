import { plain } from '../approvals/index.ts';
import type { OperatorAct, ProposedAct } from './act-messages.ts';

/** What a person is shown of an act before they prove it. */
export interface ActScreen {
  readonly title: string;
  /** Everything that it says, a line each. */
  readonly lines: readonly string[];
}

const TITLES: Readonly<Record<OperatorAct['act'], string>> = {
  resume: 'Takes a stop back: calls run again',
  'policy-approve': 'Lets this text of a policy in: it decides what calls may do',
  'server-approve': 'Lets the definitions of a server in, those with this digest: the command that waits shows them',
  'unknown-settle': 'Settles a call of which nobody knows how it ended: the same call can be made again',
  'result-release':
    'Lets a result through that the guard withheld, when its tool returns it again: sallyport guard show',
};

/**
 * The whole of an act. ATTACKER-CONTROLLED: every value; each stands on a line of its own, escaped by `plain`.
 * INVARIANT: it is made from what is proven, and nothing is left out.
 */
export function actScreen({ act, about }: Pick<ProposedAct, 'act' | 'about'>): ActScreen {
  const { act: kind, ...said } = act;
  const fields = Object.entries(kind === 'policy-approve' ? withoutText(said) : said);
  const lines = [...fields.sort(byName), ...Object.entries(about)].map(
    ([name, value]) => `${plain(name)}: ${plain(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
  return { title: TITLES[kind], lines: act.act === 'policy-approve' ? [...lines, ...linesOf(act.text)] : lines };
}

function withoutText({ text: _text, ...rest }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return rest;
}

const linesOf = (text: string): readonly string[] => ['text:', ...text.split('\n').map((line) => `  │ ${plain(line)}`)];
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
