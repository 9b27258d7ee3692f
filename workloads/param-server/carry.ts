// The desired document into Redis: compare-and-set on its order; and the word to read it. Called by server.ts.
import type { DesiredDocument } from '../contract/desired.ts';
import { desiredKey, RELOAD, RELOAD_TTL_SECONDS } from '../contract/keys.ts';
import { executed, type Redis } from '../kit/redis.ts';

/**
 * KEYS[1] desired:{system}; ARGV: text, owner, epoch, version, namespace. Set only forward within one owner. Another owner of
 * the same namespace is gone, as names are unique there; one of another namespace shares this Redis and is not ours to replace.
 */
const COMPARE_AND_SET = `
local found = redis.call('GET', KEYS[1])
if found then
  local ok, current = pcall(cjson.decode, found)
  if ok and type(current) == 'table' and type(current.system) == 'table' then
    if current.system.namespace ~= ARGV[5] then return 'foreign' end
    if current.owner == ARGV[2] then
      local epoch, version = tonumber(ARGV[3]), tonumber(ARGV[4])
      local has_epoch, has_version = tonumber(current.epoch) or -1, tonumber(current.version) or -1
      if has_epoch > epoch or (has_epoch == epoch and has_version > version) then return 'older' end
      if has_epoch == epoch and has_version == version then
        if found == ARGV[1] then return 'same' end
      end
    end
  end
end
redis.call('SET', KEYS[1], ARGV[1])
return 'set'
`;

/** set: carried. same: was there. older: Redis has a later one. foreign: another namespace's system of this name uses it. */
export type Carried = 'set' | 'same' | 'older' | 'foreign';

/** Idempotent. Rejects where Redis is away or refuses it. Where it is `set`, pods are to be told. */
export async function carry(redis: Redis, document: DesiredDocument): Promise<Carried> {
  const { owner, epoch, version, system } = document;
  const order = [owner, String(epoch), String(version), system.namespace];
  const key = desiredKey(system.name);
  return (await redis.eval(COMPARE_AND_SET, 1, key, JSON.stringify(document), ...order)) as Carried;
}

/** Tells pods to read it. Rejects where Redis is away or refuses the word; they find the document all the same, when they poll. */
export async function tell(redis: Redis, { epoch, version, hash }: DesiredDocument): Promise<void> {
  const word = JSON.stringify({ component: 'all', epoch, version, hash });
  await executed(redis.pipeline().set(RELOAD, word, 'EX', RELOAD_TTL_SECONDS).publish(RELOAD, word));
}
