export { DEFAULT_GUARD_LIMITS } from './guard-limits.ts';
