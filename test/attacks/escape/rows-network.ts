import type { Row } from './row.ts';

const connects = (address: string, kind = 'AF_INET'): { python: string } => ({
  python: `import socket,os
s=socket.socket(socket.${kind}, socket.SOCK_STREAM)
s.settimeout(1)
s.connect(${address})
print('ESCAPED')`,
});

/** Ways to a listener of the host: each one is alive, on loopback or in a file. */
export const NETWORK_ROWS: readonly Row[] = [
  { name: 'connect to loopback', attempt: connects("('127.0.0.1', int(os.environ['TCP_PORT']))"), control: 'always' },
  {
    name: 'connect to another address of loopback',
    attempt: connects("('127.1.2.3', int(os.environ['TCP_PORT']))"),
    control: 'always',
  },
  {
    name: 'connect to the address of nowhere',
    attempt: connects("('0.0.0.0', int(os.environ['TCP_PORT']))"),
    control: 'always',
  },
  {
    name: 'connect to loopback of IPv6',
    attempt: connects("('::1', int(os.environ['TCP6_PORT']))", 'AF_INET6'),
    control: 'always',
  },
  {
    name: 'connect to IPv4 by IPv6',
    attempt: connects("('::ffff:127.0.0.1', int(os.environ['TCP_PORT']))", 'AF_INET6'),
    control: 'always',
  },
  {
    name: 'connect from a bound port',
    attempt: {
      python:
        "import socket,os\ns=socket.socket()\ns.bind(('127.0.0.1',0))\ns.settimeout(1)\ns.connect(('127.0.0.1', int(os.environ['TCP_PORT'])))\nprint('ESCAPED')",
    },
    control: 'always',
  },
  {
    name: 'connect by a fast open',
    attempt: {
      python:
        "import socket,os\ns=socket.socket()\ns.sendto(b'x', 0x20000000, ('127.0.0.1', int(os.environ['TCP_PORT'])))\nprint('ESCAPED')",
    },
    control: 'always',
  },
  {
    name: 'connect by multipath TCP',
    attempt: {
      python:
        "import socket,os\ns=socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)\ns.settimeout(1)\ns.connect(('127.0.0.1', int(os.environ['TCP_PORT'])))\nprint('ESCAPED')",
    },
    control: 'always',
  },
  {
    name: 'ask by UDP and get an answer',
    attempt: {
      python:
        "import socket,os\ns=socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(1)\ns.sendto(b'ask', ('127.0.0.1', int(os.environ['UDP_PORT'])))\ns.recv(9)\nprint('ESCAPED')",
    },
    control: 'always',
  },
  {
    name: 'send by UDP and wait for nothing',
    attempt: { sh: 'bash -c "echo told > /dev/udp/127.0.0.1/$UDP_PORT"' },
    control: 'always',
    seenOnHost: ({ heard }) => heard.has('told'),
  },
  {
    name: 'connect to a socket by its path',
    attempt: connects("os.environ['OUT'] + '/host.sock'", 'AF_UNIX'),
    control: 'always',
  },
  {
    name: 'connect to a socket without a path',
    attempt: connects("('\\0' + os.environ['ABSTRACT']).ljust(108, '\\0')", 'AF_UNIX'),
    control: 'always',
  },
  {
    name: 'connect to a socket that the host left in the workspace',
    attempt: connects("os.environ['WORK'] + '/left.sock'", 'AF_UNIX'),
    control: 'always',
    open: { bubblewrap: 'a socket of the host in a folder that is shown is part of what is shown' },
  },
  {
    name: 'connect to sockets of container engines, D-Bus, X11 and agents',
    attempt: {
      sh: 'for s in /var/run/docker.sock /run/docker.sock /run/podman/podman.sock /run/containerd/containerd.sock /run/dbus/system_bus_socket /run/systemd/private /tmp/.X11-unix/X0 /run/user/*/bus /run/nscd/socket; do test -S $s && echo ESCAPED; done',
    },
  },
  {
    name: 'connect to any abstract socket that is listed',
    attempt: { sh: 'grep -q "@" /proc/net/unix && echo ESCAPED' },
    control: 'always',
  },
  {
    name: 'see the connections of the host',
    attempt: { sh: 'grep -q ":$(printf %04X $TCP_PORT)" /proc/net/tcp && echo ESCAPED' },
    control: 'always',
  },
  {
    name: 'see the interfaces of the host',
    attempt: { sh: 'grep -v -e "lo:" -e "|" /proc/net/dev | grep -q . && echo ESCAPED' },
  },
  {
    name: 'have a way to other machines',
    attempt: { sh: 'awk "NR>1 && \\$1 != \\"lo\\"" /proc/net/route | grep -q . && echo ESCAPED' },
  },
];
