/** Something that a program may do, and what it prints when it can. */
export interface Work {
  readonly name: string;
  /** Run by /bin/sh. */
  readonly script: string;
  readonly expected: string;
  readonly input?: string;
  readonly status?: number;
  /** Program of the machine without which it is skipped. */
  readonly needs?: readonly [string, ...string[]];
}

const git = 'git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main';

/** What a sandbox must let through: it is of no use to be safe and in the way. */
export const WORK: readonly Work[] = [
  {
    name: 'read and write the workspace',
    script: 'cat readme.txt; echo new > new.txt; cat new.txt; rm new.txt',
    expected: 'hellonew\n',
  },
  { name: 'make, rename and remove folders', script: 'mkdir -p a/b && mv a/b a/c && ls a && rm -r a', expected: 'c\n' },
  {
    name: 'make a link and a hard link',
    script: 'echo 1 > f; ln -s f l; ln f h; cat l h; rm f l h',
    expected: '1\n1\n',
  },
  {
    name: 'names beyond ASCII',
    script: 'echo grün > "наука 日本 ä.txt"; cat "наука 日本 ä.txt"; ls | grep наука; rm "наука 日本 ä.txt"',
    expected: 'grün\nнаука 日本 ä.txt\n',
  },
  {
    name: 'temporary files',
    script: 'f=$(mktemp); echo t > "$f"; cat "$f"; rm "$f"; echo s > /dev/shm/x; cat /dev/shm/x; rm /dev/shm/x',
    expected: 't\ns\n',
  },
  {
    name: 'a home of its own',
    script:
      'test -d "$HOME" && echo h > "$HOME/.profile-test" && cat "$HOME/.profile-test" && rm "$HOME/.profile-test"',
    expected: 'h\n',
  },
  {
    name: 'pipes and background jobs',
    script: 'seq 1000 | sort -rn | head -1; (sleep 0.05; echo b) & wait; echo e',
    expected: '1000\nb\ne\n',
  },
  { name: 'standard input', script: 'tr a-z A-Z', input: 'grüße from outside\n', expected: 'GRüßE FROM OUTSIDE\n' },
  { name: 'exit status', script: 'exit 37', expected: '', status: 37 },
  {
    name: 'devices that belong to everybody',
    script: 'head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; echo x > /dev/null; cat /dev/null',
    expected: '4\n4\n',
  },
  {
    name: 'a pseudo-terminal',
    script: 'script -qec "test -t 1 && echo terminal" /dev/null | tr -d "\\r"',
    expected: 'terminal\n',
    needs: ['script', '--version'],
  },
  {
    name: 'bash with process substitution',
    script: 'bash -c "cat <(echo one) <(echo two)"',
    expected: 'one\ntwo\n',
    needs: ['bash', '--version'],
  },
  {
    name: 'python3 with threads, processes and a socket pair',
    script: `/usr/bin/python3 -c "
import socket, threading, subprocess, multiprocessing, tempfile
a, b = socket.socketpair()
t = threading.Thread(target=lambda: a.sendall(b'pair')); t.start(); t.join()
print(b.recv(4).decode(), subprocess.check_output(['echo', 'child']).decode().strip())
p = multiprocessing.get_context('fork').Process(target=lambda: print('forked', flush=True)); p.start(); p.join()
with tempfile.TemporaryFile() as f: f.write(b'1'); print(f.tell())
"`,
    expected: 'pair child\nforked\n1\n',
    needs: ['/usr/bin/python3', '--version'],
  },
  {
    name: 'a server and a client of its own',
    script: `/usr/bin/python3 -c "
import socket
s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname()); a, _ = s.accept()
c.sendall(b'own loopback'); print(a.recv(99).decode())
"`,
    expected: 'own loopback\n',
    needs: ['/usr/bin/python3', '--version'],
  },
  {
    name: 'node with workers, children and watchers',
    script: `node -e "
const { Worker } = require('worker_threads'); const { execFileSync } = require('child_process'); const fs = require('fs');
fs.watch('.').close();
new Worker('require(\\"worker_threads\\").parentPort.postMessage(6*7)', { eval: true }).on('message', (m) => console.log(m, execFileSync('echo', ['child']).toString().trim(), require('os').cpus().length > 0));
"`,
    expected: '42 child true\n',
    needs: ['node', '--version'],
  },
  {
    name: 'npm run',
    script: `mkdir -p n && cd n && echo '{"name":"n","version":"1.0.0","scripts":{"hello":"node -p 40+2"}}' > package.json && npm run --silent hello; cd ..; rm -r n`,
    expected: '42\n',
    needs: ['npm', '--version'],
  },
  {
    name: 'git: init, commit, log, branch, diff',
    script: `cd "$HOME" && ${git} init -q r && cd r && echo 1 > f && git add f && ${git} commit -qm first && echo 2 > f && git diff --stat | tail -1 && git log --format=%s && git branch --show-current && cd .. && rm -rf r`,
    expected: ' 1 file changed, 1 insertion(+), 1 deletion(-)\nfirst\nmain\n',
    needs: ['git', '--version'],
  },
  {
    name: 'pytest',
    script:
      'echo "def test_one(): assert 1" > test_one.py; /usr/bin/python3 -m pytest -q -p no:cacheprovider test_one.py | grep -o "1 passed"; rm -r test_one.py __pycache__',
    expected: '1 passed\n',
    needs: ['/usr/bin/python3', '-m', 'pytest', '--version'],
  },
  {
    name: 'gcc: compile and run',
    script: `printf '#include <stdio.h>\\nint main(void) { puts("compiled"); }' > x.c && gcc -o x x.c && ./x && rm x x.c`,
    expected: 'compiled\n',
    needs: ['gcc', '--version'],
  },
  {
    name: 'make',
    script: `printf 'all:\\n\\t@echo made\\n' > m.mk; make -sf m.mk; rm m.mk`,
    expected: 'made\n',
    needs: ['make', '--version'],
  },
  {
    name: 'tar and gzip',
    script: 'tar czf t.tgz readme.txt && tar tzf t.tgz && rm t.tgz',
    expected: 'readme.txt\n',
    needs: ['tar', '--version'],
  },
  { name: 'perl', script: 'perl -e "print 6*7"', expected: '42', needs: ['perl', '--version'] },
  {
    name: 'openssl by the certificates of the system',
    script:
      'openssl version | grep -o OpenSSL | head -1; test -s /etc/ssl/certs/ca-certificates.crt && echo certificates',
    expected: 'OpenSSL\ncertificates\n',
    needs: ['openssl', 'version'],
  },
  {
    name: 'who it is and where',
    script:
      'id -un >/dev/null && getent passwd "$(id -u)" >/dev/null && hostname >/dev/null && date >/dev/null && getent hosts localhost | grep -q localhost && echo known',
    expected: 'known\n',
  },
];
