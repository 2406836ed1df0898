import { type CanonicalUrl, decodedPaths, laxSegments } from '../core/index.ts';
import { isOriginOf, type RequestPattern } from './endpoint-entry.ts';

/**
 * True when a request is one that needs a yes. What an allow entry reads exactly is read generously here: any reading of
 * the path that some server takes (decoded again, letter case, doubled slashes, parameters, a suffix such as `.json`).
 *
 * @param methods the method of the request and those that override it; `null` when nobody knows it
 */
export function needsConfirmation(
  { method, endpoint }: RequestPattern,
  url: CanonicalUrl,
  methods: readonly string[] | null,
): boolean {
  if (method !== '*' && methods !== null && !methods.includes(method)) return false;
  if (!isOriginOf(endpoint, url)) return false;
  const wanted = foldPath(endpoint.path ?? '');
  // A path that hides something never gets here; if one did, it would be asked about.
  return (decodedPaths(url.path) ?? [endpoint.path ?? '']).some((reading) => startsWith(foldPath(reading), wanted));
}

const foldPath = (path: string): readonly string[] =>
  laxSegments(path.split(/[?#]/, 1)[0] ?? '')
    .filter((segment) => segment !== '')
    .map((segment) => segment.toLowerCase());

function startsWith(segments: readonly string[], wanted: readonly string[]): boolean {
  if (segments.length < wanted.length) return false;
  return wanted.every((part, index) => {
    const segment = segments[index] ?? '';
    return segment === part || (index === wanted.length - 1 && segment.startsWith(`${part}.`));
  });
}
