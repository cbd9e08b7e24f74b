/** The lab could not be started, broken or healed; the message says what to do about it. */
export class LabError extends Error {
  override readonly name = 'LabError';
}
