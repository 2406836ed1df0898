/** The home of the made-up user inside every sandbox: private, empty, writable, gone afterwards. */
export const SANDBOX_HOME = '/home/agent';
/** The temporary folder inside: private, empty, writable, gone afterwards. */
export const SANDBOX_TMP = '/tmp';
const SANDBOX_USER = 'agent';
export const SANDBOX_HOST = 'sandbox';
/** What programs are looked up on inside, where the caller's environment names no PATH. */
export const SANDBOX_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Made-up files under /etc, the same in every sandbox: they say nothing about the machine. */
export function madeUpFiles(user: { readonly uid: number; readonly gid: number }): ReadonlyMap<string, string> {
  const { uid, gid } = user;
  return new Map([
    ['/etc/passwd', `${SANDBOX_USER}:x:${uid}:${gid}:${SANDBOX_USER}:${SANDBOX_HOME}:/bin/sh\n`],
    ['/etc/group', `${SANDBOX_USER}:x:${gid}:\n`],
    ['/etc/hosts', `127.0.0.1 localhost ${SANDBOX_HOST}\n::1 localhost\n`],
    ['/etc/hostname', `${SANDBOX_HOST}\n`],
    // Names are the proxy's business: inside there is nobody to ask.
    ['/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n'],
    ['/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n'],
    ['/etc/machine-id', `${'0'.repeat(31)}1\n`],
    // Folders of a workspace belong to whoever owns them outside: git's question about that was answered by the mount.
    ['/etc/gitconfig', '[safe]\n\tdirectory = *\n'],
  ]);
}
