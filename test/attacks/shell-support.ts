import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parse } from 'yaml';
import {
  analyseCommandLine,
  type CommandDecision,
  compileDeniedPattern,
  decideCommandLine,
  globsOverlap,
  type PathOperand,
  type PathVerdict,
  type ShellRule,
} from '../../src/policy/shell/index.ts';

export const CORPUS: string = join(import.meta.dirname, '../cases/policy-corpus');

interface FileRule {
  readonly allowedPaths: readonly string[];
  readonly deniedPaths: readonly string[];
}

export interface ShellPolicy {
  readonly rule: ShellRule;
  readonly read: FileRule;
  readonly write: FileRule;
}

interface PolicyFile {
  readonly tools: {
    readonly shell?: {
      allowedCommands?: string[];
      deniedPatterns?: string[];
      requiresConfirmation?: { commands?: string[] };
    };
    readonly file_read?: Partial<FileRule>;
    readonly file_write?: Partial<FileRule>;
  };
}

const fileRule = (rule: Partial<FileRule> | undefined): FileRule => ({
  allowedPaths: rule?.allowedPaths ?? [],
  deniedPaths: rule?.deniedPaths ?? [],
});

export function loadShellPolicy(name: string): ShellPolicy {
  const file = parse(readFileSync(join(CORPUS, 'policies', `${name}.yaml`), 'utf8')) as PolicyFile;
  const { shell = {} } = file.tools;
  return {
    rule: {
      allowedCommands: shell.allowedCommands ?? [],
      deniedPatterns: (shell.deniedPatterns ?? []).map(compileDeniedPattern),
      confirmCommands: shell.requiresConfirmation?.commands ?? [],
    },
    read: fileRule(file.tools.file_read),
    write: fileRule(file.tools.file_write),
  };
}

const globs = (pattern: string): readonly string[] => {
  const trimmed = pattern.replace(/\/$/, '');
  return trimmed.includes('/') ? [trimmed.replace(/^\//, '')] : [`**/${trimmed}`];
};

/** The file rules, without a disk: enough of them for what the shell hands over. */
function judgeBy(policy: ShellPolicy): (path: PathOperand) => PathVerdict {
  const verdict = (effect: PathVerdict['effect'], code: string): PathVerdict => ({
    effect,
    ruleKey: `builtin.${code}`,
    code,
  });
  return (path) => {
    const rule = path.use === 'file_read' ? policy.read : policy.write;
    if (path.text.startsWith('/') && path.text !== '/dev/null') return verdict('deny', 'PATH_NOT_ALLOWED');
    const lexical = posix.normalize(posix.join(path.cwd ?? '.', path.text)).replace(/\/$/, '');
    if (lexical === '..' || lexical.startsWith('../') || lexical.startsWith('/'))
      return verdict('deny', 'PATH_NOT_ALLOWED');
    const patterns = rule.deniedPaths.flatMap(globs);
    const literal = lexical.replace(/[*?[\]]/g, '\u0001');
    if (patterns.some((pattern) => globsOverlap(literal, pattern))) return verdict('deny', 'PATH_DENIED');
    if (path.pattern && patterns.some((pattern) => globsOverlap(lexical, pattern)))
      return verdict('confirm', 'PATH_DENIED');
    // C8: operands are read wherever the project is; redirections and what is written need an allowed path.
    if (path.via === 'operand' && path.use === 'file_read') return verdict('allow', '');
    const inside = rule.allowedPaths.some((allowed) => {
      const folder = allowed.replace(/\/$/, '');
      return folder === '.' || lexical === folder || lexical.startsWith(`${folder}/`);
    });
    return inside ? verdict('allow', '') : verdict('deny', 'PATH_NOT_ALLOWED');
  };
}

export const decide = (policy: ShellPolicy, line: string): CommandDecision =>
  decideCommandLine(policy.rule, analyseCommandLine(line), { judgePath: judgeBy(policy) });
