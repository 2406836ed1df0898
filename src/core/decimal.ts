/** A number as `digits` times ten to the power of `-scale`, exactly as ECMAScript prints it. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

function toDecimal(value: number): Decimal {
  const [mantissa = '', exponent = '0'] = value.toString().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), scale: fraction.length - Number(exponent) };
}

/**
 * True when `value` is a whole multiple of `step` (above 0), in the decimal digits that people read: 0.0075 is a multiple
 * of 0.0001, which no arithmetic on doubles finds.
 */
export function isMultipleOf(value: number, step: number): boolean {
  const a = toDecimal(value);
  const b = toDecimal(step);
  const scale = Math.max(a.scale, b.scale);
  return (a.digits * 10n ** BigInt(scale - a.scale)) % (b.digits * 10n ** BigInt(scale - b.scale)) === 0n;
}
