import { type ErrorCode, isSallyportError, remedyOf } from '../core/index.ts';

/** Why something does not leave. A value: it is said to the client and recorded. */
export interface EgressRefusal {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly rule: string;
  readonly reason: string;
  /** What is recorded: the code, and what the system said where that is a plain word. */
  readonly error: string;
}

/** A refusal by a rule that no policy can lift. */
export const refuse = (code: ErrorCode, reason: string, cause?: unknown): EgressRefusal => ({
  ...{ kind: 'refused', code, rule: `builtin.${code}`, reason },
  error: causeWord(cause) === null ? code : `${code} ${causeWord(cause)}`,
});

/** A refusal by the policy. */
export const refuseByRule = (rule: string, reason: string): EgressRefusal => ({
  ...{ kind: 'refused', code: 'EGRESS_NOT_ALLOWED', rule, reason, error: 'EGRESS_NOT_ALLOWED' },
});

/** What was thrown, as a refusal: an error of ours keeps its code. */
export function refusalOf(error: unknown, otherwise: ErrorCode): EgressRefusal {
  if (isSallyportError(error)) return refuse(error.code, error.message, error.cause);
  return refuse(otherwise, 'the connection failed', error);
}

export const isRefusal = (value: object): value is EgressRefusal => 'kind' in value && value.kind === 'refused';

/** `ECONNREFUSED`, `CERT_HAS_EXPIRED`: the code of an error of the system or of TLS, if it is such a word. */
function causeWord(cause: unknown): string | null {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : null;
}

/** Bytes of a reason that a client is told. */
const MAX_REASON = 512;

/** What the client reads: one paragraph, printable ASCII, with what to do next. */
export function describeRefusal({ code, reason }: EgressRefusal): string {
  const said = `sallyport: ${code}: ${reason.slice(0, MAX_REASON)}\n${remedyOf(code)}\n`;
  return said.replaceAll(/[^\n\x20-\x7e]/g, '?');
}
