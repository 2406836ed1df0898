import type { Value } from './arguments.ts';
import type { RoleSink } from './role-sink.ts';

const TRANSPORT_HELPER = /^[a-z0-9+.-]+::/i;
const URL_SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i;
const GIT_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'ssh', 'git', 'git+ssh', 'ssh+git', 'ftp', 'ftps']);

/** The address of a repository: the name of a remote, a URL, `host:path`, or a folder, which is read. */
export function readRemote(value: Value, sink: RoleSink): void {
  const { text } = value;
  if (TRANSPORT_HELPER.test(text)) {
    sink.doubt('deny', 'COMMAND_EXECUTES', 'a transport of Git that runs a program', value);
    return;
  }
  const url = URL_SCHEME.exec(text);
  if (url !== null) {
    readRepositoryUrl(value, url[1]?.toLowerCase() ?? '', url[2] ?? '', sink);
    return;
  }
  const host = /^([^/:]+):/.exec(text)?.[1];
  if (host === undefined) sink.path(value, 'file_read');
  else if (/(?:^|@)-/.test(host))
    sink.doubt('deny', 'COMMAND_EXECUTES', 'a host that ssh would read as an option', value);
}

function readRepositoryUrl(value: Value, scheme: string, rest: string, sink: RoleSink): void {
  if (scheme === 'file') sink.path(value, 'file_read', rest.replace(/^localhost(?=\/)/, ''));
  else if (!GIT_SCHEMES.has(scheme)) sink.doubt('deny', 'COMMAND_EXECUTES', 'a transport that is not known', value);
  else if (/^(?:[^/@]*@)?-|^%/.test(rest)) {
    sink.doubt('deny', 'COMMAND_EXECUTES', 'a host that ssh would read as an option', value);
  }
}

/** `host:path` of scp and rsync: another machine; else a path here, which is read or written. */
export function readEndpointOf(value: Value, sink: RoleSink): void {
  if (/^[^/]*:|^rsync:/.test(value.text))
    sink.doubt('confirm', 'COMMAND_NETWORK', 'copies to or from another machine', value);
  else {
    sink.path(value, 'file_read');
    sink.path(value, 'file_write');
  }
}
