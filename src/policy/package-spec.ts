import { quoteForMessage } from '../core/index.ts';

/** One version of one npm package. */
export interface PackageSpec {
  /** `@acme/github-mcp` */
  readonly name: string;
  /** An exact version (Semantic Versioning 2.0.0, without build metadata, which npm does not tell apart). */
  readonly version: string;
}

/** The longest name that npm takes. */
const MAX_NAME = 214;
const MAX_VERSION = 256;
const PART = '[a-z0-9~-][a-z0-9._~-]*';
const NAME = new RegExp(`^(?:@${PART}/)?${PART}$`);
const NUMBER = '(?:0|[1-9][0-9]{0,15})';
const PRERELEASE = '(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)';
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PRERELEASE}(?:\\.${PRERELEASE})*)?$`);
/** Names that mean a folder to npm, not a package. */
const RESERVED = ['node_modules', 'favicon.ico'];

/** Reads `NAME@VERSION`; a sentence about what it is instead, where it is something else. */
export function readPackageSpec(text: string): PackageSpec | string {
  const elsewhere = placeIn(text);
  if (elsewhere !== null) return elsewhere;
  const at = text.lastIndexOf('@');
  const [name, version] = at <= 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
  if (name.length > MAX_NAME || !NAME.test(name) || RESERVED.includes(name))
    return `${quoteForMessage(name, 80)} is not the name of an npm package`;
  if (version === null || version === '') return 'it has no version: whatever the registry has newest would run';
  return versionTrouble(version) ?? { name, version };
}

const DIGIT = /[0-9]/;

function versionTrouble(version: string): string | null {
  if (version.length <= MAX_VERSION && VERSION.test(version)) return null;
  const named = quoteForMessage(version, 40);
  if (version.includes('+')) return `${named} has build metadata, which npm does not tell apart`;
  if (/^[a-z]/i.test(version) && !/^[vx](?:[0-9.]|$)/i.test(version))
    return `${named} is a tag: it names whatever was published last`;
  return DIGIT.test(version) || /^[*x]$/i.test(version)
    ? `${named} is not one exact version: a range is whatever the registry has newest in it`
    : `${named} is not a version`;
}

/** What names a place instead of a version in a registry. */
function placeIn(text: string): string | null {
  if (/^(?:.*@)?npm:/.test(text)) return 'it is an alias: write the package itself';
  if (/(?:^|@)git(?:\+|:|@)|\.git(?:#|$)/.test(text)) return 'it is a git repository, which has no integrity';
  if (/^(?:.*@)?https?:/.test(text)) return 'it is a URL: packages come from the registry';
  if (/^(?:.*@)?(?:file:|link:|workspace:|\.{0,2}\/|~\/)/.test(text)) return 'it is a folder or file';
  return /^[^@]+\/|^(?:github|gitlab|bitbucket|gist):/.test(text) ? 'it is a repository, which has no integrity' : null;
}
