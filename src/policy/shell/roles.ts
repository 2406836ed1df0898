import type { PathUse } from '../facts.ts';
import type { Value } from './arguments.ts';
import { readAwkProgram } from './awk-program.ts';
import type { CommandCode } from './command-line.ts';
import { isLoopVariable } from './environment.ts';
import type { OptionSpec, Role } from './program.ts';
import { readEndpointOf, readRemote } from './remote.ts';
import type { RoleReader, RoleSink } from './role-sink.ts';
import { readSedScript } from './sed-script.ts';

const refuse =
  (code: CommandCode, about: string): RoleReader =>
  (value, sink) =>
    sink.doubt('deny', code, about, value);

const ordinary: RoleReader = () => undefined;

const paths =
  (...uses: readonly PathUse[]): RoleReader =>
  (value, sink) => {
    for (const use of uses) sink.path(value, use);
  };

const STDIO: ReadonlySet<string> = new Set(['-', '/dev/null', '/dev/stdin', '/dev/stdout', '/dev/stderr']);

/** True for a path that is a stream or nothing: always fine (C4). */
export const isStream = (text: string): boolean => STDIO.has(text) || /^\/dev\/fd\/\d{1,3}$/.test(text);

const read: RoleReader = (value, sink) => {
  if (value.word.shape !== 'pipe' || value.text !== value.word.text) sink.path(value, 'file_read');
};

/** Removes the magic of a pathspec, and the revision in front of a path. */
const pathspecText = (text: string): string => text.replace(/^:(?:\([^)]*\)|[!^/]|[0-3]:)*/, '');

