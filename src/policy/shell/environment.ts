/** Names that may be set (convention C5: harmlessEnv). */
const HARMLESS_VARIABLES: ReadonlySet<string> = new Set([
  'CI',
  'NODE_ENV',
  'FORCE_COLOR',
  'NO_COLOR',
  'TERM',
  'TZ',
  'LANG',
  'LC_ALL',
  'DEBUG',
  'PYTHONDONTWRITEBYTECODE',
  'PYTHONUNBUFFERED',
  'PYTHONHASHSEED',
  'COMPOSE_PROJECT_NAME',
  'GIT_TERMINAL_PROMPT',
  'HUSKY',
]);

/** Of these the C library makes the path of a file. */
const NAMES_A_FILE: ReadonlySet<string> = new Set(['TZ', 'TERM', 'LANG', 'LC_ALL']);

/** True when setting `name` to `value` changes nothing but what the variable is for. */
export const isHarmlessAssignment = (name: string, value: string): boolean =>
  HARMLESS_VARIABLES.has(name) && !(NAMES_A_FILE.has(name) && /^[/:.~]|\.\./.test(value));

// Proxies and the configuration of npm are read from lower-case variables.
const READ_BY_PROGRAMS = /^(?:.*_proxy|npm_config_.*|auto_resume|histchars)$/;

/** True for the name of a loop variable that neither bash nor a program reads. */
export const isLoopVariable = (name: string): boolean =>
  /^[a-z][a-z0-9_]{0,30}$/.test(name) && !READ_BY_PROGRAMS.test(name);
