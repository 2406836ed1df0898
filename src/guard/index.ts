/** The guard: what may come back? Pure; it reads a text and says what is in it. */
export { boundary } from './boundary.ts';
export { DEFAULT_GUARD_LIMITS, type GuardLimits } from './guard-limits.ts';
export {
  CUT_MARK,
  createGuard,
  type Finding,
  type Guard,
  type GuardOptions,
  type Inspection,
  type InspectOptions,
  type TextKind,
  type Tier,
  type TierScore,
  type Verdict,
  WITHHELD,
} from './inspect.ts';
export { checkMedia, type MediaCheck } from './media.ts';
export type { Origin, Span } from './reading.ts';
export { type Change, type Sanitised, type SanitiseOptions, sanitise } from './sanitise.ts';
export type { Place } from './sentence.ts';
export { isStandardSchema, type StandardResult, type StandardSchema, validateStandard } from './standard-schema.ts';
export { type GuardStream, guardStream, type StreamPart } from './stream.ts';
export { type SanitizedToolOutput, type SanitizeToolOutputOptions, sanitizeToolOutput } from './tool-output.ts';