const revision: RoleReader = (value, sink) => {
  const { text } = value;
  if (/^:\/|^\^?[\w./-]*\^\{\//.test(text)) return;
  const colon = text.startsWith(':') ? -1 : text.indexOf(':');
  const path = colon < 0 ? pathspecText(text) : text.slice(colon + 1);
  if (path !== '') sink.path(value, 'file_read', path);
};

const listed: RoleReader = (value, sink, spec) => {
  const allowed = spec?.only ?? [];
  const name = value.text.split('=', 1)[0]?.toLowerCase() ?? '';
  const fits = allowed.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
  if (!fits || !value.known) sink.doubt('deny', 'COMMAND_LOADS', 'a setting that changes what is run or loaded', value);
};

/** A folder of the project that a container gets; one that holds configuration would let it write that too. */
const volume: RoleReader = (value, sink) => {
  const host = value.text.split(':', 1)[0] ?? '';
  if (!/[/.~\\]/.test(host)) return;
  sink.path(value, 'file_read', host);
  const readOnly = /:(?:[\w,]*,)?ro(?:,|$)/.test(value.text);
  if (!readOnly && /(?:^|\/)\.[^./]/.test(host)) sink.path(value, 'file_write', host);
};

const mount: RoleReader = (value, sink) => {
  const fields = value.text.split(',').map((field) => field.split('='));
  const source = fields.find(([key]) => key === 'source' || key === 'src')?.[1];
  if (source !== undefined) volume({ ...value, text: `${source}:/` }, sink, null);
};

const context: RoleReader = (value, sink) => {
  if (value.text === '-') return;
  if (/^[a-z][a-z0-9+.-]*:\/\/|^git@|^github\.com\//i.test(value.text)) {
    sink.doubt('deny', 'COMMAND_LOADS', 'builds from an address outside the project', value);
  } else sink.path(value, 'file_read');
};

/** Package specifications of npm, pip and cargo that do not name the registry's package by name and version. */
const FOREIGN_PACKAGE =
  /:\/\/|^(?:git|github|gitlab|bitbucket|gist|file|link|portal|https?|ssh|patch|exec)[:+]|@(?:git|file|https?|link|github|portal)[:+]|^[^@/][^/]*\/|\.(?:tgz|tar|tar\.gz|whl|zip|git)$/i;

const packageName: RoleReader = (value, sink) => {
  if (/^\.{0,2}\//.test(value.text) || value.text === '.' || value.text === '..' || /^\.\[/.test(value.text)) {
    sink.path(value, 'file_read', value.text.replace(/\[.*$/, ''));
  } else if (FOREIGN_PACKAGE.test(value.text) || value.text.startsWith('~')) {
    sink.doubt('deny', 'COMMAND_LOADS', 'a package that does not come from the registry by its name', value);
  }
};

const archive: RoleReader = (value, sink) => {
  if (/^[^/]+:/.test(value.text)) sink.doubt('deny', 'COMMAND_NETWORK', 'an archive on another machine', value);
  const writes = [
    '-c',
    '--create',
    '-r',
    '--append',
    '-u',
    '--update',
    '-A',
    '--catenate',
    '--concatenate',
    '--delete',
  ];
  sink.path(value, writes.some((name) => sink.seen.has(name)) ? 'file_write' : 'file_read');
};

const nodeId: RoleReader = (value, sink) => {
  // `@file`: pytest takes more options from that file.
  if (value.text.startsWith('@')) sink.doubt('deny', 'COMMAND_LOADS', 'options that are not in the line', value);
  else sink.path(value, 'file_read', value.text.split('::', 1)[0] ?? '');
};

const atFile: RoleReader = (value, sink) => {
  if (value.text.startsWith('@') && value.text !== '@-') sink.path(value, 'file_read', value.text.slice(1));
};

const form: RoleReader = (value, sink) => {
  const file = /^[^=]*=[@<]([^;]*)/.exec(value.text)?.[1] ?? /^[^=@]*@(.*)/.exec(value.text)?.[1];
  if (file !== undefined && file !== '-') sink.path(value, 'file_read', file);
};

const sedScript: RoleReader = (value, sink) => {
  if (!value.known) sink.doubt('deny', 'COMMAND_DYNAMIC', 'the script of sed is not known', value);
  const found = readSedScript(value.text);
  if (found.runs) sink.doubt('deny', 'COMMAND_EXECUTES', 'the script of sed runs a command', value);
  if (!found.readable) sink.doubt('confirm', 'COMMAND_OPTION', 'the script of sed could not be read', value);
  for (const path of found.reads) sink.path(value, 'file_read', path);
  for (const path of found.writes) sink.path(value, 'file_write', path);
};

const awkProgram: RoleReader = (value, sink) => {
  if (!value.known) sink.doubt('deny', 'COMMAND_DYNAMIC', 'the program of awk is not known', value);
  const found = readAwkProgram(value.text);
  if (found.runs) sink.doubt('deny', 'COMMAND_EXECUTES', 'the program of awk runs a command', value);
  if (found.loads) sink.doubt('deny', 'COMMAND_LOADS', 'the program of awk loads code or chooses its own input', value);
  if (found.unknownFile)
    sink.doubt('deny', 'COMMAND_DYNAMIC', 'the program of awk opens a file that is not known', value);
  if (found.unclear) sink.doubt('confirm', 'COMMAND_OPTION', 'the program of awk can be read in two ways', value);
  for (const path of found.reads) sink.path(value, 'file_read', path);
  for (const path of found.writes) sink.path(value, 'file_write', path);
};

/** Longest program of jq that is read, in characters. */
const MAX_JQ_PROGRAM = 16_384;

const jqProgram: RoleReader = (value, sink) => {
  // The environment is the built one; modules are files that jq finds by itself.
  if (value.text.length > MAX_JQ_PROGRAM)
    sink.doubt('confirm', 'COMMAND_OPTION', 'the program of jq is too long to read', value);
  else if (/\b(?:import|include|input_filename|getpath_file)\b/.test(value.text.replace(/"(?:[^"\\]|\\.)*"/g, '""'))) {
    sink.doubt('confirm', 'COMMAND_LOADS', 'the program of jq loads a module', value);
  }
};

const url: RoleReader = (value, sink) => {
  if (/^(?:file|scp|sftp|telnet|dict|gopher|ldaps?|smb|tftp|imaps?|pop3s?|smtps?|rtsp|mqtt):/i.test(value.text)) {
    sink.doubt('deny', 'COMMAND_NETWORK', 'an address that is not http or https', value);
  }
};

const makeTarget: RoleReader = (value, sink) => {
  const assignment = /^([^=:+?!\s]+)\s*(:{0,3}|\+|\?|!)=(.*)$/s.exec(value.text);
  if (assignment === null) return;
  const [, name = '', operator = '', text = ''] = assignment;
  if (
    operator === '!' ||
    /[$`]|^\|/.test(text) ||
    /^\.?(?:SHELL|SHELLFLAGS|MAKE\w*|GNUMAKEFLAGS|RECIPEPREFIX|PATH)$/.test(name)
  ) {
    sink.doubt('deny', 'COMMAND_EXECUTES', 'a variable of make that runs a command', value);
  } else if (
    !/^[\w.,+:@%-]*$/.test(text) ||
    /^(?:CC|CXX|CPP|LD|AR|AS|FC|LEX|YACC|RM|INSTALL|[A-Z_]*(?:CMD|COMMAND|PROG|EXE|PYTHON|NODE|NPM|GO|CARGO))$/.test(
      name,
    )
  ) {
    sink.doubt('confirm', 'COMMAND_LOADS', 'a variable of make that may be run', value);
  }
};

const findStart: RoleReader = (value, sink) => {
  if (!/^(?:[(),!]|\\[()!])$/.test(value.text)) sink.path(value, 'file_read');
};

const inPlace: RoleReader = (value, sink) => {
  if (value.text.includes('/') && !value.text.startsWith('-'))
    sink.doubt('deny', 'COMMAND_OUTSIDE', 'keeps copies in another folder', value);
};

const scriptFile: RoleReader = (value, sink) => {
  if (isStream(value.text) || value.word.shape === 'pipe') {
    sink.doubt('deny', 'COMMAND_EXECUTES', 'runs a program that it reads from a stream', value);
  } else sink.path(value, 'file_read');
};

/** Flags of the compiler and the linker that neither start a program nor name a file. */
const GO_FLAGS =
  /^(?:[\w./*-]+=)?(?:\s*(?:-s|-w|-v|-N|-l|-m|-B|-S|-e|-race|-X(?:\s+|=)\S+|-(?:c|l|m|d|lang|buildid|compressdwarf)=\S*))*\s*$/;

const goFlags: RoleReader = (value, sink) => {
  if (value.known && GO_FLAGS.test(value.text)) return;
  const starts = !value.known || /ext-?ld|linkmode|toolexec|-o\b|-I\b|importcfg/i.test(value.text);
  sink.doubt(starts ? 'deny' : 'confirm', 'COMMAND_EXECUTES', 'flags that can start another linker', value);
};

/** `START,END:FILE` or `:FUNCTION:FILE`. */
const lineRange: RoleReader = (value, sink) => {
  const colon = value.text.lastIndexOf(':');
  if (colon >= 0) sink.path(value, 'file_read', value.text.slice(colon + 1));
};

const fileList: RoleReader = (value, sink) => {
  if (isStream(value.text)) sink.doubt('confirm', 'COMMAND_DYNAMIC', 'a list of files that is not in the line', value);
  else sink.path(value, 'file_read');
};

/** A shell looks for a script on PATH too, if no file has the name and it has no slash. */
const shellFile: RoleReader = (value, sink, spec) => {
  scriptFile(value, sink, spec);
  if (!value.text.includes('/')) {
    sink.doubt('confirm', 'COMMAND_EXECUTES', 'a script without a slash may be another one on PATH', value);
  }
};

const networkName: RoleReader = (value, sink) => {
  if (/^(?:host|container:|ns:)/.test(value.text)) {
    sink.doubt('deny', 'COMMAND_OUTSIDE', 'shares the network of the machine or of another container', value);
  }
};

const dateFormat: RoleReader = (value, sink) => {
  if (!value.text.startsWith('+')) sink.doubt('deny', 'COMMAND_OUTSIDE', 'sets the clock', value);
};

const variable: RoleReader = (value, sink) => {
  if (!value.known || !isLoopVariable(value.text)) {
    sink.doubt('deny', 'COMMAND_ENVIRONMENT', 'assigns to a variable that is not known to be harmless', value);
  }
};

/** Statements that only read, one at a time; everything that psql itself would run is refused. */
const psqlText: RoleReader = (value, sink) => {
  const text = value.text.trim().replace(/;\s*$/, '');
  if (/^\\(?:d\w*\+?|l\+?|conninfo)(?:\s+[\w.*"]+)?$/.test(text)) return;
  if (text.includes('\\') || /\bprogram\b|pg_(?:read|ls|stat)_|\blo_(?:im|ex)port\b|dblink/i.test(text)) {
    sink.doubt('deny', 'COMMAND_EXECUTES', 'a statement that may run a program or open a file', value);
  } else if (
    !/^(?:select|show|explain|table|values)\b/i.test(text) ||
    /;|\binto\b|\banaly[sz]e\b/i.test(text) ||
    !value.known
  ) {
    sink.doubt('confirm', 'COMMAND_OPTION', 'a statement that does more than read', value);
  }
};

const psqlFile: RoleReader = (value, sink) => {
  sink.path(value, 'file_read');
  sink.doubt('confirm', 'COMMAND_LOADS', 'runs the statements of a file', value);
};

const trapText: RoleReader = (value, sink) => {
  if (value.text !== '-' && value.text !== '') {
    sink.leaveFolder();
    sink.script(value);
  }
};

const named: Partial<Record<Role, RoleReader>> = {
  ok: ordinary,
  'replace-string': ordinary,
  read,
  write: paths('file_write'),
  both: paths('file_read', 'file_write'),
  cwd: (value, sink) => {
    sink.path(value, 'file_read');
    if (value.known && value.word.shape === 'static') sink.enter(value.text);
    else sink.leave(value);
  },
  revision,
  pathspec: (value, sink) => {
    const path = pathspecText(value.text);
    if (path !== '') sink.path(value, 'file_read', path);
  },
  remote: readRemote,
  'remote-path': readEndpointOf,
  package: packageName,
  archive,
  volume,
  mount,
  context,
  'at-file': atFile,
  form,
  'sed-script': sedScript,
  'awk-program': awkProgram,
  'jq-program': jqProgram,
  environment: (value, sink) => sink.assign(value),
  listed,
  url,
  'node-id': nodeId,
  shell: (value, sink) => sink.script(value),
  'trap-text': trapText,
  'make-target': makeTarget,
  'find-start': findStart,
  'date-format': dateFormat,
  'test-file': read,
  'script-file': scriptFile,
  'go-flags': goFlags,
  'line-range': lineRange,
  'file-list': fileList,
  'shell-file': shellFile,
  'network-name': networkName,
  'in-place': inPlace,
  'psql-text': psqlText,
  'psql-file': psqlFile,
  variable,
  runs: refuse('COMMAND_EXECUTES', 'starts another program'),
  loads: refuse('COMMAND_LOADS', 'loads code or configuration that is not the ordinary one'),
  network: refuse('COMMAND_NETWORK', 'opens a connection of its own'),
  outside: refuse('COMMAND_OUTSIDE', 'acts outside the project'),
  destroys: refuse('COMMAND_DESTROYS', 'destroys files'),
  assigns: refuse('COMMAND_ENVIRONMENT', 'assigns to a variable that it names'),
  ask: (value, sink) => sink.doubt('confirm', 'COMMAND_OPTION', 'is not ordinary use for everybody', value),
};

const OF_THE_OPTION: ReadonlySet<Role> = new Set<Role>([
  'runs',
  'loads',
  'network',
  'outside',
  'destroys',
  'assigns',
  'ask',
]);

/** True for roles in which the option itself is what matters, not its value. */
export const isOfTheOption = (role: Role): boolean => OF_THE_OPTION.has(role);

/** Reports what one value in one role means. A role that is not read here is refused. */
export function applyRole(role: Role, value: Value, sink: RoleSink, spec: OptionSpec | null): void {
  const reader = named[role];
  if (reader === undefined) sink.doubt('deny', 'COMMAND_OPTION', 'cannot be judged', value);
  else reader(value, sink, spec);
}
