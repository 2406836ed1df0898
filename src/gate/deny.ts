import { type ErrorCode, remedyOf } from '../core/index.ts';
import type { Decision, Obligations } from '../policy/index.ts';

const NO_OBLIGATIONS: Obligations = Object.freeze({
  isolation: Object.freeze([]),
  timeoutMs: 0,
  maxLength: null,
  onInjection: 'quarantine',
  boundary: false,
  outputSchemas: Object.freeze([]),
  audit: false,
  limits: Object.freeze([]),
  breakers: Object.freeze([]),
});

/** A denial that no policy file states. */
export const denyBuiltIn = (code: ErrorCode, reason: string): Decision & { readonly effect: 'deny' } => ({
  effect: 'deny',
  rule: { id: `builtin.${code}` },
  code,
  reason,
  instead: remedyOf(code),
  obligations: NO_OBLIGATIONS,
});
