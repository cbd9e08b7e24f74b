import { longestFence } from '../fence.ts';
import { recordForm } from './record-text.ts';

/**
 * Takes a record apart and puts it together again. `record.ts` says in TypeScript what happens to it; versions and
 * numbers travel as text, since Redis rounds large ones.
 */
const common = `
local key, era, gen = KEYS[1], ARGV[1], ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function text(number) return string.format('%.0f', number) end

local function unknown(marks)
  return { era = era, gen = gen, fence = '?', marks = marks, lease = '', heldUntil = 0, value = '' }
end

local function find()
  local raw = redis.call('GET', key)
  if not raw then return nil end
  local e, g, f, m, l, u, v = string.match(raw,
    '^${recordForm}\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n(%d+)\\n(.*)$')
  if not e then return nil end
  return { era = e, gen = g, fence = f, marks = m, lease = l, heldUntil = tonumber(u), value = v }
end

local function current(record)
  if not record then return unknown('') end
  local marks = ''
  for id, at in string.gmatch(record.marks, '([^@,]+)@(%d+),') do
    if tonumber(at) > now then marks = marks .. id .. '@' .. at .. ',' end
  end
  if record.era == era and marks == record.marks then return record end
  return unknown(marks)
end

local function keep(record, ms, set)
  ms = math.max(tonumber(ms), redis.call('PTTL', key))
  return set('SET', key, table.concat({ '${recordForm}', record.era, record.gen, record.fence, record.marks,
    record.lease, text(record.heldUntil), record.value }, '\\n'), 'PX', text(ms))
end
`;

/** Adds a commit's position to a fence: one stretch per source, from the least to the greatest number. */
const merge = `
local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local function add(stretches, order, fence, isMySql)
  for item in string.gmatch(fence, '[^,]+') do
    local source, first, last
    if isMySql then source, first, last = string.match(item, '^(.+):(%d+)%-(%d+)$')
    else source, last = string.match(item, '^(%d+%-%d+)%-(%d+)$') end
    if not source then return false end
    local known = stretches[source]
    if not known then
      stretches[source] = { first, last }
      order[#order + 1] = source
    else
      if first and less(first, known[1]) then known[1] = first end
      if less(known[2], last) then known[2] = last end
    end
  end
  return true
end

local function merged(fence, added)
  if fence == '?' or added == '?' then return '?' end
  local stretches, order, parts = {}, {}, {}
  local isMySql = string.find(fence .. added, ':', 1, true) ~= nil
  if not add(stretches, order, fence, isMySql) or not add(stretches, order, added, isMySql) then return '?' end
  for index, source in ipairs(order) do
    local first, last = stretches[source][1], stretches[source][2]
    parts[index] = first and (source .. ':' .. first .. '-' .. last) or (source .. '-' .. last)
  end
  local union = table.concat(parts, ',')
  if #union > ${longestFence} then return '?' end
  return union
end
`;

/** ARGV: era, gen, lease id or empty, lease ms, the fill that the caller has seen, ms to keep. */
const open = `${common}
local function purpose(id) return string.match(id, '^([^.]*)%.') end
local lease, leaseMs, seenFill, keepMs = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local record = current(find())
local pending = record.marks ~= ''
local told, heldMs = 'none', 0
if lease ~= '' and not pending then
  local filledBy = string.match(record.value, '^([^\\n]*)\\n')
  local leftMs = record.heldUntil - now
  if filledBy and filledBy ~= seenFill then told = 'filled'
  elseif leftMs > 0 and purpose(record.lease) == purpose(lease) then told, heldMs = 'held', leftMs
  else
    told, record.lease, record.heldUntil = 'granted', lease, now + tonumber(leaseMs)
  end
end
keep(record, keepMs, redis.call)
return { record.gen, record.fence, pending and '1' or '0', told, text(heldMs) }
`;

/** ARGV: era, -, lease id, fence or '=', proof, proven, ms of the load, ttl ms, ms to keep, payload. */
const fill = `${common}
local lease, fence, proof, proven = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local loadMs, ttlMs, keepMs, payload = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local record = find()
if not record or record.era ~= era or record.lease ~= lease then return '0' end
if fence ~= '=' and record.fence == '?' then record.fence = fence end
record.lease, record.heldUntil = '', 0
record.value = table.concat({ lease, proof, proven, text(now + tonumber(ttlMs)), loadMs, payload }, '\\n')
keep(record, keepMs, redis.call)
return '1'
`;

/** ARGV: era, -, lease id. */
const release = `${common}
local record = find()
if not record or record.era ~= era or record.lease ~= ARGV[3] then return '0' end
record.lease, record.heldUntil = '', 0
keep(record, 0, redis.call)
return '1'
`;

/** ARGV: era, gen, fence. */
const settle = `${common}
local record = find()
if not record or record.era ~= era or record.gen ~= gen or record.marks ~= '' or record.fence ~= '?' then
  return '0'
end
record.fence = ARGV[3]
keep(record, 0, redis.call)
return '1'
`;

/** ARGV: era, gen, mark id, mark ms, ms to keep. */
const mark = `${common}
local id, ms, keepMs = ARGV[3], ARGV[4], ARGV[5]
local record = current(find())
record.marks = record.marks .. id .. '@' .. text(now + tonumber(ms)) .. ','
record.gen, record.lease, record.heldUntil, record.value = gen, '', 0, ''
keep(record, keepMs, redis.call)
return '1'
`;

/**
 * ARGV: era, gen, mark id or empty, fence or '=', ms to keep. Where there is no room for the record it is deleted: then
 * it is unknown, which is as good an invalidation.
 */
const complete = `${common}${merge}
local id, fence, keepMs = ARGV[3], ARGV[4], ARGV[5]
local record = find()
if not record then return '0' end
record = current(record)
local marks = ''
for other, at in string.gmatch(record.marks, '([^@,]+)@(%d+),') do
  if other ~= id then marks = marks .. other .. '@' .. at .. ',' end
end
record.marks = marks
if fence ~= '=' then record.fence = merged(record.fence, fence) end
record.gen, record.lease, record.heldUntil, record.value = gen, '', 0, ''
local reply = keep(record, keepMs, redis.pcall)
if type(reply) == 'table' and reply.err then redis.call('DEL', key) end
return '1'
`;

/** Each changes one record in one step. */
export const redisScripts = {
  vipsqlOpen: open,
  vipsqlFill: fill,
  vipsqlRelease: release,
  vipsqlSettle: settle,
  vipsqlMark: mark,
  vipsqlComplete: complete,
} as const;
