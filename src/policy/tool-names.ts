/** Whether a key of `tools:` (or of a principal's list) names this tool. Exact but for `*`, which stands for any run. */
export function namesTool(pattern: string, tool: string): boolean {
  if (!pattern.includes('*')) return pattern === tool;
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (tool.length < first.length + last.length || !tool.startsWith(first) || !tool.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = tool.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= tool.length - last.length;
}

/** Whether some tool could fall under both patterns, letter case aside. */
export function canOverlap(a: string, b: string): boolean {
  const left = a.toLowerCase();
  const right = b.toLowerCase();
  if (!left.includes('*')) return namesTool(right, left);
  if (!right.includes('*')) return namesTool(left, right);
  if (!agree(left.split('*', 1)[0] ?? '', right.split('*', 1)[0] ?? '')) return false;
  let reachable = new Set([0]);
  // Positions in `right` that a prefix of `left` can stand against; a `*` on either side takes what the other one has.
  reachable = skipStars(reachable, right);
  for (const symbol of left) {
    const next = new Set<number>();
    for (const at of reachable) {
      if (symbol === '*') for (let to = at; to <= right.length; to++) next.add(to);
      else if (right[at] === '*') next.add(at);
      else if (right[at] === symbol) next.add(at + 1);
    }
    reachable = skipStars(next, right);
  }
  return reachable.has(right.length);
}

/** Whether one beginning could be continued as the other. */
const agree = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

function skipStars(positions: ReadonlySet<number>, pattern: string): Set<number> {
  const all = new Set(positions);
  for (const at of positions) for (let to = at; pattern[to] === '*'; to++) all.add(to + 1);
  return all;
}

/** The server of a tool's name `mcp__SERVER__TOOL`, or null. */
export const serverOf = (tool: string): string | null => /^mcp__([a-z0-9-]{1,20})__./.exec(tool)?.[1] ?? null;
