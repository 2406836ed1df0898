/**
 * Classic BPF as the kernel takes it for seccomp (linux/filter.h): blocks of instructions that are put together without
 * labels. INVARIANT: every block ends in answers only and jumps forward within itself, so blocks can stand one after another.
 */
export interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly value: number;
}

/** Instructions that end in an answer on every way through them. */
export type Block = readonly Instruction[];

/** What a branch asks of the word that was loaded last, as an unsigned number of 32 bits. */
export interface Question {
  readonly kind: 'equal' | 'atLeast' | 'anyBit';
  readonly value: number;
}

const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const RETURN = 0x06;
const QUESTIONS: Readonly<Record<Question['kind'], number>> = { equal: 0x15, atLeast: 0x35, anyBit: 0x45 };
const MAX_CONDITIONAL_JUMP = 255;
const INSTRUCTION_BYTES = 8;
/** BPF_MAXINSNS: the kernel takes no longer program. */
const MAX_INSTRUCTIONS = 4096;

const instruction = (code: number, value: number, jumpTrue = 0, jumpFalse = 0): Instruction => ({
  code,
  jumpTrue,
  jumpFalse,
  value,
});

/** Ends with this answer. */
export const answer = (value: number): Block => [instruction(RETURN, value)];

/** Loads the word at this offset of `struct seccomp_data`, then goes on. */
export const load = (offset: number, then: Block): Block => [instruction(LOAD_WORD, offset), ...then];

/** Keeps the bits of the mask, then goes on. */
export const mask = (bits: number, then: Block): Block => [instruction(AND, bits), ...then];

/** Asks the question and goes one way or the other; a jump too long for eight bits gets an instruction of its own. */
export function branch(question: Question, whenTrue: Block, whenFalse: Block): Block {
  const code = QUESTIONS[question.kind];
  const skip =
    whenTrue.length <= MAX_CONDITIONAL_JUMP
      ? [instruction(code, question.value, 0, whenTrue.length)]
      : [instruction(code, question.value, 1, 0), instruction(JUMP, whenTrue.length)];
  return [...skip, ...whenTrue, ...whenFalse];
}

/** Whether the loaded word is one of the values. */
export const oneOf = (values: readonly number[], whenTrue: Block, whenFalse: Block): Block =>
  values.reduceRight((rest, value) => branch({ kind: 'equal', value }, whenTrue, rest), whenFalse);

/**
 * The bytes of an array of `struct sock_filter`, little-endian.
 * @throws RangeError when the program is longer than the kernel takes
 */
export function encodeProgram(program: Block): Buffer {
  if (program.length > MAX_INSTRUCTIONS) throw new RangeError('a BPF program has at most 4096 instructions');
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  for (const [index, { code, jumpTrue, jumpFalse, value }] of program.entries()) {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(jumpTrue, at + 2);
    bytes.writeUInt8(jumpFalse, at + 3);
    bytes.writeUInt32LE(value >>> 0, at + 4);
  }
  return bytes;
}
