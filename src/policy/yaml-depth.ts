import type { CST } from 'yaml';

/**
 * True when collections stand more than `max` deep inside each other. The composer of the YAML package recurses; this
 * walk does not, and runs before it.
 */
export function isTooDeep(tokens: readonly CST.Token[], max: number): boolean {
  let level: CST.Token[] = [...tokens];
  for (let depth = 0; level.length > 0; depth++) {
    // The document and the scalars at the bottom are levels of this walk, not of the text.
    if (depth > max + 1) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  const children: CST.Token[] = [];
  for (const item of token.items) {
    if (item.key !== null && item.key !== undefined) children.push(item.key);
    if (item.value !== undefined) children.push(item.value);
  }
  return children;
}
