import type { Readable, Writable } from 'node:stream';
import type { SandboxCommand } from './contract.ts';

/** The number of setsid(2): perl has no word for it without a module. */
const SETSID: Readonly<Record<string, number>> = Object.freeze({ x64: 112, arm64: 157 });

/**
 * The first process of every gVisor container, and its child that becomes the command. The child waits for it on standard input, and
 * tells on standard output that it is ready and that the command starts: forking is slow, and done by then. The first process is
 * silent, and ends as the command ends, with which everything else in the container dies. It never sees a shell, collects orphans,
 * and hands SIGTERM on. Perl, because its `exec` gives a program exactly the words, the name and the environment that it is told, and
 * because Debian and its kin cannot be without it. No module of it, not even `strict`: each is files to be found and read through
 * gVisor, and `POSIX` took a tenth of a start.
 */
const PROGRAM = String.raw`my $pid;
$SIG{TERM} = sub { kill 'TERM', -$pid };
$pid = fork();
exit 126 unless defined $pid;
if ($pid) {
  open(STDIN, '<', '/dev/null'); open(STDOUT, '>', '/dev/null'); open(STDERR, '>', '/dev/null');
  while (1) {
    my $p = waitpid(-1, 0); my $s = $?;
    exit 125 if $p == -1 && $! == 10; # ECHILD
    exit($s & 127 ? 128 + ($s & 127) : $s >> 8) if $p == $pid;
  }
}
$SIG{TERM} = 'DEFAULT';
exit 126 if syscall(${SETSID[process.arch] ?? -1}) < 0;
sub take { my ($n) = @_; my $b = '';
  while (length($b) < $n) { my $r = sysread(STDIN, $b, $n - length($b), length($b)); exit 0 unless $r; } $b }
sub tell_host { syswrite STDOUT, "$_[0]\n" }
tell_host('ready');
my @w = split(/\0/, take(unpack('N', take(4))), -1);
my ($stdin, $cwd, $program, $count) = splice(@w, 0, 4);
my %env; for (splice(@w, 0, $count)) { my ($k, $v) = split(/=/, $_, 2); $env{$k} = $v }
%ENV = %env;
sub refuse { tell_host("failed $_[0]"); exit 0 }
refuse('cwd') unless chdir $cwd;
my ($found) = grep { -f && -x _ } $program =~ m{/} ? $program : map { "$_/$program" } grep { length } split /:/, $env{PATH};
refuse('program') unless defined $found;
tell_host('go');
open(STDIN, '<', '/dev/null') if $stdin eq 'none';
exec { $found } @w;
exit 126;
`;

/** Where the launcher's interpreter is, inside and on the host. */
export const PERL = '/usr/bin/perl';

/** What the first process of a container is started as. */
export const LAUNCHER: readonly string[] = Object.freeze([PERL, '-e', PROGRAM]);

/** A command as the launcher reads it: a length, then words that each end where a NUL stands. */
export function encodeCommand(command: SandboxCommand): Buffer {
  const { argv, argv0, env, cwd, stdin } = command;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [program, ...args] = argv;
  const words = [stdin, cwd, program, String(variables.length), ...variables, argv0 ?? program, ...args];
  const body = Buffer.from(words.join('\0'));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

const LONGEST_WORD = 32;

/** One line of the launcher; null when it ended, or says something that it never would. What comes after the line stays in the stream. */
export function readWord(stream: Readable): Promise<string | null> {
  return new Promise((resolve) => {
    let text = Buffer.alloc(0);
    const finish = (word: string | null): void => {
      stream.off('readable', look).off('close', onEnd).off('end', onEnd);
      resolve(word);
    };
    const onEnd = (): void => finish(null);
    const look = (): void => {
      for (let chunk: unknown = stream.read(); chunk instanceof Buffer; chunk = stream.read()) {
        text = Buffer.concat([text, chunk]);
        const end = text.indexOf('\n');
        if (end < 0 && text.length <= LONGEST_WORD) continue;
        if (end >= 0 && end + 1 < text.length) stream.unshift(text.subarray(end + 1));
        finish(end < 0 ? null : text.subarray(0, end).toString());
        return;
      }
    };
    stream.on('readable', look).once('close', onEnd).once('end', onEnd);
    if (stream.destroyed || stream.readableEnded) finish(null);
    else look();
  });
}

/** Why a command cannot be started whose program is not there. */
export const NO_PROGRAM: string = 'the program is not there, or cannot be executed';

/** Hands a command over. `started`: it runs, or is about to; else why it cannot. */
export async function launch(
  pipes: { readonly stdin: Writable; readonly stdout: Readable },
  command: SandboxCommand,
): Promise<'started' | string> {
  pipes.stdin.write(encodeCommand(command));
  if (command.stdin === 'none') pipes.stdin.end();
  const word = await readWord(pipes.stdout);
  if (word === 'go') return 'started';
  if (word === 'failed cwd') return 'the working folder is not there, or cannot be entered';
  if (word === 'failed program') return NO_PROGRAM;
  return 'the sandbox ended before the program was started';
}
