import type { InvalidationTargets } from '../config/invalidation-targets.ts';
import type { Answer } from '../pool/command.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { CommitInvalidation } from './commit-invalidation.ts';
import type { Services } from './services.ts';

interface InvalidatingWrite {
  readonly targets: InvalidationTargets;
  readonly deadline: Deadline;
}

/** Runs a write that commits by itself, with what it makes old in the cache. */
export async function invalidating(
  services: Services,
  { targets, deadline }: InvalidatingWrite,
  write: () => Promise<Answer>,
): Promise<Answer> {
  const invalidation = new CommitInvalidation(services);
  invalidation.of({ invalidated: targets });
  return await invalidation.endWith(async () => {
    await invalidation.announce(deadline);
    const answer = await write();
    invalidation.committed(answer);
    return answer;
  });
}
