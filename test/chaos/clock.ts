/** Milliseconds since 1970 with fractions; processes of one machine agree on them unless somebody sets its clock. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
