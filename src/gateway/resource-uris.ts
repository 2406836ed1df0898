import type { ServerRule } from '../policy/index.ts';

const PREFIX = 'sallyport.';

/** A resource of a server. */
export interface ResourceAddress {
  readonly server: string;
  /** As the server writes it. */
  readonly uri: string;
}

/**
 * The URI by which clients know a resource: `sallyport.SERVER:` before that of the server, so that it is one URI again,
 * says whose it is, and no client takes it for something that it can open itself. With `expose: as-is` it stays as it is.
 */
export const clientUri = ({ name, expose }: Pick<ServerRule, 'name' | 'expose'>, uri: string): string =>
  expose === 'as-is' ? uri : `${PREFIX}${name}:${uri}`;

/** The resource behind a client's URI, or null. ATTACKER-CONTROLLED: `uri`. */
export function resourceAddress(servers: ReadonlyMap<string, ServerRule>, uri: string): ResourceAddress | null {
  const [, named, rest] = /^sallyport\.([a-z0-9-]{1,20}):(.*)$/s.exec(uri) ?? [];
  if (named !== undefined && rest !== undefined && servers.get(named)?.expose === 'prefixed')
    return { server: named, uri: rest };
  const alone = [...servers.values()].find(({ expose }) => expose === 'as-is');
  return alone === undefined ? null : { server: alone.name, uri };
}
