/** The console: an HTTP API, on an origin of its own, for the people who answer. */
export { type Console, type ConsoleOptions, openConsole } from './console.ts';
export { ConsoleToken, TOKEN_HEADER } from './credential.ts';
export { CONSOLE_LIMITS, type ConsoleLimits } from './limits.ts';
export { type Notices, type NoticesOptions, openNotices } from './notices.ts';
