let lastTimezone = '+00:00';
let lastOffsetMs = 0;

/** How far a time zone given as `+HH:MM` or `-HH:MM` is ahead of UTC, in milliseconds; 0 for anything else. */
export function utcOffsetMs(timezone: string): number {
  if (timezone === lastTimezone) return lastOffsetMs; // a cluster has one
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(timezone) ?? [];
  const offsetMs =
    sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000);
  lastTimezone = timezone;
  lastOffsetMs = offsetMs;
  return offsetMs;
}
