import { type JsonValue, parseStrictJson } from '../core/index.ts';
import { explainCall, loadPolicy } from '../gate/index.ts';
import { localUser } from '../keeper/index.ts';
import { compilePolicy, policySchema, renderExplanation } from '../policy/index.ts';
import { builtInTools } from '../tools/index.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { type CommonFlags, gateSettings, settingsOf } from './settings.ts';

/** `policy check`: loads the policy as `up` would and says what it holds. Every problem is named with its place. */
export async function policyCheck(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const settings = settingsOf(flags);
  const { policy, root } = await loadPolicy(gateSettings(settings));
  const { warnings } = compilePolicy(policy, { root, tools: builtInTools().map(({ name }) => name) });
  const { digest, rules } = policy;
  const text = [
    `${policy.file}: fine, ${rules} rules${settings.embedded ? ' (embedded: no ./sallyport.yaml here)' : ''}`,
    `root ${root}`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
  const value = { file: policy.file, digest, rules, root, warnings: [...warnings] };
  answer(terminal, value, safeLines(text.join('\n')));
  return 0;
}

/** `policy explain TOOL JSON`: the whole derivation of a decision; nothing runs, nothing is recorded. 1 for a denial. */
export async function policyExplain(
  terminal: Terminal,
  call: { readonly tool: string; readonly json: string },
  flags: CommonFlags & { readonly principal?: string },
): Promise<number> {
  const settings = settingsOf(flags);
  const explanation = await explainCall(
    { ...gateSettings(settings), tools: builtInTools() },
    { tool: call.tool, args: parseStrictJson(call.json), user: localUser(), agent: flags.principal ?? 'library' },
  );
  answer(terminal, explanation as unknown as JsonValue, safeLines(renderExplanation(explanation).join('\n')));
  return explanation.decision.effect === 'allow' ? 0 : 1;
}

/** `policy schema`: the JSON Schema that policies are checked with, for editors. */
export function policySchemaPrint(terminal: Terminal): number {
  terminal.out(JSON.stringify(policySchema, null, 2));
  return 0;
}
