/** Tells how starting goes. */
export interface Progress {
  /** An ordinary step; by default shown on a terminal only. */
  step(line: string): void;
  /** Something that takes long or changes the machine; by default always shown. */
  notice(line: string): void;
}

/** Progress that goes to the user's function, or else to standard error. */
export function createProgress(onProgress: ((line: string) => void) | undefined): Progress {
  if (onProgress !== undefined) return { step: onProgress, notice: onProgress };
  const write = (line: string): void => {
    process.stderr.write(`lab: ${line}\n`);
  };
  return { step: process.stderr.isTTY ? write : () => {}, notice: write };
}
