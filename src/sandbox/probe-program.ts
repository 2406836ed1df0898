/**
 * What the probe runs inside: a program for Node.js that tries to get out in every way that it knows and prints what came of
 * each try. It reads its plan (places, ports, canaries) from the file beside it, so that no canary stands in its own arguments.
 * Plain text, because it runs by itself under the same Node.js and with nothing of Sallyport in reach.
 */
export const PROBE_PROGRAM: string = String.raw`'use strict';
const fs = require('node:fs');
const net = require('node:net');
const dgram = require('node:dgram');
const path = require('node:path');
const { createHash } = require('node:crypto');
const { spawnSync } = require('node:child_process');

const plan = JSON.parse(fs.readFileSync(path.join(__dirname, 'plan.json'), 'utf8'));
const reads = (file) => fs.readFileSync(file, 'utf8').includes(plan.canary);
const inWork = (name) => path.join(__dirname, name);
const outside = (name) => path.join(plan.outside, name);

function writes(file) {
  fs.writeFileSync(file, plan.canary);
  return true;
}

function processFiles(name) {
  return fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map((entry) => {
    try {
      return fs.readFileSync('/proc/' + entry + '/' + name, 'utf8');
    } catch {
      return '';
    }
  });
}

function digestOf(file) {
  try {
    return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  } catch {
    return null;
  }
}

/** Settles at the first event of these, or after a while; a socket that is closed at once says nothing. */
function connects(target) {
  return new Promise((resolve) => {
    const socket = net.connect(target);
    const end = (result) => (socket.destroy(), resolve(result));
    socket.setTimeout(plan.waitMs, () => end('timeout'));
    socket.once('connect', () => end(true));
    socket.once('error', (error) => end(error.code));
  });
}

function sends(port) {
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    const end = (result) => (socket.close(), resolve(result));
    socket.once('error', (error) => end(error.code));
    // Whether it arrived is for the host to say.
    socket.send(plan.canary, port, '127.0.0.1', (error) => end(error === null ? 'sent' : error.code));
  });
}

function descriptorOfCanary() {
  for (let descriptor = 3; descriptor < 256; descriptor++) {
    try {
      const found = fs.fstatSync(descriptor);
      if (found.ino === plan.inode && found.size === plan.canary.length) return true;
    } catch {
      continue;
    }
  }
  return false;
}

function setsUserId() {
  fs.writeFileSync(inWork('set-id'), '');
  fs.chmodSync(inWork('set-id'), 0o4755);
  // Whether the bit stays is for the host to say.
  return 'tried';
}

function opensMany() {
  const opened = [];
  try {
    while (opened.length < plan.openFiles) opened.push(fs.openSync('/dev/null', 'r'));
    return true;
  } finally {
    for (const descriptor of opened) fs.closeSync(descriptor);
  }
}

const forks = 'i=0; while [ $i -lt ' + plan.processes + ' ]; do sleep 60 & p="$p $!"; i=$((i+1)); done; kill $p';

const ATTEMPTS = {
  'read-outside': () => reads(outside('canary.txt')),
  'read-through-link': () => reads(inWork('link')),
  'write-outside': () => writes(outside('written')),
  'write-through-link': () => writes(inWork('folder-link/written-through-link')),
  'hard-link': () => (fs.linkSync(outside('canary.txt'), inWork('hard-link')), true),
  'read-hidden': () => reads(inWork('hidden.txt')),
  'write-hidden': () => writes(inWork('hidden.txt')),
  'read-hidden-folder': () => reads(inWork('hidden-folder/canary.txt')),
  'write-read-only': () => writes(inWork('read-only.txt')),
  'write-read-only-folder': () => writes(inWork('read-only-folder/kept.txt')),
  'add-to-read-only-folder': () => writes(inWork('read-only-folder/added.txt')),
  'make-reserved': () => writes(inWork('reserved.txt')),
  'rename-hidden': () => (fs.renameSync(inWork('hidden.txt'), inWork('renamed.txt')), reads(inWork('renamed.txt'))),
  'tcp': () => connects({ host: '127.0.0.1', port: plan.tcpPort }),
  'udp': () => sends(plan.udpPort),
  'unix-path': () => connects(outside('live.sock')),
  'unix-abstract': () => connects('\0' + plan.abstract),
  'environment': () => [...Object.values(process.env), ...processFiles('environ')].some((text) => text.includes(plan.secret)),
  'descriptor': descriptorOfCanary,
  'host-process': () => processFiles('cmdline').some((text) => text.includes(plan.marker)),
  'core-pattern': () => (fs.closeSync(fs.openSync('/proc/sys/kernel/core_pattern', 'r+')), true),
  'machine-files': () => plan.machineFiles.some(({ file, digest }) => digestOf(file) === digest),
  'set-user-id': setsUserId,
  'user-namespace': () => spawnSync('unshare', ['-U', 'true'], { stdio: 'ignore' }).status === 0,
  'open-files': opensMany,
  'processes': () => spawnSync('/bin/sh', ['-c', forks], { stdio: 'ignore' }).status === 0,
};

async function main() {
  const results = {};
  for (const name of plan.attempts.filter((name) => name in ATTEMPTS)) {
    try {
      results[name] = String(await ATTEMPTS[name]());
    } catch (error) {
      results[name] = String(error.code ?? error.message);
    }
  }
  fs.writeFileSync(inWork('ran.txt'), plan.canary);
  fs.writeSync(1, JSON.stringify(results) + '\n');
  // Last, because the kernel may end a program that writes too large a file.
  if (plan.attempts.includes('file-size')) fs.ftruncateSync(fs.openSync(inWork('large.bin'), 'w'), plan.fileBytes);
}

main();
`;
