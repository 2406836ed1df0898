import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

/** Close on exec (fcntl(2)), in the octal flags of /proc/PID/fdinfo. */
const O_CLOEXEC = 0o2000000;

/**
 * Descriptors from `first` on that a program we start would inherit: Node.js opens its own so that they close, but whoever started
 * us may have left some open, and Node.js passes them on.
 */
function inheritedDescriptors(first: number): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor >= first && isInherited(descriptor));
}

function isInherited(descriptor: number): boolean {
  try {
    const line = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8').split('\n')[1] ?? '';
    return (Number.parseInt(line.slice('flags:'.length).trim(), 8) & O_CLOEXEC) === 0;
  } catch {
    // It was the one that listed the folder, and is closed again.
    return false;
  }
}

/** A list for `stdio` with the given descriptors, and /dev/null over every one that would be inherited. `close` when spawned. */
export function shieldedStdio(own: readonly ('pipe' | 'ignore' | number)[]): {
  readonly stdio: ('pipe' | 'ignore' | number)[];
  close(): void;
} {
  const inherited = inheritedDescriptors(own.length);
  const nothing = inherited.length === 0 ? null : openSync('/dev/null', 'r');
  const stdio: ('pipe' | 'ignore' | number)[] = [...own];
  for (let at = own.length; at <= Math.max(...inherited, -1); at += 1) {
    stdio.push(nothing !== null && inherited.includes(at) ? nothing : 'ignore');
  }
  return { stdio, close: () => (nothing === null ? undefined : closeSync(nothing)) };
}
