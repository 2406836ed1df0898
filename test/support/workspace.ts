import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A throw-away folder with a workspace in it and a state folder beside it. */
export interface Workspace {
  readonly base: string;
  readonly root: string;
  readonly state: string;
  readonly policyFile: string;
  /** Writes files below the root: path to content. */
  write(files: Readonly<Record<string, string>>): void;
  remove(): void;
}

export function makeWorkspace(policy: string, files: Readonly<Record<string, string>> = {}): Workspace {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-')));
  const root = join(base, 'work');
  const policyFile = join(root, 'sallyport.yaml');
  const write = (wanted: Readonly<Record<string, string>>): void => {
    for (const [name, content] of Object.entries(wanted)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), content);
    }
  };
  write({ 'sallyport.yaml': policy, ...files });
  return {
    ...{ base, root, policyFile, write },
    state: join(base, 'state'),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}
