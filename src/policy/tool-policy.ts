import { policyFromObject } from './parse.ts';
import type { Policy } from './policy.ts';

/**
 * Builds a policy rule by rule; the rules are those of the policy file.
 * @example
 * const policy = new ToolPolicy().addRule('file_read', { allowedPaths: ['src/'], audit: true }).build();
 */
export class ToolPolicy {
  readonly #rules = new Map<string, unknown>();

  /** Adds the rule for a tool; a second one for the same tool stands in for the first. */
  addRule(tool: string, rule: Readonly<Record<string, unknown>>): this {
    this.#rules.set(tool, rule);
    return this;
  }

  /** @throws SallyportError POLICY_INVALID */
  build(): Policy {
    return policyFromObject({ version: 1, tools: Object.fromEntries(this.#rules) });
  }
}
