import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/** Marks every container of a lab; its value is the lab's name. */
export const labLabel = 'vipsql.lab';

/** Who has started a lab, and when: enough to know whether that process still lives. */
interface Owner {
  readonly run: string;
  /** Processes are known by their id within a namespace only. */
  readonly namespace: string;
  readonly pid: string;
  readonly startedAt: string;
}

const pattern = /^vipsql-lab_(?<run>\w+)_(?<namespace>\w+)_(?<pid>\d+)_(?<startedAt>\d+)_\w+$/;

/** A name for a lab of this process, which says whose it is. Docker lets it be the name of a network. */
export function newLabName(): string {
  const { run, namespace, pid, startedAt } = thisProcess();
  return `vipsql-lab_${run}_${namespace}_${pid}_${startedAt}_${randomBytes(3).toString('hex')}`;
}

/** Whether a lab was started by this run of tests, as `VIPSQL_TEST_RUN` says. */
export function isOfThisRun(labName: string): boolean {
  const owner = ownerOf(labName);
  return owner !== undefined && owner.run !== 'none' && owner.run === thisProcess().run;
}

/** Whether the process that started a lab has ended, as far as this one can know. */
export function isAbandoned(labName: string): boolean {
  const owner = ownerOf(labName);
  if (owner === undefined || owner.namespace !== thisProcess().namespace) return false;
  return startTimeOf(owner.pid) !== owner.startedAt;
}

function ownerOf(labName: string): Owner | undefined {
  const parts = pattern.exec(labName)?.groups;
  if (parts === undefined) return undefined;
  const { run = '', namespace = '', pid = '', startedAt = '' } = parts;
  return { run, namespace, pid, startedAt };
}

function thisProcess(): Owner {
  const pid = String(process.pid);
  const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  return { run: process.env.VIPSQL_TEST_RUN ?? 'none', namespace, pid, startedAt: startTimeOf(pid) ?? '0' };
}

/** In ticks since the machine was started; undefined if there is no such process. */
function startTimeOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; the time is the 20th field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
