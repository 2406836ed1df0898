/** What the kernel hands to a seccomp filter: linux/seccomp.h. */
export interface SystemCall {
  readonly arch: number;
  readonly number: number;
  readonly arguments: readonly bigint[];
}

/** `struct seccomp_data`, little-endian. */
function seccompData(call: SystemCall): Buffer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.arch >>> 0, 4);
  for (const [index, value] of call.arguments.entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * index);
  return data;
}

/** Opcodes by what they do; whatever is not here is refused, as the kernel's checker does. */
const JUMPS: ReadonlyMap<number, (word: number, value: number) => boolean> = new Map([
  [0x15, (word: number, value: number) => word === value],
  [0x35, (word: number, value: number) => word >= value],
  [0x45, (word: number, value: number) => (word & value) !== 0],
]);

/** Runs a filter as the kernel would and returns its answer; throws where the kernel would not have loaded the program. */
export function runFilter(program: Buffer, call: SystemCall): number {
  const data = seccompData(call);
  let word = 0;
  for (let at = 0; at < program.length; ) {
    const code = program.readUInt16LE(at);
    const value = program.readUInt32LE(at + 4);
    const jump = JUMPS.get(code);
    if (code === 0x06) return value;
    else if (code === 0x20) word = data.readUInt32LE(value);
    else if (code === 0x54) word = (word & value) >>> 0;
    else if (code === 0x05) at += 8 * value;
    else if (jump !== undefined) at += 8 * program.readUInt8(jump(word, value) ? at + 2 : at + 3);
    else throw new Error(`no such opcode: ${code}`);
    at += 8;
  }
  throw new Error('the program ran past its end');
}
