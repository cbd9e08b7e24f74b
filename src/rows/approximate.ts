/** MySQL's number of decimals for a column that has none fixed; MariaDB has 31 and 39. */
const notFixed = 31;

/** The number that the text protocol gives for a FLOAT: six significant digits, or the decimals of `FLOAT(m, d)`. */
export function floatAsText(value: number, decimals: number): number {
  if (decimals < notFixed) return doubleAsText(value, decimals);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return value;
  return roundHalfEven(value, value.toPrecision(6), value.toExponential(6));
}

/** The number that the text protocol gives for a DOUBLE: itself, or rounded to the decimals of `DOUBLE(m, d)` or ROUND. */
export function doubleAsText(value: number, decimals: number): number {
  if (decimals >= notFixed || Number.isInteger(value)) return value;
  return roundHalfEven(value, value.toFixed(decimals), value.toFixed(decimals + 1));
}

/** `rounded` unless the value lies exactly between two candidates: there servers take the even digit, JavaScript the larger. */
function roundHalfEven(value: number, rounded: string, oneDigitMore: string): number {
  const [digits = '', exponent] = oneDigitMore.split('e');
  if (!digits.endsWith('5') || Number(oneDigitMore) !== value) return Number(rounded);
  const lower = digits.slice(0, -1); // rounded towards zero
  const lastDigit = lower.endsWith('.')
    ? lower.charCodeAt(lower.length - 2)
    : lower.charCodeAt(lower.length - 1);
  if (lastDigit % 2 !== 0) return Number(rounded);
  return Number(exponent === undefined ? lower : `${lower}e${exponent}`);
}
